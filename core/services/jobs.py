"""Jobs: the worker's side (claim, report, finish) and the owner's (view, cancel, why). No kind is known by name."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.account import Actor, Role
from core.domain.artifact import Artifact
from core.domain.audit import Audit
from core.domain.errors import LeaseLost, NotFound
from core.domain.fleet import FORGOTTEN_AFTER, STALE_AFTER, Worker
from core.domain.job import Failure, Job, JobState, Progress
from core.domain.run import MetricsPoint
from core.domain.scheduling import Waiting, behind, lacks, passed, paused, pool_of, preferred, serves, wanting
from core.domain.switch import is_on, of_worker
from core.domain.value import Value
from core.kinds import Kind, end, foreseen
from core.ports.clock import Clock, Ids
from core.ports.store import PAGE, Repositories, Store


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """The queue and its leases. `kinds` settle what a job's end means."""

    store: Store
    clock: Clock
    ids: Ids
    kinds: Mapping[str, Kind]

    async def claim(self, worker: Worker) -> Job | None:
        """Take one of the first jobs that this worker may do, or None; also while operators keep it from taking any.

        Each pool that it may take from is asked for its head; `preferred` says in which order they are tried.
        """
        now, off, jobs = self.clock.now(), await self._off(), self.store.jobs
        for job in await jobs.sleepers(now=now):
            await jobs.swap(job, job.woken())
        pools = [pool async for pool in self.store.pools.everything() if serves(worker, pool, off)]
        window = [job for pool in pools for job in await jobs.head(pool.id, near=pool.reached)]
        for job in preferred(window, warm=worker.base, shuffled=_shuffled):
            if claimed := await self._claimed(job, worker, now=now):
                clock = passed(claimed, beside=window, now=now)
                await self.store.pools.advance(behind(pools, clock), clock, reached=claimed.start)
                return claimed
        return None

    async def claim_alike(self, job: Job, worker: Worker, *, most: int) -> Sequence[Job]:
        """Take up to so many jobs more that can be done in one go with one that this worker has just claimed.

        They may stand further back in the queue. Each is claimed for itself: with a token and a lease of its own.
        """
        if job.group is None:
            return []
        now = self.clock.now()
        alike = await self.store.jobs.alike(job.group, now=now, limit=most)
        off = await self._off() if alike else set()
        fit = [one for one in alike if serves(worker, pool_of(one), off)]
        tried = [await self._claimed(one, worker, now=now, metered=False) for one in fit]
        return [claimed for claimed in tried if claimed]

    async def report(
        self, job: str, token: str, *, progress: Progress | None = None, points: Sequence[MetricsPoint] = ()
    ) -> None:
        """Extend the lease, with what there is to say.

        Raises:
            LeaseLost: The attempt is stale: stop and discard.
        """

        async def work(tx: Repositories) -> None:
            current = (await tx.jobs.get(job)).fenced(token)
            if points:
                await tx.runs.plot(job, points)
            await tx.jobs.save(current.reported(now=self.clock.now(), progress=progress))

        await self.store.transact(work)

    async def checkpoint(self, job: str, token: str, artifact: Artifact) -> None:
        """Refer to a verified checkpoint instead of the one before.

        Raises:
            LeaseLost: The attempt is stale; nothing is changed.
        """

        async def work(tx: Repositories) -> None:
            current = (await tx.jobs.get(job)).fenced(token)
            await tx.references.refer(artifact.sha256)
            if current.checkpoint:
                await tx.references.forget(current.checkpoint.sha256)
            await tx.jobs.save(current.reported(now=self.clock.now(), checkpoint=artifact))

        await self.store.transact(work)

    async def finish(self, job: str, token: str, outcome: Value | Failure) -> Job:
        """End a job: its state, the money, what its kind settles, the notice and the next in line, all at once.

        Raises:
            LeaseLost: The attempt is stale; nothing is changed.
        """

        async def work(tx: Repositories) -> Job:
            current = (await tx.jobs.get(job)).fenced(token)
            return await self._end(tx, current, outcome)

        return await self.store.transact(work)

    async def retry(self, job: str, token: str, *, elsewhere: bool = False) -> None:
        """Give a job back for another attempt later, or at once by another worker, where this one lacks something.

        Raises:
            LeaseLost: The attempt is stale; nothing is changed.
        """
        now, again = self.clock.now(), Job.elsewhere if elsewhere else Job.retried
        await self._save(job, lambda current: again(current.fenced(token), now=now))

    async def release(self, job: str, token: str) -> None:
        """Hand a job back in order, at no cost of an attempt.

        Raises:
            LeaseLost: The attempt is stale; nothing is changed.
        """
        await self._save(job, lambda current: current.fenced(token).released(now=self.clock.now()))

    async def expire(self) -> list[Job]:
        """Take back the jobs whose lease ran out; what has lost too many workers is failed and paid back.

        Raises:
            ExceptionGroup: Some could not be taken back; the others were all the same.
        """
        back, broken = [], []
        for job in await self.store.jobs.expired(now=self.clock.now()):
            try:
                taken = await self._taken_back(job.id)
            except Exception as error:  # noqa: BLE001 - one that cannot be settled must not hold up the others
                broken.append(error)
            else:
                back += [taken] if taken else []
        if broken:
            raise ExceptionGroup("leases that could not be taken back", broken)
        return back

    async def _taken_back(self, job: str) -> Job | None:
        async def work(tx: Repositories) -> Job | None:
            current = await tx.jobs.get(job)
            try:
                after = current.expired(now=self.clock.now())
            except LeaseLost:
                return None
            if after.failure:
                return await self._end(tx, current.but(lost=after.lost), after.failure)
            await tx.jobs.save(after)
            return after

        return await self.store.transact(work)

    async def cancel(self, actor: Actor, job: str) -> Job:
        """End a job that its owner no longer wants: at once, whether it waits or runs; the hold goes back.

        Admins may end anybody's, which is audited.

        Raises:
            NotFound: There is no such job for this actor.
            NotAllowed: It is somebody else's, and the actor is no admin.
            JobEnded: It has ended.
        """
        now = self.clock.now()
        audit = Audit(id=self.ids.new(), actor=actor.account, act="admin.cancel", subject=job, details={}, at=now)

        async def work(tx: Repositories) -> Job:
            found = await self._visible(tx, actor, job)
            if found.owner != actor.account:
                actor.require(Role.ADMIN)
                await tx.audits.add(audit)
            return await self._end(tx, found, None)

        return await self.store.transact(work)

    async def view(self, actor: Actor, job: str) -> Job:
        """A job.

        Raises:
            NotFound: There is no such job for this actor.
        """
        return await self._visible(self.store, actor, job)

    async def list(
        self,
        actor: Actor,
        *,
        kind: str | None = None,
        state: JobState | None = None,
        after: str = "",
        limit: int = PAGE,
    ) -> Sequence[Job]:
        """The actor's jobs that somebody asked for, of one kind and state if they are named, newest first.

        Raises:
            NotFound: There is no such job of the actor to go on after.
        """
        return await self.store.jobs.ordered(actor.account, kind=kind, state=state, after=after, limit=limit)

    async def about(self, actor: Actor, subject: str) -> Sequence[Job]:
        """The jobs about one thing that have not ended, those that the actor may see."""
        return [job for job in await self.store.jobs.about(subject) if job.visible_to(actor)]

    async def why(self, actor: Actor, job: str) -> Waiting:
        """Why a job is waiting.

        Raises:
            NotFound: There is no such job for this actor.
        """
        found, now = await self._visible(self.store, actor, job), self.clock.now()
        pool, off = pool_of(found), await self._off()
        live = [one for one in await self.workers() if of_worker(one.id) not in off]
        others = [one for one in await self.store.jobs.active(found.owner) if one.kind == found.kind and one.eligible]
        return Waiting(
            job=found,
            forecast=await foreseen(self.store, found, now=now),
            helped=await foreseen(self.store, found, more=1, now=now),
            workers=tuple(one for one in live if not lacks(one, pool)),
            wanting=wanting(live, pool),
            blocked_by=() if found.eligible else tuple(others),
            pauses=paused(pool, off),
        )

    async def workers(self) -> Sequence[Worker]:
        """The workers heard of lately."""
        return await self.store.workers.seen_since(self.clock.now() - STALE_AFTER)

    async def beat(self, worker: Worker) -> Worker:
        """Say that a worker lives."""
        seen = worker.but(seen_at=self.clock.now())
        await self.store.workers.save(seen)
        return seen

    async def drains(self, worker: Worker) -> bool:
        """Whether operators let a worker take nothing more."""
        return not await self._is_on(of_worker(worker.id))

    async def leave(self, worker: Worker) -> None:
        """Say that a worker has left in order: nothing is left to know of it."""
        await self.store.transact(lambda tx: _forgotten(tx, worker))

    async def forget(self) -> int:
        """Forget workers that were not heard of for a day; return how many."""
        lost = await self.store.workers.seen_before(self.clock.now() - FORGOTTEN_AFTER)
        for worker in lost:
            await self.leave(worker)
        return len(lost)

    async def _off(self) -> set[str]:
        """The switches that are off."""
        return {switch.id async for switch in self.store.switches.everything() if not switch.on}

    async def _claimed(self, job: Job, worker: Worker, *, now: datetime, metered: bool = True) -> Job | None:
        """The job as the worker has it now, or None: it is too early, this one could not do it, another was faster."""
        if job.not_before > now or job.shuns(worker.id, now=now):
            return None
        claimed = job.claimed(worker=worker.id, token=self.ids.token(), now=now, metered=metered)
        return claimed if await self.store.jobs.swap(job, claimed) else None

    async def _is_on(self, name: str) -> bool:
        return is_on(await self.store.switches.find(name))

    async def _end(self, tx: Repositories, current: Job, outcome: Value | Failure | None) -> Job:
        return await end(tx, current, outcome, kinds=self.kinds, ids=self.ids, now=self.clock.now())

    async def _save(self, job: str, change: Callable[[Job], Job]) -> None:
        async def work(tx: Repositories) -> None:
            await tx.jobs.save(change(await tx.jobs.get(job)))

        await self.store.transact(work)

    async def _visible(self, tx: Repositories, actor: Actor, job: str) -> Job:
        found = await tx.jobs.find(job)
        if found is None or not found.visible_to(actor):
            raise NotFound(noun="job", name=job, hint="See `train list`.")
        return found


async def _forgotten(tx: Repositories, worker: Worker) -> None:
    await tx.workers.remove(worker.id)
    await tx.switches.remove(of_worker(worker.id))


def _shuffled(jobs: list[Job]) -> list[Job]:
    return secrets.SystemRandom().sample(jobs, len(jobs))
