"""Counts over whole collections, made where the rows are."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Any

from core.domain.account import Platform
from core.domain.census import Crowd, Totals
from core.domain.job import JobState
from core.domain.ledger import REVENUE, Lot
from core.domain.notice import NoticeState
from storage.documents import Document
from storage.errors import translated
from storage.repositories.entities import Database, Session

LIVE = [JobState.QUEUED, JobState.RUNNING]


class Censuses:
    """The house, counted."""

    def __init__(self, database: Database, session: Session) -> None:
        self._database = database
        self._session = session

    async def crowds(self) -> list[Crowd]:
        """Jobs that have not ended, by kind, pool and state."""
        steps: list[Mapping[str, Any]] = [
            {"$match": {"state": {"$in": LIVE}}},
            {
                "$group": {
                    "_id": {"kind": "$kind", "pool": "$pool", "state": "$state"},
                    "count": {"$sum": 1},
                    "oldest": {"$min": "$created_at"},
                    "held": {"$sum": "$price"},
                }
            },
        ]
        found = [Crowd(**row.pop("_id"), **row) async for row in self._summed("jobs", steps)]
        return sorted(found, key=lambda crowd: (crowd.pool, crowd.state))

    async def backlog(self, *, now: datetime) -> dict[Platform, int]:
        """Notices that could be delivered now, by chat."""
        notices, found = self._database["notices"], dict.fromkeys(Platform, 0)
        with translated():
            for platform, moment in product(Platform, (None, {"$lte": now})):
                due = {"place.platform": platform, "state": NoticeState.PENDING, "not_before": moment}
                found[platform] += await notices.count_documents(due, session=self._session)
        return found

    async def totals(self) -> Totals:
        """Revenue and stored bytes: as slow as the ledger is long."""
        earned: list[Mapping[str, Any]] = [
            {"$match": {"entries.account": REVENUE}},
            {"$unwind": "$entries"},
            {"$match": {"entries.account": REVENUE}},
            {"$group": {"_id": "$entries.lot", "amount": {"$sum": "$entries.amount"}}},
        ]
        stored = {"$group": {"_id": None, "files": {"$sum": 1}, "bytes": {"$sum": "$size"}}}
        sums = {Lot(row["_id"]): row["amount"] async for row in self._summed("ledger", earned)}
        files = [row async for row in self._summed("blobs", [stored])] or [{"files": 0, "bytes": 0}]
        revenue = {lot: sums.get(lot, 0) for lot in Lot}
        return Totals(revenue=revenue, files=files[0]["files"], bytes=files[0]["bytes"])

    async def _summed(self, collection: str, steps: Sequence[Mapping[str, Any]]) -> AsyncIterator[Document]:
        with translated():
            async for row in await self._database[collection].aggregate(steps, session=self._session):
                yield row
