"""Snapshots: what runs trained on."""

from core.domain.snapshot import Snapshot
from storage.errors import translated
from storage.repositories.entities import Database, Entities, Session


class Snapshots(Entities[Snapshot]):
    """What runs trained on."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Snapshot, name="snapshots")

    async def of(self, dataset: str) -> list[Snapshot]:
        """The snapshots of one dataset, the latest first."""
        return await self._all({"dataset": dataset}, sort=[("taken_at", -1)])

    async def erased(self, dataset: str) -> set[str]:
        """The ids of those of one dataset whose bytes are gone."""
        query = {"dataset": dataset, "erased_at": {"$ne": None}}
        with translated():
            return {row["_id"] async for row in self._rows.find(query, {"_id": 1}, session=self._session)}
