"""Purges: much is deleted at once, what was deleted comes back, or goes for good and makes room."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.account import Actor, Place
from core.domain.dataset import Dataset, Scope, Status, owned
from core.domain.errors import NotFound, Outdated, Suspended
from core.domain.purge import digest, free_name
from core.domain.report import ReportState
from core.domain.trigger import folded
from core.domain.value import Value
from core.kinds import purged
from core.kinds.mending import dropped
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store


class Selection(Value):
    """Datasets that were chosen, and what was chosen besides and is not there: by name where it lies in the bin."""

    datasets: tuple[Dataset, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Purges:
    """The bin: what lies in it for `retention_days` is purged."""

    store: Store
    clock: Clock
    ids: Ids
    retention_days: int

    async def remove(self, actor: Actor, dataset: str, pictures: Collection[str], *, place: Place, key: str) -> Dataset:
        """Take pictures, by id, out of a dataset for good, and have the doctor look; what is gone already stays so.

        Raises:
            NotFound: There is no such dataset of this actor.
        """
        now, wished = self.clock.now(), frozenset(pictures)

        async def work(tx: Repositories) -> Dataset:
            found = owned(await tx.datasets.find(dataset), actor, name=dataset)
            gone = [item for item in await tx.items.of(dataset) if item.id in wished]
            return await dropped(tx, found, gone, ids=self.ids, now=now, place=place, key=key) if gone else found

        return await self.store.transact(work)

    async def selected(
        self, actor: Actor, *, text: str = "", status: Status | None = None, tag: str | None = None
    ) -> Sequence[Dataset]:
        """The actor's datasets that all fit, to be looked at before they are deleted."""
        return await _selected(self.store, actor, text=text, status=status, tag=tag)

    async def delete_all(
        self, actor: Actor, *, seen: str, text: str = "", status: Status | None = None, tag: str | None = None
    ) -> Sequence[Dataset]:
        """Delete the actor's datasets that all fit; `seen` is the digest of those that were looked at.

        Raises:
            Outdated: By now they are others.
        """
        now = self.clock.now()

        async def work(tx: Repositories) -> Sequence[Dataset]:
            found = await _selected(tx, actor, text=text, status=status, tag=tag)
            if digest(found) != seen:
                raise Outdated(what="The selection")
            gone = [dataset.deleted(now=now) for dataset in found]
            await tx.datasets.save_all(gone)
            return gone

        return await self.store.transact(work)

    async def chosen(self, actor: Actor, names: Collection[str]) -> Selection:
        """The actor's datasets of these ids, to be looked at before they are deleted."""
        return await _chosen(self.store, actor, names)

    async def delete_chosen(self, actor: Actor, names: Collection[str]) -> Selection:
        """Delete the actor's datasets of these ids; what is not there any more is named, and stops nothing."""
        now = self.clock.now()

        async def work(tx: Repositories) -> Selection:
            found = await _chosen(tx, actor, names)
            await tx.datasets.save_all([dataset.deleted(now=now) for dataset in found.datasets])
            return found

        return await self.store.transact(work)

    async def restore(self, actor: Actor, dataset: str) -> Dataset:
        """Take a dataset out of the bin; where another has its name by now, it gets a number.

        Raises:
            NotFound: There is no such dataset in the actor's bin.
        """
        now = self.clock.now()

        async def work(tx: Repositories) -> Dataset:
            found = _binned(await tx.datasets.find(dataset), actor, name=dataset)
            taken = {one.folded for one in await tx.datasets.owned(actor.account, limit=0)}
            character = await tx.characters.find(found.character) if found.character else None
            depicted = character.id if character and not character.deleted_at else None
            back = found.restored(free_name(found.name, taken), now=now).but(character=depicted)
            await tx.datasets.save(back)
            return back

        return await self.store.transact(work)

    async def purge(self, actor: Actor, dataset: str) -> Dataset:
        """Let go of a deleted dataset for good, and return it as it was; a large one goes bit by bit, out of sight.

        Raises:
            NotFound: There is no such dataset in the actor's bin.
            Suspended: Somebody has reported it, and no moderator has looked at that yet.
        """
        now = self.clock.now()

        async def work(tx: Repositories) -> Dataset:
            found = _binned(await tx.datasets.find(dataset), actor, name=dataset)
            if await _disputed(tx, found):
                raise Suspended(what=f"Dataset «{found.name}»")
            await purged(tx, found, now=now)
            return found

        return await self.store.transact(work)

    async def purge_all(self, actor: Actor, *, seen: str) -> Sequence[Dataset]:
        """Let go of everything in the actor's bin for good, unless a report of it waits, and return what went.

        `seen` is the digest of what was looked at.

        Raises:
            Outdated: By now there is something else in it.
        """
        found = await self.store.datasets.listed(actor.account, Scope.DELETED, limit=0)
        if digest(found) != seen:
            raise Outdated(what="Your bin")
        free = [dataset for dataset in found if not await _disputed(self.store, dataset)]
        return [await self.purge(actor, dataset.id) for dataset in free]

    async def sweep(self) -> int:
        """Purge what has lain in a bin for long enough, and complete what waited for a job; return how many went."""
        now = self.clock.now()
        before = now - timedelta(days=self.retention_days)
        count = 0
        for dataset in await self.store.datasets.purgeable(before=before):
            count += await self._swept(dataset.id, before=before, now=now)
        return count

    async def _swept(self, dataset: str, *, before: datetime, now: datetime) -> bool:
        async def work(tx: Repositories) -> bool:
            found = await tx.datasets.find(dataset)
            if found is None or found.deleted_at is None or not (found.purged_at or found.deleted_at < before):
                return False
            return not await _disputed(tx, found) and await purged(tx, found, now=now)

        while await self.store.transact(work):
            pass
        return await self.store.datasets.find(dataset) is None


def _binned(found: Dataset | None, actor: Actor, *, name: str) -> Dataset:
    """The dataset, where it lies in this actor's bin.

    Raises:
        NotFound: It does not.
    """
    if found is None or found.owner != actor.account or found.deleted_at is None or found.purged_at:
        raise NotFound(noun="deleted dataset", name=name, hint="See `dataset list scope=deleted`.")
    return found


async def _disputed(tx: Repositories, dataset: Dataset) -> bool:
    """Whether a moderator has yet to look at a report of it: until then it shows what was trained on."""
    if dataset.suspended is None:
        return False
    return any(report.state is ReportState.OPEN for report in await tx.reports.about(dataset.id))


async def _selected(
    tx: Repositories, actor: Actor, *, text: str, status: Status | None, tag: str | None
) -> Sequence[Dataset]:
    wanted = folded(text)
    return await tx.datasets.listed(actor.account, Scope.MINE, text=wanted, status=status, tag=tag, limit=0)


async def _chosen(tx: Repositories, actor: Actor, names: Collection[str]) -> Selection:
    own = [one for one in await tx.datasets.several(set(names)) if one.owner == actor.account]
    living = sorted((one for one in own if not one.deleted_at), key=lambda one: one.folded)
    called = {one.id: one.name for one in own}
    missing = sorted(called.get(name, name) for name in set(names) - {one.id for one in living})
    return Selection(datasets=tuple(living), missing=tuple(missing))
