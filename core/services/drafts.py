"""Drafts: what a chat keeps of a command that is still being asked for, files that wait for Done included."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.domain.account import Actor, Place, Platform
from core.domain.artifact import Artifact
from core.domain.draft import OPEN_FOR, Draft, Received
from core.domain.errors import ActionGone, NotYours
from core.domain.upload import LIMIT
from core.ports.blobs import Blobs
from core.ports.clock import Clock, Ids
from core.ports.sources import Source
from core.ports.store import Repositories, Store


@dataclass(frozen=True, kw_only=True)
class Drafts:
    """Unfinished commands, for half an hour after the last answer."""

    store: Store
    blobs: Blobs
    clock: Clock
    ids: Ids

    async def open(
        self,
        actor: Actor,
        place: Place,
        *,
        command: str,
        given: Mapping[str, str],
        token: str = "",
        said: Place | None = None,
    ) -> Draft:
        """Begin to ask for a command, here or where it was `said`; what was asked for in this place before is let go.

        A chat that had to show a form before it could come here, or that may come here again with the same message,
        names a token of its own: with one that is known, that draft goes on.
        """
        known = await self.store.drafts.find(token) if token else None
        if known and known.account == actor.account:
            return known
        for old in await self.store.drafts.of(actor.account, place, now=self.clock.now()):
            if old.replaceable:
                await self.close(old)
        now = self.clock.now()
        draft = Draft(
            id=token or self.ids.token(),
            account=actor.account,
            place=place,
            said=said,
            command=command,
            given=given,
            created_at=now,
            expires_at=now + OPEN_FOR,
        )
        await self.store.drafts.save(draft)
        return draft

    async def find(self, actor: Actor, token: str) -> Draft:
        """The draft of a token.

        Raises:
            ActionGone: It is over.
            NotYours: It belongs to somebody else.
        """
        draft = await self.store.drafts.find(token)
        if draft is None or draft.expires_at <= self.clock.now():
            raise ActionGone
        if draft.account != actor.account:
            raise NotYours
        return draft

    async def current(self, actor: Actor, place: Place) -> Draft | None:
        """What the actor was last asked in a place."""
        return next(iter(await self.of(actor, place)), None)

    async def of(self, actor: Actor, place: Place) -> Sequence[Draft]:
        """What the actor has begun in a place, newest first."""
        return await self.store.drafts.of(actor.account, place, now=self.clock.now())

    async def on(self, platform: Platform) -> Sequence[Draft]:
        """All open drafts of a platform: what a front end that was started anew goes on with."""
        return await self.store.drafts.open_on(platform, now=self.clock.now())

    async def expired(self, platform: Platform) -> Sequence[Draft]:
        """Drafts that nobody finished; those with files are to be run, so that nothing sent is lost."""
        return await self.store.drafts.expired(platform, now=self.clock.now())

    async def change(self, draft: Draft, change: Callable[[Draft], Draft]) -> Draft:
        """Change a draft as it is now, and give it another half hour.

        Raises:
            ActionGone: It is over.
        """

        async def work(tx: Repositories) -> Draft:
            current = await tx.drafts.find(draft.id)
            if current is None:
                raise ActionGone
            changed = change(current).but(expires_at=self.clock.now() + OPEN_FOR)
            await tx.drafts.save(changed)
            return changed

        return await self.store.transact(work)

    async def receive(self, draft: Draft, source: Source, *, origin: str) -> Draft:
        """Take a file in, durably; the same origin again adds nothing.

        Raises:
            ActionGone: The draft is over.
            FileTooLarge: The file is larger than any upload may be; nothing is kept.
        """
        if any(known.origin == origin for known in draft.received):
            return draft
        async with source.open() as chunks:
            blob = await self.blobs.put(chunks, name=source.name, limit=LIMIT)
        artifact = Artifact(name=source.name, sha256=blob.id, size=blob.size, media_type="application/octet-stream")

        async def work(tx: Repositories) -> Draft:
            current = await tx.drafts.find(draft.id)
            if current is None:
                raise ActionGone
            if any(known.origin == origin for known in current.received):
                return current
            await tx.references.refer(artifact.sha256)
            received = (*current.received, Received(origin=origin, artifact=artifact))
            grown = current.but(received=received, expires_at=self.clock.now() + OPEN_FOR)
            await tx.drafts.save(grown)
            return grown

        return await self.store.transact(work)

    async def close(self, draft: Draft) -> None:
        """Let a draft go, and the files with it: what was run has its own references to them."""

        async def work(tx: Repositories) -> None:
            current = await tx.drafts.find(draft.id)
            if current and await tx.drafts.remove(draft.id):
                await tx.references.forget(*(file.artifact.sha256 for file in current.received))

        await self.store.transact(work)
