"""Jobs: every kind of background work, the states it passes and the lease that fences its reports."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from pydantic import JsonValue

from core.domain.account import Actor, Role
from core.domain.artifact import Artifact
from core.domain.errors import JobEnded, LeaseLost, NothingToDo
from core.domain.log import Line, written
from core.domain.meter import Meter
from core.domain.steering import Wish
from core.domain.value import Entity, Value

LEASE = timedelta(seconds=45)
LOST_WORKERS = 3  # distinct workers lost on one job before it is taken for poison
ACTIVE_PER_OWNER = 2  # jobs of one kind and owner that may be claimed at a time
RETRY_AFTER = timedelta(seconds=10)
ATTEMPTS = 5
OPEN_PER_OWNER = 100  # jobs that somebody may have waiting
ESTIMATE = 60.0  # seconds that a job takes of which nothing better is known


class JobState(StrEnum):
    """Terminal is terminal: the last three never change again."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self not in {JobState.QUEUED, JobState.RUNNING}


class Priority(StrEnum):
    """How much of the workers' time somebody's job gets against another's: the weights of the queue's shares."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"

    @property
    def weight(self) -> float:
        """The share against that of another job, of which only the ratio matters."""
        return {Priority.LOW: 0.25, Priority.NORMAL: 1.0, Priority.HIGH: 8.0}[self]


class Progress(Value):
    """How far: steps done of a total, seconds left by the pace so far, and what is being done."""

    step: int
    total: int
    eta: float | None = None
    doing: str = ""


class Failure(Value):
    """Why a job failed: a stable code, plain words, and whether the fault is the house's."""

    code: str
    words: str
    ours: bool = True


class Job(Entity):
    """One piece of work for a worker. `subject` is what it is about, `rank` its place in the queue (low first).

    What a worker needs for it: its kind, all of the `labels`, the `memory` of a GPU in MB (0: any device), and the base
    model of its `offering`; `base` is what the worker keeps warm. `pool` names all of this. `estimate` is how many
    seconds of a worker it will take about, and `start` and `rank` where they lie in virtual time. One that is `asleep`
    is not looked at before its moment.

    `key` makes asking idempotent: unique, from whoever asked. What the house finds to do by itself nobody has
    `ordered`. Jobs of one `group` can be done in one go. `earned` is what of the `price` is due by now, however the
    job ends; None: all of it by success, nothing otherwise. The `meter` tells what it took of devices. `wishes` are
    what its owner wants of it while it runs. `shunned` is a worker that could not do it for want of something that
    others may have; until then it does not get it again. The `log` tells what happened, in words.
    """

    kind: str
    key: str
    owner: str
    subject: str
    title: str
    ordered: bool = True
    payload: Mapping[str, JsonValue]
    result: Mapping[str, JsonValue] | None = None
    price: int = 0
    earned: int | None = None
    labels: tuple[str, ...] = ()
    memory: int = 0
    offering: str | None = None
    base: str | None = None
    group: str | None = None
    pool: str = ""
    priority: Priority = Priority.NORMAL
    estimate: float = ESTIMATE
    state: JobState = JobState.QUEUED
    eligible: bool
    start: float = 0.0
    rank: float
    created_at: datetime
    not_before: datetime
    asleep: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: int = 0
    worker: str | None = None
    token: str | None = None
    lease_until: datetime | None = None
    lost: tuple[str, ...] = ()
    shunned: str | None = None
    shunned_until: datetime | None = None
    progress: Progress | None = None
    checkpoint: Artifact | None = None
    failure: Failure | None = None
    meter: Meter = Meter()
    wishes: tuple[Wish, ...] = ()
    log: tuple[Line, ...] = ()

    @property
    def takes_a_turn(self) -> bool:
        """Whether it is one of those that its owner may have under way at a time: what is asleep holds up no other."""
        return self.eligible and not self.asleep

    @property
    def due(self) -> int:
        """What of the price its owner owes as it stands."""
        by_state = self.price if self.state is JobState.SUCCEEDED else 0
        return by_state if self.earned is None else self.earned

    @property
    def span(self) -> float:
        """What its owner is charged in virtual time: its estimate, by its weight."""
        return self.estimate / self.priority.weight

    def visible_to(self, actor: Actor) -> bool:
        """Whether the actor may see it: its owner, and moderators."""
        return self.owner == actor.account or actor.role.covers(Role.MODERATOR)

    def claimed(self, *, worker: str, token: str, now: datetime, metered: bool = True) -> Self:
        """A worker takes it: attempt + 1, a new token, a lease.

        It is not `metered` where it is done in one go with another, for which the time of the device is counted.

        Raises:
            LeaseLost: It is not waiting (any more).
        """
        if self.state is not JobState.QUEUED or not self.eligible or self.not_before > now:
            raise LeaseLost(job=self.id)
        return self.but(
            state=JobState.RUNNING,
            attempt=self.attempt + 1,
            asleep=False,
            worker=worker,
            token=token,
            lease_until=now + LEASE,
            started_at=self.started_at or now,
            meter=self.meter.started(now if metered else None),
        ).noted(f"worker {worker} takes it", now=now)

    def fenced(self, token: str) -> Self:
        """Let only the current attempt pass.

        Raises:
            LeaseLost: The token is of another attempt, or the job is not running.
        """
        if self.state is not JobState.RUNNING or self.token != token:
            raise LeaseLost(job=self.id)
        return self

    def reported(self, *, now: datetime, progress: Progress | None = None, checkpoint: Artifact | None = None) -> Self:
        """The worker lives: the lease runs anew."""
        reported = self.but(
            lease_until=now + LEASE,
            progress=progress or self.progress,
            checkpoint=checkpoint or self.checkpoint,
            meter=self.meter.read(now),
        )
        if checkpoint:
            reported = reported.noted(f"kept where it stands ({_standing(self.progress)})", now=now)
        return reported.noted(progress.doing, now=now) if progress and progress.doing else reported

    def noted(self, words: str, *, now: datetime) -> Self:
        """The job with a line more in its log."""
        return self.but(log=written(self.log, words, attempt=self.attempt, now=now))

    def released(self, *, now: datetime) -> Self:
        """The worker hands it back in order, which costs no attempt."""
        return self.noted("handed back", now=now).but(**_unclaimed, attempt=self.attempt - 1)

    def requeued(self, *, now: datetime) -> Self:
        """An operator takes it from its worker, whose reports are stale from now on; it costs no attempt.

        Raises:
            JobEnded: It has ended.
            NothingToDo: No worker has it.
        """
        if self.state.ended:
            raise JobEnded(job=self.id, state=self.state.value)
        if self.state is not JobState.RUNNING:
            raise NothingToDo(why=f"Job {self.id} is in the queue: no worker has it.")
        return self.released(now=now)

    def expired(self, *, now: datetime) -> Self:
        """The lease ran out; after three distinct workers lost it is failed as poison.

        Raises:
            LeaseLost: The lease has not run out.
        """
        if self.state is not JobState.RUNNING or self.lease_until is None or self.lease_until > now:
            raise LeaseLost(job=self.id)
        lost = tuple(dict.fromkeys((*self.lost, self.worker or "?")))
        if len(lost) >= LOST_WORKERS:
            words = f"{len(lost)} workers were lost while working on it, so it is set aside for an operator to look at."
            return self.but(lost=lost).failed(Failure(code="quarantined", words=words), now=now)
        return self.noted(f"worker {self.worker} was lost", now=now).but(**_unclaimed, lost=lost)

    def retried(self, *, now: datetime) -> Self:
        """Another attempt later, from the last checkpoint; the wait doubles each time."""
        again = now + RETRY_AFTER * 2 ** (self.attempt - 1)
        return self.noted("to be tried again", now=now).but(**_unclaimed, not_before=again, asleep=True)

    def woken(self) -> Self:
        """Its moment has come."""
        return self.but(asleep=False)

    def elsewhere(self, *, now: datetime) -> Self:
        """Another attempt at once by another worker; by this one only after the wait of a retry."""
        again = self.retried(now=now)
        return again.but(not_before=now, asleep=False, shunned=self.worker, shunned_until=again.not_before)

    def shuns(self, worker: str, *, now: datetime) -> bool:
        """Whether this worker could not do it a while ago."""
        return self.shunned == worker and self.shunned_until is not None and now < self.shunned_until

    def succeeded(self, result: Mapping[str, JsonValue], *, now: datetime) -> Self:
        """Done."""
        return self._ended(JobState.SUCCEEDED, now=now, result=result)

    def failed(self, failure: Failure, *, now: datetime) -> Self:
        """Not to be done."""
        return self._ended(JobState.FAILED, now=now, failure=failure)

    def cancelled(self, *, now: datetime) -> Self:
        """No longer wanted: released at once, queued or running; a running worker finds its lease lost."""
        return self._ended(JobState.CANCELLED, now=now)

    def _ended(self, state: JobState, *, now: datetime, **facts: object) -> Self:
        if self.state.ended:
            raise JobEnded(job=self.id, state=self.state.value)
        heard = min(now, self.lease_until or now)
        meter = self.meter.read(heard) if self.state is JobState.RUNNING else self.meter
        gone = {"token": None, "lease_until": None, "checkpoint": None, "asleep": False}
        return self.noted(state, now=now).but(state=state, ended_at=now, meter=meter, **gone, **facts)


def _standing(progress: Progress | None) -> str:
    return f"{progress.step} of {progress.total}" if progress else "at the beginning"


def asked(  # the fields of a job that its asker knows
    kind: str,
    *,
    id: str,  # noqa: A002 - the field's name
    key: str,
    owner: str,
    subject: str,
    title: str,
    now: datetime,
    price: int = 0,
    labels: tuple[str, ...] = (),
    memory: int = 0,
    offering: str | None = None,
    base: str | None = None,
    group: str | None = None,
    estimate: float = ESTIMATE,
    priority: Priority = Priority.NORMAL,
) -> Job:
    """A new job as it is asked for; enqueueing adds the payload, whether it is eligible and its place in the queue."""
    return Job(
        id=id,
        kind=kind,
        key=key,
        owner=owner,
        subject=subject,
        title=title,
        payload={},
        price=price,
        labels=labels,
        memory=memory,
        offering=offering,
        base=base,
        group=group,
        pool=pooled(kind, offering=offering, labels=labels, memory=memory),
        priority=priority,
        estimate=estimate,
        eligible=False,
        rank=0.0,
        created_at=now,
        not_before=now,
    )


def pooled(kind: str, *, offering: str | None, labels: tuple[str, ...], memory: int) -> str:
    """The name of what the same workers may take."""
    return "|".join((kind, offering or "", ",".join(sorted(labels)), str(memory)))


_unclaimed = {"state": JobState.QUEUED, "worker": None, "token": None, "lease_until": None}
