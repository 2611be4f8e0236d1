"""Exports: files made of datasets, kept for a while."""

from datetime import datetime

from core.domain.export import Export
from core.ports.store import PAGE
from storage.repositories.entities import Database, Entities, Session


class Exports(Entities[Export]):
    """Files made of datasets."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Export, name="exports")

    async def stale(self, *, now: datetime, limit: int = PAGE) -> list[Export]:
        """Those whose time is over."""
        return await self._all({"expires_at": {"$lte": now}}, sort=[("expires_at", 1)], limit=limit)

    async def of(self, dataset: str) -> list[Export]:
        """Those of one dataset."""
        return await self._all({"dataset": dataset})
