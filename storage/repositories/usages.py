"""Usages: facts that are only ever added to; counters are counted from them, so that no popular row gets hot."""

from datetime import datetime
from typing import Any

from core.domain.royalty import Rule, Tally, Usage
from core.ports.store import PAGE
from storage.errors import translated
from storage.repositories.entities import Database, Entities, Session


class Usages(Entities[Usage]):
    """Which models served which generations."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Usage, name="usages")

    async def of(self, generation: str) -> list[Usage]:
        """The usages of one generation, by model."""
        return await self._all({"generation": generation}, sort=[("model", 1)])

    async def latest(self, owner: str, *, limit: int = PAGE) -> list[Usage]:
        """The latest usages of an owner's models, newest first."""
        return await self._all({"owner": owner}, sort=[("at", -1)], limit=limit)

    async def between(self, owner: str, start: datetime, end: datetime) -> list[Usage]:
        """The usages of an owner's models from one moment until before another, oldest first."""
        return await self._all({"owner": owner, "at": {"$gte": start, "$lt": end}}, sort=[("at", 1)])

    async def due(self, owner: str, *, now: datetime, limit: int = PAGE) -> list[Usage]:
        """Those of an owner whose holding period has ended just now, the longest ended first."""
        return await self._all({"owner": owner, "due": {"$lte": now}}, sort=[("due", 1)], limit=limit)

    async def owners_due(self, *, now: datetime, limit: int = PAGE) -> list[str]:
        """Some accounts whose usages are due."""
        found = await self._all({"due": {"$lte": now}}, sort=[("due", 1)], limit=limit)
        return list(dict.fromkeys(usage.owner for usage in found))

    async def tally(self, model: str) -> Tally:
        """How often others have used a model."""
        return await self._tally({"model": model})

    async def tally_of_run(self, run: str) -> Tally:
        """How often others have used what a training has made."""
        return await self._tally({"run": run})

    async def _tally(self, query: dict[str, Any]) -> Tally:
        foreign = query | {"rule": {"$in": [rule for rule in Rule if rule.is_foreign]}}
        by_payer = {"$group": {"_id": "$payer", "uses": {"$sum": 1}, "share": {"$sum": "$share"}}}
        with translated():
            found = await self._rows.aggregate([{"$match": foreign}, by_payer], session=self._session)
            rows = [row async for row in found]
        return Tally(uses=sum(row["uses"] for row in rows), people=len(rows), share=sum(row["share"] for row in rows))
