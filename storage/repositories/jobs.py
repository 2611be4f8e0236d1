"""The queue: narrow reads by index, claims by a conditional update on `_id`, state and attempt; pools."""

from collections.abc import Sequence
from datetime import datetime
from math import inf, nextafter
from typing import Any

from core.domain.job import Job, JobState
from core.domain.scheduling import Pool
from core.ports.store import PAGE
from storage.documents import document
from storage.errors import translated
from storage.repositories.entities import Database, Entities, Session

STRIDES = tuple(16.0**power for power in range(6))  # virtual seconds to look beyond where the last head ended
LIVE = {"$in": [JobState.QUEUED, JobState.RUNNING]}


class Jobs(Entities[Job]):
    """Jobs of every kind."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Job, name="jobs")
        self._queues = database["queues"]
        self._reach: dict[str, float] = {}

    async def keyed(self, key: str) -> Job | None:
        """The job that was asked for under this idempotency key."""
        return await self._one({"key": key})

    async def head(self, pool: str, *, near: float, limit: int = 32) -> list[Job]:
        """The first queued, eligible jobs of a pool that are awake, best rank first; about `near` is where it begins.

        A server may read all that matches before it sorts and cuts. So nothing is asked for beyond about twice of where
        the last head ended, and further on only when that does not suffice.
        """
        known = self._reach.get(pool, near)
        for reach in (known, *(known + stride for stride in STRIDES), inf):
            found = await self._all(_ranked(pool, reach), sort=[("rank", 1)], limit=limit)
            if len(found) == limit or reach == inf:
                break
        full = len(found) == limit
        self._reach[pool] = nextafter(2 * found[-1].rank - found[0].rank, inf) if full else inf
        return found

    async def before(self, pool: str, rank: float, *, limit: int) -> list[Job]:
        """Jobs of a pool that wait at a better rank, eligible or not."""
        found = [
            await self._all(_ranked(pool, rank, eligible=eligible), sort=[("rank", 1)], limit=limit)
            for eligible in (True, False)
        ]
        return [job for jobs in found for job in jobs][:limit]

    async def sleepers(self, *, now: datetime) -> list[Job]:
        """Jobs that are asleep and whose moment has come."""
        return await self._all({"asleep": True, "not_before": {"$lte": now}})

    async def running(self) -> list[Job]:
        """What all workers work on."""
        return await self._all({"state": JobState.RUNNING})

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

    async def ordered(
        self, owner: str, *, kind: str | None = None, state: JobState | None = None, after: str = "", limit: int = PAGE
    ) -> list[Job]:
        """What somebody has ordered, of one kind and state if they are named, newest first, from after a job on."""

        def wanted(job: Job) -> bool:
            return job.ordered and kind in {None, job.kind} and state in {None, job.state}

        return await self._latest({"owner": owner}, "created_at", after=after, limit=limit, wanted=wanted)

    async def paid(self, owner: str, *, after: str = "", limit: int = PAGE) -> list[Job]:
        """The owner's jobs that have a price, newest first, from after a job on."""
        return await self._latest(
            {"owner": owner}, "created_at", after=after, limit=limit, wanted=lambda one: one.price > 0
        )

    async def queue(self, *, limit: int = PAGE) -> list[Job]:
        """Everybody's running and queued jobs, running first, then as they would be claimed."""
        return await self._all({"state": LIVE}, sort=[("state", -1), ("rank", 1)], limit=limit)

    async def ahead(self, pool: str, rank: float) -> int:
        """How many jobs of a pool wait at a better rank, eligible or not."""
        queries = [_ranked(pool, rank, eligible=eligible) for eligible in (True, False)]
        with translated():
            return sum([await self._rows.count_documents(query, session=self._session) for query in queries])

    async def ranks(self, pool: str, *, below: float) -> list[float]:
        """The ranks below one at which jobs of a pool wait, eligible or not, the best first."""
        queries = [_ranked(pool, below, eligible=eligible) for eligible in (True, False)]
        only = {"_id": 0, "rank": 1}
        with translated():
            found = [self._rows.find(query, only, session=self._session) for query in queries]
            return sorted([row["rank"] for rows in found async for row in rows])


class Pools(Entities[Pool]):
    """What waits, by what workers need for it."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Pool, name="pools")

    async def advance(self, pools: Sequence[str], clock: float, *, reached: float) -> None:
        """Put pools forward, outside any transaction; what is further stays so."""
        forward = {"$max": {"clock": clock, "reached": reached}}
        if pools:
            with translated():
                await self._rows.update_many({"_id": {"$in": list(pools)}}, forward)


def _ranked(pool: str, rank: float, *, eligible: bool = True) -> dict[str, Any]:
    """Queued jobs of a pool below a rank: exactly what lies in one index."""
    same = {"state": JobState.QUEUED, "eligible": eligible, "asleep": False, "pool": pool}
    return same | {"rank": {"$lt": rank}}
