"""Exports: a dataset as one file, for whoever may use it."""

from dataclasses import dataclass

from core.domain.account import Actor, Place
from core.domain.connection import Provider, connection_id
from core.domain.conversation import Part
from core.domain.dataset import Dataset, seen
from core.domain.errors import DatasetEmpty, NotConnected, NotFound
from core.domain.export import Export, Format, chosen
from core.domain.item import Item
from core.domain.job import Job, asked
from core.domain.value import Value
from core.kinds import asked_before, enqueue, export
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store


class Manifest(Value):
    """What goes into an export: the items of a dataset that may leave the house, in order."""

    dataset: Dataset
    items: tuple[Item, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True)
class Exports:
    """Datasets on their way out."""

    store: Store
    clock: Clock
    ids: Ids

    async def order(
        self,
        actor: Actor,
        dataset: Dataset,
        *,
        wished: Format | None,
        place: Place,
        key: str,
        provider: Provider | None = None,
    ) -> Job:
        """Have a dataset put into one file, and that into the actor's own cloud folder where there is a provider.

        Raises:
            NotFound: There is no such dataset for this actor.
            DatasetEmpty: There is nothing in it.
            BadValue: The format is for datasets of another kind.
            NotConnected: The actor has no such folder.
            KeyReused: The key stands for another request.
        """

        async def work(tx: Repositories) -> Job:
            found = _leaving(await tx.datasets.find(dataset.id), actor, name=dataset.name)
            form = chosen(found, wished)
            if provider:
                await _require_connected(tx, actor, provider)
            job = asked(
                "export",
                id=self.ids.new(),
                key=key,
                owner=actor.account,
                subject=found.id,
                title=f"{found.name} · export as {form}",
                now=self.clock.now(),
            )
            payload = export.Payload(dataset=found.id, format=form, provider=provider or "")
            return await asked_before(tx, job) or await enqueue(tx, payload, job=job, place=place)

        return await self.store.transact(work)

    async def manifest(self, dataset: str, *, owner: str) -> Manifest:
        """What goes into somebody's export, for a worker; a picture whose consent was withdrawn does not.

        Raises:
            NotFound: It was deleted meanwhile, or is no longer theirs to take away.
        """
        found = await self.store.datasets.find(dataset)
        if found is None or found.deleted_at or not _is_free(found, owner):
            raise NotFound(noun="dataset", name=dataset, hint="It was deleted, or taken back, meanwhile.")
        items = [item for item in await self.store.items.of(dataset) if not item.withdrawn_at]
        return Manifest(dataset=found, items=tuple(items), parts=tuple(await self.store.parts.of(dataset)))

    async def view(self, actor: Actor, export: str) -> Export:
        """A file that was made for the actor.

        Raises:
            NotFound: There is none, or it is not there yet, or no longer.
        """
        found = await self.store.exports.find(export)
        if found is None or found.owner != actor.account or found.expires_at <= self.clock.now():
            raise NotFound(noun="export", name=export, hint="It is there when its job has succeeded, for a week.")
        return found

    async def kept(self, job: str) -> Export | None:
        """The file that a job has made, while it is kept."""
        return await self.store.exports.find(job)

    async def sweep(self) -> int:
        """Let go of the files whose time is over; return how many."""
        count = 0
        while stale := await self.store.exports.stale(now=self.clock.now()):
            for one in stale:
                await self._let_go(one)
            count += len(stale)
        return count

    async def _let_go(self, gone: Export) -> None:
        async def work(tx: Repositories) -> None:
            if await tx.exports.remove(gone.id):
                await tx.references.forget(gone.artifact.sha256)

        await self.store.transact(work)


def _leaving(found: Dataset | None, actor: Actor, *, name: str) -> Dataset:
    """The dataset, where the actor may take it away: moderators only look, and what is suspended stays here."""
    dataset = seen(found, actor, name=name)
    if not _is_free(dataset, actor.account):
        raise NotFound(noun="dataset", name=name, hint="See `dataset list`.")
    if dataset.owner != actor.account:
        actor.require_adult(dataset.rating)
    if not dataset.count:
        raise DatasetEmpty(name=dataset.name)
    return dataset


def _is_free(dataset: Dataset, account: str) -> bool:
    """Whether somebody may have it as a file: its owner always, others while they may use it and nothing holds it."""
    is_held = dataset.suspended or dataset.revoked_at
    return dataset.owner == account or (dataset.usable_by(account) and not is_held)


async def _require_connected(tx: Repositories, actor: Actor, provider: Provider) -> None:
    found = await tx.connections.find(connection_id(actor.account, provider))
    if found is None or not found.ready:
        raise NotConnected
