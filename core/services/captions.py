"""Captions: have them written, or write one by hand."""

from dataclasses import dataclass

from core.domain.account import Actor, Place
from core.domain.caption import CaptionMode, CaptionSource, succeeding
from core.domain.dataset import Dataset, Item, owned
from core.domain.doctor import recaptioned
from core.domain.errors import BadValue, DatasetEmpty, NothingToDo
from core.domain.job import Job, asked
from core.kinds import asked_before, captioning, enqueue
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store

LENGTH = 1000


@dataclass(frozen=True, kw_only=True)
class Captions:
    """The texts that a model learns from. `captioner` is the one that settings choose."""

    store: Store
    clock: Clock
    ids: Ids
    captioner: str

    async def auto(self, actor: Actor, dataset: Dataset, *, mode: CaptionMode, place: Place, key: str) -> Job:
        """Have every picture described, trigger word first.

        Raises:
            DatasetEmpty: There is no picture.
            NothingToDo: Every picture has a caption and the mode leaves those alone.
            NotFound: There is no such dataset for this actor.
            KeyReused: The key stands for another request.
        """
        owned(dataset, actor, name=dataset.id)
        items = await self.store.items.of(dataset.id)
        if not items:
            raise DatasetEmpty(name=dataset.name)
        if mode is CaptionMode.IGNORE and all(item.caption for item in items):
            raise NothingToDo(
                why=f"Every picture of «{dataset.name}» has a caption. "
                f"To write them anew: `caption auto {dataset.name} overwrite`."
            )
        job = asked(
            "captioning",
            id=self.ids.new(),
            key=key,
            owner=actor.account,
            subject=dataset.id,
            title=f"{dataset.name} · captions",
            now=self.clock.now(),
        )
        payload = captioning.Payload(dataset=dataset.id, captioner=self.captioner, mode=mode)

        async def work(tx: Repositories) -> Job:
            owned(await tx.datasets.find(dataset.id), actor, name=dataset.id)
            return await asked_before(tx, job) or await enqueue(tx, payload, job=job, place=place)

        return await self.store.transact(work)

    async def edit(self, actor: Actor, item: Item, *, text: str) -> Item:
        """Write one caption by hand, as a new version.

        Raises:
            BadValue: Nothing is left of the text, or too much.
            NotFound: There is no such dataset for this actor.
        """
        line = " ".join(text.split())
        if not line or len(line) > LENGTH:
            raise BadValue(what="caption", value=line[:40], why=f"it takes 1 to {LENGTH} characters")

        async def work(tx: Repositories) -> Item:
            now = self.clock.now()
            dataset = owned(await tx.datasets.find(item.dataset), actor, name=item.dataset)
            current = await tx.items.get(item.id)
            author, source = actor.account, CaptionSource.HAND
            version = succeeding(current.caption, item=item.id, text=line, author=author, source=source, now=now)
            await tx.captions.add(version)
            await tx.items.save(current.but(caption=version))
            await tx.datasets.save(recaptioned(dataset, await tx.items.of(dataset.id), now=now))
            return current.but(caption=version)

        return await self.store.transact(work)
