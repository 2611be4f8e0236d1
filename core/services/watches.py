"""Watches: jobs as they are seen again and again, at few queries for however many are watched."""

import asyncio
from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from core.domain.account import Actor, Role
from core.domain.errors import NotFound
from core.domain.fleet import STALE_AFTER
from core.domain.job import Job, JobState
from core.domain.run import Run
from core.domain.scheduling import pool_of, rivals
from core.domain.session import Session
from core.domain.token import Token
from core.domain.value import Value
from core.domain.watch import Sight
from core.ports.clock import Clock
from core.ports.store import PAGE, Store

T = TypeVar("T")

LATE = timedelta(minutes=1)  # by which an end may be seen later than its moment
RECENT = 4 * PAGE  # jobs of somebody among which to look for what has ended lately


class Standing(Value):
    """What somebody may see depends on this: whoever watches starts anew where it changes."""

    role: Role
    banned: str | None
    merged_into: str | None


@dataclass(frozen=True, kw_only=True)
class Watches:
    """What whoever watches is shown; only `sight` and `ended` ask whose jobs they are."""

    store: Store
    clock: Clock

    async def sight(self, actor: Actor, job: str) -> Sight:
        """A job from close by.

        Raises:
            NotFound: There is no such job for this actor.
        """
        found = await self.store.jobs.find(job)
        if found is None or not found.visible_to(actor):
            raise NotFound(noun="job", name=job, hint="See `train list`.")
        sight = Sight(job=found, closely=True, run=await self.store.runs.find(job))
        if sight.run:
            sight = sight.but(points=tuple(await self.store.runs.chart(job)))
        return (await self.placed([sight]))[0]

    async def again(self, sights: Collection[Sight]) -> Sequence[Sight]:
        """The same as they are now, without those that are gone: all jobs are read at once, and of runs what moved."""
        known = {sight.job.id: sight for sight in sights}
        jobs = await self.store.jobs.several(known)
        moved = {job.id for job in jobs if known[job.id].run and job != known[job.id].job}
        runs = {run.id: run for run in await self.store.runs.several(moved)}
        return [await self._now(known[job.id], job, runs.get(job.id)) for job in jobs]

    async def placed(self, sights: Collection[Sight]) -> Sequence[Sight]:
        """The same, with how many go before those that wait: a query or two for each pool that they wait in."""
        waiting = [sight.job for sight in sights if sight.job.state is JobState.QUEUED]
        ahead = await self._ahead(waiting) if waiting else {}
        return [sight.placed(ahead.get(sight.job.id)) for sight in sights]

    async def open(self, account: str) -> Sequence[Job]:
        """What somebody has ordered and that has not ended."""
        return [job for job in await self.store.jobs.active(account) if job.ordered]

    async def ended(self, actor: Actor, *, since: datetime) -> Sequence[Job]:
        """What the actor has ordered and that has ended since a moment, or a little before it."""
        found = await self.store.jobs.ordered(actor.account, limit=RECENT)
        return [job for job in found if job.ended_at and job.ended_at >= since - LATE]

    async def standings(self, proofs: Collection[Session | Token]) -> Mapping[str, Standing]:
        """How those stand who have shown these, by the proof's id; nobody whose proof is over."""
        names, now = {proof.id for proof in proofs}, self.clock.now()
        good = {one.id for one in await self.store.sessions.several(names) if one.expires_at > now}
        good |= {one.id for one in await self.store.tokens.several(names) if one.is_good(now)}
        found = await self.store.accounts.several({proof.account for proof in proofs})
        stands = {one.id: Standing(role=one.role, banned=one.banned, merged_into=one.merged_into) for one in found}
        return {proof.id: stands[proof.account] for proof in proofs if proof.id in good}

    async def _now(self, sight: Sight, job: Job, run: Run | None) -> Sight:
        if job == sight.job:
            return sight
        points = await self.store.runs.chart(job.id, after=sight.step) if run else ()
        return sight.now(job, run=run, points=tuple(points))

    async def _ahead(self, waiting: Collection[Job]) -> Mapping[str, int]:
        """How many go before each of these jobs, counted as forecasts count them."""
        switches, pools, workers = await asyncio.gather(
            _all(self.store.switches.everything()),
            _all(self.store.pools.everything()),
            self.store.workers.seen_since(self.clock.now() - STALE_AFTER),
        )
        off = {switch.id for switch in switches if not switch.on}
        beside = {job.pool: rivals(pool_of(job), pools, workers, off) for job in waiting}
        reach: defaultdict[str, float] = defaultdict(float)
        for job in waiting:
            for pool in beside[job.pool]:
                reach[pool] = max(reach[pool], job.rank)
        ranks = {pool: await self.store.jobs.ranks(pool, below=rank) for pool, rank in reach.items()}
        return {job.id: sum(bisect_left(ranks[pool], job.rank) for pool in beside[job.pool]) for job in waiting}


async def _all(rows: AsyncIterator[T]) -> list[T]:
    return [row async for row in rows]
