"""Mendings: what the doctor found is mended at one tap."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, assert_never

from core.domain.account import Actor, Place
from core.domain.caption import CaptionSource, CaptionVersion, caption_text, composed, succeeding
from core.domain.dataset import Dataset, owned
from core.domain.doctor import Fix, incomplete, kept, large, trained, without_bad_lines
from core.domain.errors import NothingToDo
from core.domain.item import Item
from core.domain.job import Job
from core.domain.likeness import copies, lookalikes
from core.kinds import asked_before, captioning, enqueue, mending, validation
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store


class Change(Protocol):
    """What is done at once."""

    async def __call__(self, tx: Repositories, dataset: Dataset, *, now: datetime) -> Dataset:
        """Change what belongs to a dataset, and return it as it is then."""
        ...


@dataclass(frozen=True, kw_only=True)
class Mendings:
    """What follows from findings. Whatever changes items has the doctor look again."""

    store: Store
    clock: Clock
    ids: Ids

    async def preview(self, actor: Actor, dataset: Dataset, fix: Fix) -> Sequence[Item]:
        """The pictures that a fix would drop, by their place; none where it drops nothing.

        Raises:
            NotFound: There is no such dataset of this actor.
        """
        found = owned(await self.store.datasets.find(dataset.id), actor, name=dataset.name)
        return _superfluous(found, await self.store.items.of(found.id), fix)

    async def mend(self, actor: Actor, dataset: Dataset, fix: Fix, *, place: Place, key: str) -> Job | Dataset:
        """Mend something: the job that does it, or that looks again afterwards; else the dataset as it is now.

        Raises:
            NotFound: There is no such dataset of this actor.
            NothingToDo: There is nothing (any more) that would be mended so.
            BadValue: A caption would become too long.
            KeyReused: The key stands for another request.
        """
        match fix:
            case Fix.DROP_EXACT | Fix.DROP_NEAR:
                return await self._drop(actor, dataset, fix, place=place, key=key)
            case Fix.RESIZE | Fix.ROLES:
                return await self._order(actor, dataset, fix, place=place, key=key)
            case Fix.KEEP_NEAR:
                return await self._at_once(actor, dataset, _keep)
            case Fix.COMPOSE:
                return await self._at_once(actor, dataset, _compose)
            case Fix.WITHOUT_BAD_LINES:
                return await self._at_once(actor, dataset, _go_on)
            case _:
                assert_never(fix)

    async def _drop(self, actor: Actor, dataset: Dataset, fix: Fix, *, place: Place, key: str) -> Job | Dataset:
        now = self.clock.now()
        job = validation.looking(dataset, id=self.ids.new(), key=key, now=now)

        async def work(tx: Repositories) -> Job | Dataset:
            if again := await asked_before(tx, job):
                return again
            current = await _owned(tx, actor, dataset)
            items = _superfluous(current, await tx.items.of(current.id), fix)
            _require(current, items)
            left = await mending.dropped(tx, current, items, ids=self.ids, now=now, place=place, key=key)
            return await tx.jobs.keyed(key) or left

        return await self.store.transact(work)

    async def _order(self, actor: Actor, dataset: Dataset, fix: Fix, *, place: Place, key: str) -> Job:
        job = mending.mending(dataset, fix, id=self.ids.new(), key=key, now=self.clock.now())

        async def work(tx: Repositories) -> Job:
            if again := await asked_before(tx, job):
                return again
            current = await _owned(tx, actor, dataset)
            pictures = large(trained(await tx.items.of(current.id)))
            parts = [part for part in await tx.parts.of(current.id) if part.facts.faults]
            _require(current, pictures if fix is Fix.RESIZE else parts)
            return await enqueue(tx, mending.Payload(dataset=current.id, fix=fix), job=job, place=place)

        return await self.store.transact(work)

    async def _at_once(self, actor: Actor, dataset: Dataset, change: Change) -> Dataset:
        async def work(tx: Repositories) -> Dataset:
            return await change(tx, await _owned(tx, actor, dataset), now=self.clock.now())

        return await self.store.transact(work)


async def _owned(tx: Repositories, actor: Actor, dataset: Dataset) -> Dataset:
    return owned(await tx.datasets.find(dataset.id), actor, name=dataset.name)


async def _keep(tx: Repositories, dataset: Dataset, *, now: datetime) -> Dataset:
    """Let all that look alike stay."""
    items = await tx.items.of(dataset.id)
    _require(dataset, _superfluous(dataset, items, Fix.DROP_NEAR))
    await tx.references.forget(*([dataset.pairs.sha256] if dataset.pairs else []))
    return await _saved(tx, kept(dataset.but(pairs=None), items, now=now))


async def _compose(tx: Repositories, dataset: Dataset, *, now: datetime) -> Dataset:
    """Say the trigger word and what else has to be said in the captions where something of it is missing."""
    items, phrases = await tx.items.of(dataset.id), await validation.phrases(tx, dataset)
    wrong = incomplete(dataset, trained(items), (dataset.trigger, *phrases))
    _require(dataset, wrong)
    told = [_composed(dataset, item, phrases, now=now) for item in wrong]
    return await captioning.written(tx, dataset, items, told, now=now)


async def _go_on(tx: Repositories, dataset: Dataset, *, now: datetime) -> Dataset:
    """Forget about lines that did not come in."""
    _require(dataset, dataset.errors)
    return await _saved(tx, without_bad_lines(dataset, now=now))


async def _saved(tx: Repositories, dataset: Dataset) -> Dataset:
    await tx.datasets.save(dataset)
    return dataset


def _superfluous(dataset: Dataset, items: Sequence[Item], fix: Fix) -> Sequence[Item]:
    """The items that a fix would drop, by their place."""
    match fix:
        case Fix.DROP_EXACT:
            return copies(dataset, trained(items))
        case Fix.DROP_NEAR:
            worse = [item for _, item in lookalikes(trained(items), kept=dataset.kept)]
            return sorted(worse, key=lambda item: item.position)
        case _:
            return ()


def _composed(dataset: Dataset, item: Item, phrases: Sequence[str], *, now: datetime) -> CaptionVersion:
    """The next version of a caption, with the trigger word and what has to be said first."""
    old = item.captions[dataset.default_set]
    return succeeding(
        old,
        item=item.id,
        text=caption_text(composed(dataset.trigger, traits=phrases, scene=old.text)),
        author=dataset.owner,
        source=CaptionSource.BULK,
        now=now,
        set=dataset.default_set,
    )


def _require(dataset: Dataset, wrong: Sequence[object]) -> None:
    """Let a fix pass that mends something.

    Raises:
        NothingToDo: It does not.
    """
    if not wrong:
        raise NothingToDo(why=f"Nothing in «{dataset.name}» has to be mended so. See `dataset view '{dataset.name}'`.")
