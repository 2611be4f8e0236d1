"""Sharings: who may use a dataset besides its owner."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.domain.account import Account, Actor
from core.domain.dataset import Access, Dataset, owned
from core.domain.errors import NotThem
from core.ports.clock import Clock
from core.ports.store import Repositories, Store


@dataclass(frozen=True, kw_only=True)
class Sharings:
    """Access to datasets: whoever may use one may look at it, train on it and take it away."""

    store: Store
    clock: Clock

    async def open(
        self, actor: Actor, dataset: str, access: Access, *, expecting: Callable[[Dataset], None] | None = None
    ) -> Dataset:
        """Let everyone use a dataset, or who knows its id, or only those whom it is shared with.

        `expecting` looks at it as it is before the change, and raises where that is not what the change was made of.

        Raises:
            NotFound: There is no such dataset of this actor.
        """
        now = self.clock.now()

        def opened(found: Dataset) -> Dataset:
            if expecting:
                expecting(found)
            return found.opened(access, now=now)

        return await self._change(actor, dataset, opened)

    async def share(self, actor: Actor, dataset: str, account: Account) -> Dataset:
        """Let one account more use a dataset; one that has it already changes nothing.

        Raises:
            NotFound: There is no such dataset of this actor.
            NotThem: It is the actor's own account.
        """

        def shared(found: Dataset) -> Dataset:
            if account.id == found.owner:
                raise NotThem(name=account.name, why="the dataset is theirs")
            return found.shared_with(account.id)

        return await self._change(actor, dataset, shared)

    async def unshare(self, actor: Actor, dataset: str, account: Account) -> Dataset:
        """Take a dataset back from an account; one that does not have it changes nothing.

        Raises:
            NotFound: There is no such dataset of this actor.
        """
        return await self._change(actor, dataset, lambda found: found.unshared_with(account.id))

    async def readers(self, actor: Actor, dataset: str) -> Sequence[Account]:
        """The accounts that a dataset is shared with.

        Raises:
            NotFound: There is no such dataset of this actor.
        """
        found = owned(await self.store.datasets.find(dataset), actor, name=dataset)
        return [await self.store.accounts.get(account) for account in found.shared]

    async def _change(self, actor: Actor, dataset: str, changed: Callable[[Dataset], Dataset]) -> Dataset:
        async def work(tx: Repositories) -> Dataset:
            after = changed(owned(await tx.datasets.find(dataset), actor, name=dataset))
            await tx.datasets.save(after)
            return after

        return await self.store.transact(work)
