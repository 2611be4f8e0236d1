"""The queue: narrow reads by index, claims by a conditional update on `_id`, state and attempt."""

from collections.abc import Sequence
from datetime import datetime

from core.domain.job import Job, JobState
from core.ports.store import PAGE
from storage.documents import document
from storage.errors import translated
from storage.repositories.entities import Database, Entities, Session

LIVE = {"$in": [JobState.QUEUED, JobState.RUNNING]}


class Jobs(Entities[Job]):
    """Jobs of every kind."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Job, name="jobs")
        self._queues = database["queues"]

    async def keyed(self, key: str) -> Job | None:
        """The job that was asked for under this idempotency key."""
        return await self._one({"key": key})

    async def candidates(
        self, *, kinds: Sequence[str], labels: Sequence[str], now: datetime, limit: int = 32
    ) -> list[Job]:
        """Up to `limit` queued, eligible jobs that such a worker may take, best rank first."""
        query = {
            "state": JobState.QUEUED,
            "eligible": True,
            "kind": {"$in": list(kinds)},
            "not_before": {"$lte": now},
            "labels": {"$not": {"$elemMatch": {"$nin": list(labels)}}},
        }
        return await self._all(query, sort=[("rank", 1)], limit=limit)

    async def swap(self, before: Job, after: Job) -> bool:
        """Write what changed if the job is still as before: a claim, outside any transaction.

        State and attempt do not suffice: a job that was taken and handed back has both as before, and a checkpoint.
        """
        old, new = document(before), document(after)
        changed = {name: value for name, value in new.items() if old[name] != value}
        same = {"_id": before.id} | {name: old[name] for name in ("state", "attempt", "checkpoint")}
        with translated():
            written = await self._rows.update_one(same, {"$set": changed}, session=self._session)
        return bool(written.modified_count)

    async def expired(self, *, now: datetime) -> list[Job]:
        """Running jobs whose lease has run out."""
        return await self._all({"state": JobState.RUNNING, "lease_until": {"$lte": now}})

    async def active(self, owner: str) -> list[Job]:
        """The owner's queued and running jobs, oldest first.

        In a transaction the owner's row in `queues` is written too: two who change one queue conflict, and one of
        them is run again, so that neither decides by what the other has just changed.
        """
        if self._session:
            with translated():
                turn = {"$inc": {"turn": 1}}
                await self._queues.update_one({"_id": owner}, turn, upsert=True, session=self._session)
        return await self._all({"owner": owner, "state": LIVE}, sort=[("rank", 1)])

    async def about(self, subject: str) -> list[Job]:
        """The queued and running jobs about one thing."""
        return await self._all({"subject": subject, "state": LIVE}, sort=[("rank", 1)])

    async def alike(self, group: str, *, now: datetime, limit: int) -> list[Job]:
        """Queued, eligible jobs of one group, best rank first."""
        query = {"group": group, "state": JobState.QUEUED, "eligible": True, "not_before": {"$lte": now}}
        return await self._all(query, sort=[("rank", 1)], limit=limit)

    async def owned(self, owner: str, *, kind: str | None = None, limit: int = PAGE) -> list[Job]:
        """The owner's jobs, newest first."""
        query = {"owner": owner} | ({"kind": kind} if kind else {})
        return await self._all(query, sort=[("created_at", -1)], limit=limit)

    async def queue(self, *, limit: int = PAGE) -> list[Job]:
        """Everybody's running and queued jobs, running first, then as they would be claimed."""
        return await self._all({"state": LIVE}, sort=[("state", -1), ("rank", 1)], limit=limit)

    async def ahead(self, job: Job) -> int:
        """How many eligible jobs of its kind would be claimed before it."""
        query = {"state": JobState.QUEUED, "eligible": True, "kind": job.kind, "rank": {"$lt": job.rank}}
        with translated():
            return await self._rows.count_documents(query, session=self._session)
