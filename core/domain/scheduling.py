"""The order of the queue: start-time fair queuing (Goyal, Vin, Cheng 1996) with places given at enqueue.

Virtual time passes as workers take jobs. Somebody's job starts in it where their last one of its kind ends, or now, and
ends after its estimate over its weight; what ends first goes first. So everybody who waits gets workers in proportion
to their weights, whoever comes with one job is not behind anybody's thousand, and another person overtakes a job by no
more than the virtual time that it had to wait for anyway. Everything here is pure: claims and forecasts share it.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Self

from core.domain.errors import JobEnded, NothingToDo
from core.domain.fleet import Worker
from core.domain.job import ACTIVE_PER_OWNER, Job, JobState, Priority
from core.domain.switch import QUEUE, of_claims, of_kind, of_worker
from core.domain.value import Entity, Value

AGEING = 0.01  # virtual seconds in one of ours, claims or none: a stream of new people cannot overtake for ever
LOOK_AHEAD = 300.0  # virtual seconds by which a job may go before the first, at most
HEAD = 8  # jobs that are tried in random order, so that no row is everybody's first
SLACK = 10.0  # virtual seconds that a clock may be behind: not every claim has to write it
SPREAD = 2.0  # how many times shorter or longer than estimated a wait may turn out


class Flow(Entity):
    """Where somebody's jobs of one kind end in virtual time; the id says whose and which."""

    finish: float


class Pool(Entity):
    """Jobs that the same workers may take; `clock` is its virtual time, but for what passes by ageing.

    What was taken last started at `reached`, so that what is first now is not far from there.
    """

    kind: str
    offering: str | None
    labels: tuple[str, ...]
    memory: int
    clock: float = 0.0
    reached: float = 0.0

    def moment(self, now: datetime) -> float:
        """What the time is in it, virtually."""
        return self.clock + AGEING * now.timestamp()


class Forecast(Value):
    """How many go before a job, and in how many seconds it starts, at the soonest and the latest; None: nobody can."""

    ahead: int
    soonest: float | None
    latest: float | None

    def stretched(self, ahead: int) -> Self:
        """The same where more go before it than were looked at one by one."""
        longer = ahead / self.ahead if self.ahead else 1.0
        times = {name: wait * longer for name in ("soonest", "latest") if (wait := getattr(self, name)) is not None}
        return self.but(ahead=ahead, **times)


class Waiting(Value):
    """Why a job is waiting: when it will start, who could take it, what holds it back.

    It is `blocked_by` its owner's other jobs. `pauses` are the switches that keep everybody from it. Where nobody can
    take it, `wanting` is what the worker lacks that comes closest. `helped` is when it would start with one worker more
    of those that can take it.
    """

    job: Job
    forecast: Forecast
    helped: Forecast
    workers: tuple[Worker, ...]
    wanting: tuple[str, ...]
    blocked_by: tuple[Job, ...]
    pauses: tuple[str, ...]

    @property
    def ahead(self) -> int:
        """How many jobs go before it."""
        return self.forecast.ahead

    @property
    def paused(self) -> bool:
        """Whether operators let nobody take it."""
        return bool(self.pauses)


def flow_of(job: Job) -> str:
    """The id of the flow that a job is charged to: its owner's in its pool, since each pool has a clock of its own."""
    return f"{job.owner}:{job.pool}"


def pool_of(job: Job) -> Pool:
    """The pool that a job is in, new."""
    return Pool(id=job.pool, kind=job.kind, offering=job.offering, labels=job.labels, memory=job.memory)


def placed(job: Job, pool: Pool, flow: Flow | None, *, now: datetime) -> Job:
    """The job at its place: behind its owner's last, and not before now."""
    start = max(pool.moment(now), flow.finish if flow else 0.0)
    return job.but(start=start, rank=start + job.span)


def prioritised(job: Job, priority: Priority, pool: Pool, *, now: datetime) -> Job:
    """The job with another weight; one that gets more starts now, even before its owner's others.

    Raises:
        JobEnded, NothingToDo: It does not wait.
    """
    if job.state.ended:
        raise JobEnded(job=job.id, state=job.state.value)
    if job.state is not JobState.QUEUED:
        raise NothingToDo(why=f"Job {job.id} is running already.")
    heavier = priority.weight > job.priority.weight
    start = min(job.start, pool.moment(now)) if heavier else job.start
    changed = job.but(priority=priority, start=start)
    return changed.but(rank=start + changed.span)


def moved_up(jobs: Iterable[Job], gone: Job) -> list[Job]:
    """An owner's jobs; those that wait in the pool of one that is gone, and behind it, lose what that was charged."""
    return [
        job.but(start=job.start - gone.span, rank=job.rank - gone.span)
        if job.state is JobState.QUEUED and job.pool == gone.pool and job.start >= gone.rank
        else job
        for job in jobs
    ]


def place(job: Job) -> tuple[float, datetime, str]:
    """What jobs are sorted by: the lowest goes first."""
    return job.rank, job.created_at, job.id


def preferred(window: Iterable[Job], *, warm: str | None, shuffled: Callable[[list[Job]], list[Job]]) -> list[Job]:
    """The order in which a worker tries the first jobs of its pools.

    Those of its warm base go before the very first where they weigh as much and stand within the look-ahead. Then
    comes a small head in random order, and then the rest.
    """
    ranked = sorted(window, key=place)
    if not ranked:
        return []
    first = ranked[0]
    reach, weight = first.rank + LOOK_AHEAD, first.priority.weight
    near = [job for job in ranked if job.rank <= reach and job.priority.weight >= weight]
    ready = [job for job in near if warm and job.base == warm]
    head = [job for job in near if job not in ready][:HEAD]
    tried = {job.id for job in (*ready, *head)}
    return [*shuffled(ready), *shuffled(head), *(job for job in ranked if job.id not in tried)]


def passed(job: Job, *, beside: Iterable[Job] = (), now: datetime) -> float:
    """What clocks read at least once a job was claimed: where it starts, or where the first of the other pools does.

    `beside` is what its worker might have taken instead. So nothing that comes later, into a pool whose time is behind,
    goes before what waits in another.
    """
    others = (one.start for one in beside if one.pool != job.pool)
    return max(job.start, min(others, default=job.start)) - AGEING * now.timestamp()


def behind(pools: Iterable[Pool], clock: float) -> list[str]:
    """The pools whose clocks are to be put forward: whoever serves several has one time in all of them."""
    return [pool.id for pool in pools if pool.clock + SLACK < clock]


def lacks(worker: Worker, pool: Pool) -> tuple[str, ...]:
    """What a worker lacks to take the jobs of a pool, in words; nothing where it can."""
    kind = [f"the kind {pool.kind}"] if pool.kind not in worker.kinds else []
    labels = [f"the label {label}" for label in pool.labels if label not in worker.labels]
    memory = [f"{pool.memory} MB of GPU memory"] if pool.memory > worker.memory else []
    missing = worker.missing.get(pool.offering or "")
    return (*kind, *labels, *memory, *([f"the base model ({missing})"] if missing else []))


def wanting(workers: Iterable[Worker], pool: Pool) -> tuple[str, ...]:
    """What the worker lacks that comes closest to a pool's jobs; nothing where one can, or none takes the kind."""
    return min((lacks(worker, pool) for worker in workers if pool.kind in worker.kinds), key=len, default=())


def paused(pool: Pool, off: Collection[str]) -> tuple[str, ...]:
    """Which of the switches that are off keep everybody from the jobs of a pool."""
    offering = (of_claims(pool.offering),) if pool.offering else ()
    return tuple(name for name in (QUEUE, of_kind(pool.kind), *offering) if name in off)


def serves(worker: Worker, pool: Pool, off: Collection[str]) -> bool:
    """Whether a worker takes jobs of a pool, given the switches that are off."""
    return of_worker(worker.id) not in off and not paused(pool, off) and not lacks(worker, pool)


def takers(pool: Pool, workers: Iterable[Worker], off: Collection[str]) -> list[Worker]:
    """The workers that take jobs of a pool, given the switches that are off."""
    return [one for one in workers if serves(one, pool, off)]


def rivals(pool: Pool, pools: Iterable[Pool], workers: Iterable[Worker], off: Collection[str]) -> list[str]:
    """The pools whose jobs go to the same workers as a pool's; without any worker, that pool."""
    able = takers(pool, workers, off)
    return [one.id for one in pools if any(serves(worker, one, off) for worker in able)] or [pool.id]


def forecast(job: Job, *, before: Sequence[Job], running: Sequence[Job], workers: Sequence[Worker]) -> Forecast:
    """When a job starts if these workers take what is before it in order, each one at a time.

    Args:
        job: What is asked about; its owner's jobs of one kind begin no more than the limit at a time, as everybody's.
        before: What these workers would rather take.
        running: What is being worked on.
        workers: Those that live and may take something.
    """
    free = {one.id: max((_left(job) for job in running if job.worker == one.id), default=0.0) for one in workers}
    ends: dict[str, list[float]] = {}
    for one in running:
        ends.setdefault(_turns(one), []).append(_left(one))
    begun: float | None = None
    for one in (*sorted(before, key=place), job):
        able = [worker.id for worker in workers if not lacks(worker, pool_of(one))]
        begun = None
        if able:
            taker, own = min(able, key=free.__getitem__), ends.setdefault(_turns(one), [])
            begun = max(free[taker], _turn(own))
            free[taker] = begun + one.estimate
            own.append(free[taker])
    if begun is None:
        return Forecast(ahead=len(before), soonest=None, latest=None)
    return Forecast(ahead=len(before), soonest=begun / SPREAD, latest=begun * SPREAD)


def _turns(job: Job) -> str:
    """Whose jobs, of which kind, begin no more than the limit at a time."""
    return f"{job.owner}:{job.kind}"


def _turn(ends: Sequence[float]) -> float:
    """When an owner's next may begin, by when those before it end."""
    return sorted(ends)[-ACTIVE_PER_OWNER] if len(ends) >= ACTIVE_PER_OWNER else 0.0


def _left(job: Job) -> float:
    """About how many seconds a running job still takes."""
    return job.estimate if job.progress is None or job.progress.eta is None else job.progress.eta
