"""Payouts: by owner, and by what is to be done with them."""

from datetime import datetime
from typing import Any

from core.domain.payout import Payout, PayoutState
from core.ports.store import PAGE
from storage.repositories.entities import Database, Entities, Session


class Payouts(Entities[Payout]):
    """Money that leaves."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Payout, name="payouts")

    async def of(self, owner: str, *, since: datetime | None = None, limit: int = PAGE) -> list[Payout]:
        """The owner's payouts, requested since a moment if one is given, newest first."""
        query: dict[str, Any] = {"owner": owner} | ({"requested_at": {"$gte": since}} if since else {})
        return await self._all(query, sort=[("requested_at", -1)], limit=limit)

    async def latest(self, owner: str, *, after: str = "", limit: int = PAGE) -> list[Payout]:
        """The owner's payouts, newest first, from after a payout on."""
        return await self._latest({"owner": owner}, "requested_at", after=after, limit=limit)

    async def at(self, state: PayoutState, *, limit: int = PAGE) -> list[Payout]:
        """Everybody's payouts in a state, the longest requested first."""
        return await self._all({"state": state}, sort=[("requested_at", 1)], limit=limit)
