"""Datasets: bundling pictures, letting the doctor look, deleting."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.account import Actor, Place
from core.domain.artifact import Artifact
from core.domain.dataset import Dataset, Item, dataset_name, owned, seen
from core.domain.errors import NameTaken, NothingToDo
from core.domain.job import Job, asked
from core.domain.rating import Rating
from core.domain.trigger import folded, guarded
from core.domain.upload import LIMIT
from core.domain.value import Value
from core.kinds import asked_before, enqueue, intake, validation
from core.ports.blobs import Blobs
from core.ports.clock import Clock, Ids
from core.ports.sources import Source, Stored
from core.ports.store import PAGE, Repositories, Store


class DatasetView(Value):
    """A dataset with its items."""

    dataset: Dataset
    items: tuple[Item, ...]


@dataclass(frozen=True, kw_only=True)
class Datasets:
    """What creators do before they pay."""

    store: Store
    blobs: Blobs
    clock: Clock
    ids: Ids

    async def create(self, actor: Actor, *, name: str, trigger: str, rating: Rating = Rating.SFW) -> Dataset:
        """Open an empty dataset; its rating is that of everything made of it.

        Raises:
            BadValue: The name cannot be one.
            BadTrigger: The trigger word cannot be one.
            NameTaken: The actor has a dataset of this name.
        """
        now = self.clock.now()
        wished = dataset_name(name)
        dataset = Dataset(
            id=self.ids.new(),
            owner=actor.account,
            name=wished,
            folded=folded(wished),
            trigger=guarded(trigger),
            rating=rating,
            created_at=now,
            updated_at=now,
        )

        async def work(tx: Repositories) -> None:
            if await tx.datasets.named(actor.account, dataset.folded):
                raise NameTaken(noun="dataset", name=dataset.name)
            await tx.datasets.add(dataset)

        await self.store.transact(work)
        return dataset

    async def add(self, actor: Actor, dataset: Dataset, sources: Sequence[Source], *, place: Place, key: str) -> Job:
        """Take files in: their bytes durably first, then, in one transaction, the job that looks into them.

        Raises:
            NothingToDo: There is no file.
            NotFound: There is no such dataset for this actor.
            KeyReused: The key stands for another request.
            FileTooLarge, FileUnreadable: A file does not come in; nothing is changed.
        """
        if not sources:
            raise NothingToDo(why="No file was given. Name pictures or a zip of pictures to add.")
        job = intake.incoming(dataset, len(sources), id=self.ids.new(), key=key, now=self.clock.now())
        if known := await asked_before(self.store, job):
            return known
        await _owned(self.store, actor, dataset.id)
        files = tuple([await self._stored(source) for source in sources])
        now = self.clock.now()
        payload = intake.Payload(dataset=dataset.id, files=files)

        async def work(tx: Repositories) -> Job:
            if again := await asked_before(tx, job):
                return again
            current = await _owned(tx, actor, dataset.id)
            await tx.references.refer(*(file.sha256 for file in files))
            await tx.datasets.save(current.uploading(now=now))
            return await enqueue(tx, payload, job=job, place=place)

        return await self.store.transact(work)

    async def check(self, actor: Actor, dataset: Dataset, *, place: Place, key: str) -> Job:
        """Let the doctor read every stored picture again.

        Raises:
            DatasetEmpty: There is nothing to look at.
            NotFound: There is no such dataset for this actor.
            KeyReused: The key stands for another request.
        """
        now = self.clock.now()
        title = f"{dataset.name} · the doctor looks"
        job = asked(
            "validation", id=self.ids.new(), key=key, owner=dataset.owner, subject=dataset.id, title=title, now=now
        )

        async def work(tx: Repositories) -> Job:
            if again := await asked_before(tx, job):
                return again
            current = await _owned(tx, actor, dataset.id)
            await tx.datasets.save(current.validating(now=now))
            return await enqueue(tx, validation.Payload(dataset=current.id), job=job, place=place)

        return await self.store.transact(work)

    async def list(self, actor: Actor, *, text: str = "", after: str = "", limit: int = PAGE) -> Sequence[Dataset]:
        """The actor's datasets whose name contains the text, by name."""
        return await self.store.datasets.owned(actor.account, text=folded(text), after=folded(after), limit=limit)

    async def view(self, actor: Actor, dataset: str) -> DatasetView:
        """A dataset with its items.

        Raises:
            NotFound: There is no such dataset for this actor.
        """
        found = seen(await self.store.datasets.find(dataset), actor, name=dataset)
        return DatasetView(dataset=found, items=tuple(await self.store.items.of(dataset)))

    async def items(self, dataset: str) -> Sequence[Item]:
        """The items of a dataset, for a worker, whoever owns it."""
        return await self.store.items.of(dataset)

    async def rating(self, dataset: str) -> Rating:
        """Who the pictures of a dataset are for; a worker asks."""
        return (await self.store.datasets.get(dataset)).rating

    async def delete(self, actor: Actor, dataset: Dataset) -> Dataset:
        """Put a dataset out of sight; jobs that were ordered go on from their snapshots."""

        async def work(tx: Repositories) -> Dataset:
            gone = (await _owned(tx, actor, dataset.id)).deleted(now=self.clock.now())
            await tx.datasets.save(gone)
            return gone

        return await self.store.transact(work)

    async def _stored(self, source: Source) -> Artifact:
        if isinstance(source, Stored):
            return source.artifact
        async with source.open() as chunks:
            blob = await self.blobs.put(chunks, name=source.name, limit=LIMIT)
        return Artifact(name=source.name, sha256=blob.id, size=blob.size, media_type="application/octet-stream")


async def _owned(tx: Repositories, actor: Actor, dataset: str) -> Dataset:
    return owned(await tx.datasets.find(dataset), actor, name=dataset)
