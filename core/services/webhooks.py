"""Webhooks: people have their own programs told what happens to their things, and see whether it arrives."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from core.domain.account import Actor
from core.domain.address import receiver
from core.domain.allowance import Limit, counted, window
from core.domain.errors import KeyReused, NotFound, NothingToDo, TooManyWebhooks
from core.domain.event import EventType, in_order
from core.domain.value import Value
from core.domain.webhook import (
    KEPT,
    LISTED,
    MOST,
    Answer,
    Change,
    Post,
    Secret,
    Webhook,
    headers,
    noted,
    posted,
    shown,
    silenced,
    trial,
    webhook_id,
)
from core.ports.clock import Clock, Ids
from core.ports.posters import Poster
from core.ports.store import Repositories, Store

OFTEN = Limit(times=30, per=timedelta(minutes=1))  # that somebody adds one, tests one, has something sent again
NO_KEY = "the house no longer knows the key of its secret; rotate the secret"


class Opened(Value):
    """A webhook with its secret, which is shown now and never again."""

    webhook: Webhook
    secret: str


@dataclass(frozen=True, kw_only=True)
class Webhooks:
    """Who is told. The first of the `keys` makes new secrets; a `local` house sends to its own machine too."""

    store: Store
    clock: Clock
    ids: Ids
    keys: Mapping[str, bytes] = field(repr=False)
    local: bool = False

    async def list(self, actor: Actor) -> Sequence[Webhook]:
        """The actor's webhooks, the oldest first."""
        found = await self.store.webhooks.of(actor.account)
        return sorted(found, key=lambda one: (one.created_at, one.id))

    async def view(self, actor: Actor, webhook: str) -> Webhook:
        """One of the actor's webhooks.

        Raises:
            NotFound: There is no such webhook of this actor.
        """
        return await _own(self.store, actor, webhook)

    async def create(
        self, actor: Actor, *, url: str, types: Collection[EventType] = (), note: str = "", key: str
    ) -> Opened:
        """Send events of these types, or of all, to an address from now on; asking twice makes one webhook.

        Raises:
            BadValue: Nothing can be sent there, or the note is too long.
            TooManyWebhooks: The actor has enough of them.
            TooOften: That was done often enough for now.
            KeyReused: The key stands for another address.
        """
        made = Webhook(
            id=webhook_id(actor.account, key),
            account=actor.account,
            url=receiver(url, local=self.local),
            types=in_order(types),
            note=noted(note),
            secrets=(self._secret(),),
            created_at=self.clock.now(),
        )

        async def work(tx: Repositories) -> Webhook:
            if known := await tx.webhooks.find(made.id):
                if known.url != made.url:
                    raise KeyReused(key=key)
                return known
            if len(await tx.webhooks.of(actor.account)) >= MOST:
                raise TooManyWebhooks(most=MOST)
            await self._counted(tx, actor)  # two who add one at the same time conflict
            await tx.webhooks.add(made)
            return made

        return self._opened(await self.store.transact(work))

    async def change(
        self, actor: Actor, webhook: str, change: Change, *, expecting: Callable[[Webhook], None] | None = None
    ) -> Webhook:
        """Have it otherwise. One that is turned on again is sent what happens from then on.

        `expecting` looks at it as it is before the change, and raises where that is not what the change was made of.

        Raises:
            NotFound: There is no such webhook of this actor.
            BadValue: Nothing can be sent there, or the note is too long.
        """

        def changed(found: Webhook) -> Webhook:
            if expecting:
                expecting(found)
            return change.applied(found, local=self.local)

        return await self._change(actor, webhook, changed)

    async def rotate(self, actor: Actor, webhook: str) -> Opened:
        """Sign with a new secret; what is sent within a day is signed with the one before too.

        Raises:
            NotFound: There is no such webhook of this actor.
        """
        secret, now = self._secret(), self.clock.now()
        return self._opened(await self._change(actor, webhook, lambda found: found.rotated(secret, now=now)))

    async def delete(self, actor: Actor, webhook: str) -> None:
        """Send nothing there any more, and forget what was sent.

        Raises:
            NotFound: There is no such webhook of this actor.
        """

        async def work(tx: Repositories) -> None:
            found = await _own(tx, actor, webhook)
            await tx.posts.clear(found.id)
            await tx.webhooks.remove(found.id)

        await self.store.transact(work)

    async def posts(self, actor: Actor, webhook: str) -> Sequence[Post]:
        """What was lately sent to a webhook, or is on its way, newest first.

        Raises:
            NotFound: There is no such webhook of this actor.
        """
        return await self.store.posts.of((await _own(self.store, actor, webhook)).id, limit=LISTED)

    async def test(self, actor: Actor, webhook: str) -> Post:
        """Send an event that says nothing, whatever types are wanted.

        Raises:
            NotFound: There is no such webhook of this actor.
            NothingToDo: It is turned off.
            TooOften: That was done often enough for now.
        """
        name, now = self.ids.new(), self.clock.now()

        async def work(tx: Repositories) -> Post:
            found = await self._asked(tx, actor, webhook)
            post = posted(trial(found, now=now), found, name=name)
            await tx.posts.add(post)
            return post

        return await self.store.transact(work)

    async def resend(self, actor: Actor, webhook: str, post: str) -> Post:
        """Send something once more, under the same id: what was given up, or has arrived and was lost there.

        Raises:
            NotFound: There is no such webhook of this actor, or no such post of it.
            NothingToDo: It is turned off, or the post is still on its way.
            TooOften: That was done often enough for now.
        """
        now = self.clock.now()

        async def work(tx: Repositories) -> Post:
            found = await self._asked(tx, actor, webhook)
            known = await tx.posts.find(post)
            if known is None or known.webhook != found.id:
                raise NotFound(noun="post", name=post, hint=f"Posts are kept for {KEPT.days} days.")
            again = known.resent(now=now)
            await tx.posts.save(again)
            return again

        return await self.store.transact(work)

    async def due(self, *, apart_from: Collection[str] = (), limit: int) -> Sequence[Post]:
        """Posts that may be sent now, to all but some webhooks, the longest due first."""
        return await self.store.posts.due(now=self.clock.now(), apart_from=apart_from, limit=limit)

    async def send(self, post: Post, poster: Poster) -> Post | None:
        """Send a post that is due, and keep what came of it; None where another process was faster, or it is gone.

        It is sent at least once: one whose sender dies before the answer is kept is sent again after a minute.
        """
        taken = await self._taken(post)
        if taken is None:
            return None
        webhook, claimed = taken
        return await self._settled(claimed, await self._answer(webhook, claimed, poster))

    async def sweep(self) -> int:
        """Forget what was sent long ago; return how much."""
        return await self.store.posts.forget(before=self.clock.now() - KEPT)

    def _secret(self) -> Secret:
        return Secret(name=self.ids.code(), key=next(iter(self.keys)))

    def _opened(self, webhook: Webhook) -> Opened:
        return Opened(webhook=webhook, secret=shown(webhook.secrets[0].derived(self.keys) or b""))

    async def _asked(self, tx: Repositories, actor: Actor, webhook: str) -> Webhook:
        """The actor's webhook, to which something may be sent by hand."""
        found = await _own(tx, actor, webhook)
        if found.disabled is not None:
            raise NothingToDo(why=f"This webhook is off: {found.disabled}. Turn it on first.")
        await self._counted(tx, actor)
        return found

    async def _counted(self, tx: Repositories, actor: Actor) -> None:
        now = self.clock.now()
        fresh = window(f"webhook:{actor.account}", OFTEN, now=now)
        await tx.allowances.save(counted(await tx.allowances.find(fresh.id) or fresh, OFTEN, now=now))

    async def _change(self, actor: Actor, webhook: str, changed: Callable[[Webhook], Webhook]) -> Webhook:
        async def work(tx: Repositories) -> Webhook:
            after = changed(await _own(tx, actor, webhook))
            await tx.webhooks.save(after)
            return after

        return await self.store.transact(work)

    async def _taken(self, post: Post) -> tuple[Webhook, Post] | None:
        """Claim a post, and say where it goes; what nobody wants any more is given up."""
        now = self.clock.now()

        async def work(tx: Repositories) -> tuple[Webhook, Post] | None:
            webhook = await tx.webhooks.find(post.webhook)
            if await tx.posts.find(post.id) != post or webhook is None:
                return None
            if webhook.disabled is not None:
                await tx.posts.save(post.given_up(f"the webhook is off: {webhook.disabled}"))
                return None
            claimed = post.claimed(now=now)
            await tx.posts.save(claimed)
            return webhook, claimed

        return await self.store.transact(work)

    async def _answer(self, webhook: Webhook, post: Post, poster: Poster) -> Answer:
        now = self.clock.now()
        secrets = [secret for one in webhook.valid(now) if (secret := one.derived(self.keys))]
        if not secrets:
            return Answer(why=NO_KEY)
        body = post.event.body
        return await poster.post(webhook.url, body, headers=headers(post.id, body, secrets, now=now))

    async def _settled(self, claimed: Post, answer: Answer) -> Post | None:
        """Keep what came of an attempt, unless its lease is over and somebody else is at it; tell who is turned off."""
        now = self.clock.now()

        async def work(tx: Repositories) -> Post | None:
            webhook = await tx.webhooks.find(claimed.webhook)
            if await tx.posts.find(claimed.id) != claimed or webhook is None:
                return None
            settled = claimed.answered(answer, now=now)
            await tx.posts.save(settled)
            after = webhook.answered(answer, now=now)
            if after != webhook:
                await tx.webhooks.save(after)
            if after.disabled != webhook.disabled:
                home = (await tx.accounts.get(after.account)).home
                await tx.notices.add(silenced(after, home, name=f"{claimed.id}:{claimed.attempts}", now=now))
            return settled

        return await self.store.transact(work)


async def _own(tx: Repositories, actor: Actor, webhook: str) -> Webhook:
    found = await tx.webhooks.find(webhook)
    if found is None or found.account != actor.account:
        raise NotFound(noun="webhook", name=webhook, hint="See the list of your webhooks.")
    return found
