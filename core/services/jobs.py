"""Jobs: the worker's side (claim, report, finish) and the owner's (view, cancel, why). No kind is known by name."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.domain.account import Actor, Role
from core.domain.artifact import Artifact
from core.domain.audit import Audit
from core.domain.errors import LeaseLost, NotFound
from core.domain.fleet import STALE_AFTER, Worker
from core.domain.job import Failure, Job, Progress
from core.domain.run import MetricsPoint
from core.domain.switch import QUEUE, is_on, of_worker
from core.domain.value import Value
from core.kinds import Kind, end
from core.ports.clock import Clock, Ids
from core.ports.store import Repositories, Store


class Waiting(Value):
    """Why a job is waiting: its place in the queue, who could take it, what holds it back.

    `paused` says that operators let nobody take any job.
    """

    job: Job
    ahead: int
    workers: tuple[Worker, ...]
    blocked_by: tuple[Job, ...]
    paused: bool


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """The queue and its leases. `kinds` settle what a job's end means."""

    store: Store
    clock: Clock
    ids: Ids
    kinds: Mapping[str, Kind]

    async def claim(self, worker: Worker) -> Job | None:
        """Take one of the first jobs that this worker may do, or None; also while operators keep it from taking any.

        Candidates are tried in random order within the window, so that no head of the queue gets hot.
        """
        now = self.clock.now()
        window = list(await self.store.jobs.candidates(kinds=worker.kinds, labels=worker.labels, now=now))
        if not window or not await self._may_claim(worker):
            return None
        for job in _shuffled(window):
            if claimed := await self._claimed(job, worker, now=now):
                return claimed
        return None

    async def claim_alike(self, job: Job, worker: Worker, *, most: int) -> Sequence[Job]:
        """Take up to so many jobs more that can be done in one go with one that this worker has just claimed.

        They may stand further back in the queue. Each is claimed for itself: with a token and a lease of its own.
        """
        if job.group is None:
            return []
        now = self.clock.now()
        alike = [one for one in await self.store.jobs.alike(job.group, now=now, limit=most) if _able(worker, one)]
        if not alike or not await self._may_claim(worker):
            return []
        tried = [await self._claimed(one, worker, now=now) for one in alike]
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

    async def retry(self, job: str, token: str) -> None:
        """Give a job back for another attempt later.

        Raises:
            LeaseLost: The attempt is stale; nothing is changed.
        """
        await self._save(job, lambda current: current.fenced(token).retried(now=self.clock.now()))

    async def release(self, job: str, token: str) -> None:
        """Hand a job back in order, at no cost of an attempt.

        Raises:
            LeaseLost: The attempt is stale; nothing is changed.
        """
        await self._save(job, lambda current: current.fenced(token).released())

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

    async def list(self, actor: Actor) -> Sequence[Job]:
        """The actor's jobs of all kinds, newest first."""
        return await self.store.jobs.owned(actor.account)

    async def why(self, actor: Actor, job: str) -> Waiting:
        """Why a job is waiting.

        Raises:
            NotFound: There is no such job for this actor.
        """
        found = await self._visible(self.store, actor, job)
        able = [one for one in await self.workers() if _able(one, found) and await self._is_on(of_worker(one.id))]
        others = await self.store.jobs.owned(found.owner, kind=found.kind, limit=1000)
        first = tuple(other for other in others if other.eligible and not other.state.ended)
        blocking = () if found.eligible else first
        return Waiting(
            job=found,
            ahead=await self.store.jobs.ahead(found),
            workers=tuple(able),
            blocked_by=blocking,
            paused=not await self._is_on(QUEUE),
        )

    async def workers(self) -> Sequence[Worker]:
        """The workers heard of lately."""
        return await self.store.workers.seen_since(self.clock.now() - STALE_AFTER)

    async def beat(self, worker: Worker) -> Worker:
        """Say that a worker lives."""
        seen = worker.but(seen_at=self.clock.now())
        await self.store.workers.save(seen)
        return seen

    async def leave(self, worker: Worker) -> None:
        """Say that a worker has left in order."""
        await self.store.workers.save(worker.but(jobs=(), seen_at=self.clock.now() - 2 * STALE_AFTER))

    async def _may_claim(self, worker: Worker) -> bool:
        return await self._is_on(QUEUE) and await self._is_on(of_worker(worker.id))

    async def _claimed(self, job: Job, worker: Worker, *, now: datetime) -> Job | None:
        """The job as the worker has it now, or None where somebody was faster."""
        claimed = job.claimed(worker=worker.id, token=self.ids.token(), now=now)
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


def _able(worker: Worker, job: Job) -> bool:
    return job.kind in worker.kinds and set(job.labels) <= set(worker.labels)


def _shuffled(jobs: list[Job]) -> list[Job]:
    return secrets.SystemRandom().sample(jobs, len(jobs))
