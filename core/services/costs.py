"""Costs: what the house's devices were busy with, what that cost and what it brought."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from core.domain.account import Actor, Role
from core.domain.cost import Total
from core.ports.clock import Clock
from core.ports.store import Store

LATELY = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Costs:
    """For admins alone."""

    store: Store
    clock: Clock

    async def lately(self, actor: Actor) -> Sequence[Total]:
        """What the jobs of the last 30 days took and brought, by kind and offering.

        Raises:
            NotAllowed: The actor is no admin.
        """
        actor.require(Role.ADMIN)
        return await self.store.costs.totals(since=self.clock.now() - LATELY)
