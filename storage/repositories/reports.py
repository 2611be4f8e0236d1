"""Reports: what people say must not be."""

from core.domain.report import Report, ReportState
from core.ports.store import PAGE
from storage.repositories.entities import Database, Entities, Session


class Reports(Entities[Report]):
    """What people say must not be."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Report, name="reports")

    async def about(self, thing: str) -> list[Report]:
        """All reports about one thing, the oldest first."""
        return await self._all({"thing": thing}, sort=[("at", 1)])

    async def open(self, *, limit: int = PAGE) -> list[Report]:
        """Those that no moderator has decided, the oldest first."""
        return await self._all({"state": ReportState.OPEN}, sort=[("at", 1)], limit=limit)
