"""Lineages: what became of a dataset, and what of it could be done again."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.domain.account import Actor, Role
from core.domain.dataset import seen
from core.domain.run import Run
from core.domain.value import Value
from core.ports.store import Store


class Use(Value):
    """A run that trained on a dataset; it can be repeated while the bytes of its snapshot are here."""

    run: Run
    repeatable: bool


@dataclass(frozen=True, kw_only=True)
class Lineages:
    """From datasets over snapshots to runs."""

    store: Store

    async def of(self, actor: Actor, dataset: str) -> Sequence[Use]:
        """The runs that trained on a dataset, the latest first; those of others are its owner's and moderators' to see.

        Raises:
            NotFound: There is no such dataset for this actor.
        """
        found = seen(await self.store.datasets.find(dataset), actor, name=dataset)
        sees_all = found.owner == actor.account or actor.role.covers(Role.MODERATOR)
        erased = await self.store.snapshots.erased(found.id)
        return [
            Use(run=run, repeatable=run.snapshot not in erased)
            for run in await self.store.runs.of_dataset(found.id)
            if sees_all or run.owner == actor.account
        ]
