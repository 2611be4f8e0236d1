"""Costs: one row per job that has ended, only ever added to."""

from datetime import datetime

from core.domain.cost import Cost, Total
from storage.errors import translated
from storage.repositories.entities import Database, Entities, Session


class Costs(Entities[Cost]):
    """What jobs took of devices."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Cost, name="costs")

    async def of(self, kind: str, offering: str, gpu: str, *, since: datetime, limit: int) -> list[Cost]:
        """The latest of one kind, offering and class of GPU, the newest first."""
        query = {"kind": kind, "offering": offering, "gpu": gpu, "at": {"$gte": since}}
        return await self._all(query, sort=[("at", -1)], limit=limit)

    async def totals(self, *, since: datetime) -> list[Total]:
        """Those since a moment together, by kind and offering."""
        sums = {name: {"$sum": f"${name}"} for name in ("seconds", "price", "paid")}
        together = {"$group": {"_id": {"kind": "$kind", "offering": "$offering"}, "jobs": {"$sum": 1}, **sums}}
        with translated():
            found = await self._rows.aggregate([{"$match": {"at": {"$gte": since}}}, together], session=self._session)
            rows = [Total(**row.pop("_id"), **row) async for row in found]
        return sorted(rows, key=lambda row: (row.kind, row.offering or ""))
