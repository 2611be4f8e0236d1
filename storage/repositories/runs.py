"""Runs and their metrics points: a point's `_id` is run and step, so that a resumed attempt replaces, never doubles."""

from collections.abc import Collection, Sequence
from datetime import datetime

from pymongo import ReplaceOne

from core.domain.run import MetricsPoint, Run
from core.ports.store import PAGE
from storage.errors import translated
from storage.repositories.entities import Database, Entities, Session


class Runs(Entities[Run]):
    """Trainings as they were done."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Run, name="runs")
        self._points = database["metrics"]

    async def of_dataset(self, dataset: str) -> list[Run]:
        """The runs that trained on a dataset, the latest first."""
        return await self._all({"dataset": dataset}, sort=[("created_at", -1)])

    async def continuing(self, runs: Collection[str]) -> list[Run]:
        """The runs that began with a model of one of these, the latest first."""
        return await self._all({"continues": {"$in": list(runs)}}, sort=[("created_at", -1)])

    async def idle(self, *, chosen_before: datetime, ended_before: datetime, limit: int = PAGE) -> list[Run]:
        """Runs of which an epoch was chosen before a moment, and others that ended before one, not swept yet."""
        unswept = {"swept_at": None}
        chosen = await self._all(unswept | {"chosen_at": {"$lt": chosen_before}}, limit=limit)
        return chosen or await self._all(unswept | {"chosen_at": None, "ended_at": {"$lt": ended_before}}, limit=limit)

    async def chart(self, run: str, *, after: int = 0) -> list[MetricsPoint]:
        """The metrics points of a run after a step, by step."""
        later = {"run": run, "step": {"$gt": after}}
        with translated():
            found = self._points.find(later, session=self._session).sort("step", 1)
            return [MetricsPoint(step=row["step"], loss=row["loss"], lr=row["lr"]) async for row in found]

    async def plot(self, run: str, points: Sequence[MetricsPoint]) -> None:
        """Add metrics points; a step that is passed again replaces the point of before."""
        writes = [
            ReplaceOne({"_id": f"{run}:{point.step}"}, {"run": run, **point.model_dump()}, upsert=True)
            for point in points
        ]
        with translated():
            await self._points.bulk_write(writes, session=self._session)

    async def cut(self, run: str, *, after: int) -> None:
        """Remove the metrics points of a run after a step."""
        with translated():
            await self._points.delete_many({"run": run, "step": {"$gt": after}}, session=self._session)
