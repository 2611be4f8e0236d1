"""Disputes: what waits for an answer."""

from core.domain.dispute import Dispute, DisputeState
from core.ports.store import PAGE
from storage.repositories.entities import Database, Entities, Session


class Disputes(Entities[Dispute]):
    """Complaints about what jobs have cost."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Dispute, name="disputes")

    async def open(self, *, limit: int = PAGE) -> list[Dispute]:
        """Those that nobody has answered, the oldest first."""
        return await self._all({"state": DisputeState.OPEN}, sort=[("opened_at", 1)], limit=limit)
