"""Intakes: files on their way into a dataset, their bytes first, then the job that looks into them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from core.domain.account import Actor, Place
from core.domain.artifact import Artifact
from core.domain.dataset import Dataset, owned
from core.domain.errors import BadValue, FileTooLarge, NothingToDo, UploadFull
from core.domain.job import Job
from core.domain.quota import Quota, Usage
from core.domain.upload import FILES, LIMIT, file_name
from core.kinds import asked_before, enqueue, intake, used
from core.ports.blobs import Blobs
from core.ports.clock import Clock, Ids
from core.ports.sources import Source, Stored
from core.ports.store import Repositories, Store

RAW = "application/octet-stream"


@dataclass(frozen=True, kw_only=True)
class Intakes:
    """How files come in. `quota` is how much each person may store."""

    store: Store
    blobs: Blobs
    clock: Clock
    ids: Ids
    quota: Quota

    async def add(
        self,
        actor: Actor,
        dataset: Dataset,
        sources: Sequence[Source],
        *,
        links: Sequence[str] = (),
        place: Place,
        key: str,
    ) -> Job:
        """Take files in: their bytes durably first, then, in one transaction, the job that looks, and fetches links.

        Raises:
            NothingToDo: There is no file, and no link.
            NotFound: There is no such dataset for this actor.
            KeyReused: The key stands for another request.
            FileTooLarge, FileUnreadable, QuotaFull: Something does not come in; no row is changed.
        """
        if not sources and not links:
            raise NothingToDo(why="No file was given. Name pictures, conversations (JSONL) or a zip to add.")
        job = self._incoming(dataset, len(sources) + len(links), key=key)
        if known := await asked_before(self.store, job):
            return known
        await _owned(self.store, actor, dataset.id)
        await self._require_room(self.store, actor, sum(source.size or 0 for source in sources))
        files = tuple([await self._stored(source, limit=LIMIT) for source in sources])
        payload = intake.Payload(dataset=dataset.id, files=files, links=tuple(links))
        return await self._begun(actor, payload, job=job, place=place)

    async def receive(
        self,
        actor: Actor,
        dataset: Dataset,
        sources: AsyncIterator[Source],
        *,
        announced: int | None,
        place: Place,
        key: str,
    ) -> Job:
        """Take in what comes one after the other, of so many bytes in all where that is known.

        Where it breaks off, nothing has come.

        Raises:
            NothingToDo: There is no file.
            NotFound: There is no such dataset for this actor.
            BadValue: A file's name cannot be one, or there are too many.
            FileTooLarge, UploadFull, QuotaFull: It does not fit.
        """
        await _owned(self.store, actor, dataset.id)
        await self._require_room(self.store, actor, announced or 0)
        files: list[Artifact] = []
        try:
            async for source in sources:
                files.append(await self._following(source, files))
                await self._require_room(self.store, actor, sum(file.size for file in files))
            payload = intake.Payload(dataset=dataset.id, files=tuple(files))
            return await self._begun(actor, payload, job=self._incoming(dataset, len(files), key=key), place=place)
        except BaseException:
            await asyncio.shield(self.blobs.discard(*(file.sha256 for file in files)))
            raise

    def _incoming(self, dataset: Dataset, count: int, *, key: str) -> Job:
        return intake.incoming(dataset, count, id=self.ids.new(), key=key, now=self.clock.now())

    async def _begun(self, actor: Actor, payload: intake.Payload, *, job: Job, place: Place) -> Job:
        if not payload.files and not payload.links:
            raise NothingToDo(why="No file was sent.")

        async def work(tx: Repositories) -> Job:
            if again := await asked_before(tx, job):
                return again
            current = await _owned(tx, actor, payload.dataset)
            await self._require_room(tx, actor, sum(file.size for file in payload.files))
            await tx.references.refer(*(file.sha256 for file in payload.files))
            await tx.datasets.save(current.uploading(now=job.created_at))
            return await enqueue(tx, payload, job=job, place=place)

        return await self.store.transact(work)

    async def _require_room(self, tx: Repositories, actor: Actor, more: int) -> None:
        """Let so many bytes more come in, and at least one item.

        Raises:
            QuotaFull: The actor stores too much with them.
        """
        self.quota.require(await used(tx, actor.account, now=self.clock.now()), Usage(bytes=more, items=1))

    async def _following(self, source: Source, before: Sequence[Artifact]) -> Artifact:
        """The next file of a request, after those that came before it."""
        name = file_name(source.name)
        if len(before) >= FILES:
            raise BadValue(what="file", value=name, why=f"one request takes {FILES} files; zip them")
        try:
            return await self._stored(source, limit=LIMIT - sum(file.size for file in before))
        except FileTooLarge as error:
            raise UploadFull(name=name, limit=LIMIT // 2**20) if before else error from error

    async def _stored(self, source: Source, *, limit: int) -> Artifact:
        if isinstance(source, Stored):
            return source.artifact
        async with source.open() as chunks:
            blob = await self.blobs.put(chunks, name=source.name, limit=limit)
        return Artifact(name=source.name, sha256=blob.id, size=blob.size, media_type=RAW)


async def _owned(tx: Repositories, actor: Actor, dataset: str) -> Dataset:
    return owned(await tx.datasets.find(dataset), actor, name=dataset)
