"""Datasets: bundling files, letting the doctor look, describing, deleting."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.domain.account import Actor, Place
from core.domain.conversation import Part
from core.domain.dataset import Dataset, Scope, Status, dataset_name, owned, seen
from core.domain.doctor import recaptioned
from core.domain.errors import NameTaken, NotAdult
from core.domain.item import Item
from core.domain.job import Job
from core.domain.minors import require_fit
from core.domain.quota import Quota, Usage
from core.domain.rating import Rating
from core.domain.trigger import folded, guarded
from core.domain.upload import Upload
from core.domain.value import Value
from core.kinds import asked_before, enqueue, used, validation
from core.ports.clock import Clock, Ids
from core.ports.store import PAGE, Repositories, Store


class DatasetView(Value):
    """A dataset with its pictures, or the parts of its conversations.

    With it come the name of who is depicted, and the uploads that the actor has begun and may go on with.
    """

    dataset: Dataset
    items: tuple[Item, ...]
    parts: tuple[Part, ...] = ()
    character: str = ""
    uploads: tuple[Upload, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Datasets:
    """What creators do before they pay. `quota` is how much each of them may store."""

    store: Store
    clock: Clock
    ids: Ids
    quota: Quota

    async def create(self, actor: Actor, *, name: str, trigger: str, rating: Rating = Rating.SFW) -> Dataset:
        """Open an empty dataset; its rating is that of everything made of it.

        It belongs to the actor's character of this trigger word, where there is one.

        Raises:
            BadValue: The name cannot be one.
            BadTrigger: The trigger word cannot be one.
            NameTaken: The actor has a dataset of this name.
            CharacterInactive: The character was put aside.
            MinorsGuarded: Words of young age stand where they may not.
            NotAdult, CharacterNotAdult: It is for adults, and may not be.
        """
        now = self.clock.now()
        wished = dataset_name(name)
        opened = Dataset(
            id=self.ids.new(),
            owner=actor.account,
            name=wished,
            folded=folded(wished),
            trigger=guarded(trigger),
            rating=rating,
            created_at=now,
            updated_at=now,
        )

        async def work(tx: Repositories) -> Dataset:
            character = await tx.characters.triggered(actor.account, opened.trigger)
            if character:
                character.require_active()
            dataset = opened.but(character=character.id if character else None)
            await _require_free(tx, dataset)
            await _require_fit(tx, actor, dataset)
            await tx.datasets.add(dataset)
            return dataset

        return await self.store.transact(work)

    async def check(self, actor: Actor, dataset: Dataset, *, place: Place, key: str) -> Job:
        """Let the doctor read every stored picture again.

        Raises:
            DatasetEmpty: There is nothing to look at.
            NotFound: There is no such dataset for this actor.
            KeyReused: The key stands for another request.
        """
        now = self.clock.now()
        job = validation.looking(dataset, id=self.ids.new(), key=key, now=now)

        async def work(tx: Repositories) -> Job:
            if again := await asked_before(tx, job):
                return again
            current = await _owned(tx, actor, dataset.id)
            await tx.datasets.save(current.validating(now=now))
            return await enqueue(tx, validation.Payload(dataset=current.id, deep=True), job=job, place=place)

        return await self.store.transact(work)

    async def list(
        self,
        actor: Actor,
        *,
        scope: Scope = Scope.MINE,
        text: str = "",
        status: Status | None = None,
        tag: str | None = None,
        adult: bool = True,
        after: str = "",
        skip: int = 0,
        limit: int = PAGE,
    ) -> Sequence[Dataset]:
        """Datasets whose name contains the text: the actor's by name, from after a name on, or those of a scope.

        Those of others that are for adults are left out unless `adult`; the first `skip` of all are passed over.
        """
        return await self.store.datasets.listed(
            actor.account,
            scope,
            text=folded(text),
            status=status,
            tag=tag,
            ratings=_ratings(scope, adult=adult),
            after=folded(after),
            skip=skip,
            limit=limit,
        )

    async def count(
        self,
        actor: Actor,
        *,
        scope: Scope = Scope.MINE,
        text: str = "",
        status: Status | None = None,
        tag: str | None = None,
        adult: bool = True,
    ) -> int:
        """How many there are to list."""
        return await self.store.datasets.counted(
            actor.account, scope, text=folded(text), status=status, tag=tag, ratings=_ratings(scope, adult=adult)
        )

    async def seen(self, actor: Actor, dataset: str) -> Dataset:
        """A dataset without its items.

        Raises:
            NotFound: There is no such dataset for this actor.
        """
        return seen(await self.store.datasets.find(dataset), actor, name=dataset)

    async def view(self, actor: Actor, dataset: str) -> DatasetView:
        """A dataset with what is in it.

        Raises:
            NotFound: There is no such dataset for this actor.
        """
        found = await self.seen(actor, dataset)
        character = await self.store.characters.find(found.character) if found.character else None
        begun = await self.store.uploads.open_for(dataset, now=self.clock.now())
        return DatasetView(
            dataset=found,
            items=tuple(await self.store.items.of(dataset)),
            parts=tuple(await self.store.parts.of(dataset)),
            character=character.name if character else "",
            uploads=tuple(upload for upload in begun if upload.account == actor.account and upload.files),
        )

    async def items(self, dataset: str) -> Sequence[Item]:
        """The items of a dataset, for a worker, whoever owns it."""
        return await self.store.items.of(dataset)

    async def parts(self, dataset: str) -> Sequence[Part]:
        """The parts of a dataset of conversations, for a worker, whoever owns it."""
        return await self.store.parts.of(dataset)

    async def known(self, dataset: str) -> Dataset:
        """A dataset, for a worker, whoever owns it."""
        return await self.store.datasets.get(dataset)

    async def room(self, dataset: str) -> Usage:
        """How much the owner of a dataset may still store, for a worker."""
        owner = (await self.known(dataset)).owner
        return self.quota.room(await used(self.store, owner, now=self.clock.now()))

    async def usage(self, actor: Actor) -> Usage:
        """How much the actor stores, or has announced; what lies in the bin counts too."""
        return await used(self.store, actor.account, now=self.clock.now())

    async def edit(
        self,
        actor: Actor,
        dataset: str,
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Sequence[str] | None = None,
        constraints: Sequence[str] | None = None,
        rating: Rating | None = None,
        expecting: Callable[[Dataset], None] | None = None,
    ) -> Dataset:
        """Call, describe or rate a dataset otherwise; what is not named stays.

        `expecting` looks at it as it is before the change, and raises where that is not what the change was made of.

        Raises:
            NotFound: There is no such dataset of this actor.
            BadValue: One of them cannot be so.
            NameTaken: The actor has another dataset of this name.
            RatingKept: What came in for adults does not become something for everyone.
            MinorsGuarded: Words of young age stand where they may not.
            NotAdult, CharacterNotAdult: It is for adults, and may not be.
        """
        now = self.clock.now()
        if rating is Rating.NSFW:
            captions = [one.text for item in await self.items(dataset) for one in item.captions.values()]
            await asyncio.to_thread(require_fit, *captions, rating=rating)

        async def work(tx: Repositories) -> Dataset:
            found = await _owned(tx, actor, dataset)
            if expecting:
                expecting(found)
            edited = found.edited(name=name, description=description, tags=tags, constraints=constraints, now=now)
            edited = edited.rated(rating or found.rating, now=now)
            await _require_free(tx, edited)
            await _require_fit(tx, actor, edited)
            if edited.constraints != found.constraints:
                words = await validation.phrases(tx, edited)
                edited = recaptioned(edited, await tx.items.of(dataset), phrases=words, now=now)
            await tx.datasets.save(edited)
            return edited

        return await self.store.transact(work)

    async def delete(self, actor: Actor, dataset: Dataset) -> Dataset:
        """Put a dataset out of sight; jobs that were ordered go on from their snapshots.

        Raises:
            NotFound: There is no such dataset of this actor.
        """
        now = self.clock.now()

        async def work(tx: Repositories) -> Dataset:
            gone = (await _owned(tx, actor, dataset.id)).deleted(now=now)
            await tx.datasets.save(gone)
            return gone

        return await self.store.transact(work)


def _ratings(scope: Scope, *, adult: bool) -> tuple[Rating, ...]:
    """Which are listed of a scope: of one's own all."""
    return tuple(Rating) if adult or scope in {Scope.MINE, Scope.DELETED} else (Rating.SFW,)


async def _owned(tx: Repositories, actor: Actor, dataset: str) -> Dataset:
    return owned(await tx.datasets.find(dataset), actor, name=dataset)


async def _require_free(tx: Repositories, dataset: Dataset) -> None:
    known = await tx.datasets.named(dataset.owner, dataset.folded)
    if known and known.id != dataset.id:
        raise NameTaken(noun="dataset", name=dataset.name)


async def _require_fit(tx: Repositories, actor: Actor, dataset: Dataset) -> None:
    """Let a dataset pass by its words, and where it is for adults by its owner and by who is depicted.

    Raises:
        MinorsGuarded: Words of young age stand where they may not.
        NotAdult: No moderator has verified the actor.
        CharacterNotAdult: Nobody has attested that the character is of age.
    """
    words = (dataset.name, dataset.trigger, dataset.description, *dataset.tags, *dataset.constraints)
    require_fit(*words, rating=dataset.rating)
    if dataset.rating is Rating.NSFW and not actor.adult:
        raise NotAdult
    if character := await tx.characters.find(dataset.character) if dataset.character else None:
        character.require_adult_for(dataset.rating)
