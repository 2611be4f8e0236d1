"""One attempt at one job: the work beside its heartbeat, and the table from how it ended to what becomes of the job."""

import asyncio
import errno
import secrets

import structlog

from core.domain.errors import DomainError, LeaseLost, Unavailable
from core.domain.failure import Act, row_of
from core.domain.job import ATTEMPTS, Failure
from core.domain.value import Value
from worker import kinds
from worker.channel import TaskFailed
from worker.child import ChildDied, ChildTimedOut
from worker.task import HandedOver, Task
from worker.waiting import patiently, stopped

HEARTBEAT = 10.0
GRACE = 15.0  # seconds a kind has to hand over after the worker was told to leave

BROKE = "broke"

log = structlog.get_logger()


class Again(Value):
    """The outcome of an attempt that asks for another: later, or at once by another worker."""

    elsewhere: bool


Outcome = Value | Failure | HandedOver | Again


async def attempt(task: Task, *, stop: asyncio.Event) -> bool:
    """Do a claimed job and tell the house how it ended; True when it ended for good.

    A lost lease, that of a cancelled job included, discards everything that was done.
    """
    job = task.job
    with structlog.contextvars.bound_contextvars(job=job.id, kind=job.kind, attempt=job.attempt):
        log.info("job.claimed")
        try:
            outcome = await _worked(task, stop)
            ended = await _told(task, outcome)
        except LeaseLost:
            task.metrics.lost(job)
            log.info("job.discarded", why="the lease is lost: cancelled, or another worker has it")
            return False
        log.info("job.ended" if ended else "job.released", outcome=type(outcome).__name__)
        return ended


async def _worked(task: Task, stop: asyncio.Event) -> Outcome:
    """Run the work until it ends, the lease is lost, or the worker leaves."""
    work = asyncio.create_task(_guarded(task))
    beat = asyncio.create_task(_beat(task))
    leave = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({work, beat, leave}, return_when=asyncio.FIRST_COMPLETED)
        if leave.done() and not work.done() and not beat.done():
            task.stopping.set()
            task.studio.ask_to_stop()
            await asyncio.wait({work, beat}, timeout=GRACE, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                return HandedOver()
        if beat.done() and not work.done():
            beat.result()
        return await work
    finally:
        await stopped(work, beat, leave)


async def _beat(task: Task) -> None:
    """Extend the lease until it is lost; whatever else keeps a beat from coming through, the next one may."""
    while True:
        await asyncio.sleep(HEARTBEAT)
        try:
            await task.services.jobs.report(task.job.id, task.token)
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - no reason to stop the work
            log.warning("job.beat_missed", why=str(error))


async def _guarded(task: Task) -> Outcome:
    """The work, with every way it can go wrong turned into what becomes of the job."""
    try:
        return await kinds.named(task.job.kind).work(task)
    except HandedOver as left:
        return left
    except LeaseLost:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the job must end and somebody must hear of it
        return _failure(task, error)


def _failure(task: Task, error: Exception) -> Failure | Again:
    """What becomes of a job by the catalogue; one that another worker may end well is tried again first."""
    code, said = _named(error)
    act = row_of(code).act
    if act in {Act.RETRY, Act.ELSEWHERE} and task.job.attempt < ATTEMPTS:
        log.warning("attempt.lost", code=code, why=str(error))
        return Again(elsewhere=act is Act.ELSEWHERE)
    return _broke(error) if code == BROKE else _failed(code, said)


def _failed(code: str, said: str) -> Failure:
    row = row_of(code)
    log.warning("job.failed", code=code, why=said)
    return Failure(code=code, words=row.told(said), ours=row.ours)


def _broke(error: Exception) -> Failure:
    reference = secrets.token_hex(4)
    log.error("job.broke", reference=reference, exc_info=error)
    return Failure(code=BROKE, words=row_of(BROKE).told(reference))


def _named(error: Exception) -> tuple[str, str]:
    """The code of an error, and what there is to say of the single case."""
    match error:
        case TaskFailed():
            return error.code, error.words
        case OSError(errno=errno.ENOSPC):
            return "disk_full", str(error)
        case ChildDied() | ChildTimedOut() | Unavailable():
            return "attempts_used_up", f"It was tried {ATTEMPTS} times in vain. The last time, {error}."
        case DomainError():
            return error.code, str(error)
        case _:
            return BROKE, str(error)


async def _told(task: Task, outcome: Outcome) -> bool:
    """Tell it however long it takes; what cannot be settled so has broken."""
    try:
        return await patiently(lambda: _tell(task, outcome))
    except LeaseLost:
        raise
    except Exception as error:  # noqa: BLE001 - as in _guarded
        failure = _broke(error)
    return await patiently(lambda: _tell(task, failure))


async def _tell(task: Task, outcome: Outcome) -> bool:
    jobs, job = task.services.jobs, task.job
    match outcome:
        case HandedOver():
            await jobs.release(job.id, task.token)
            task.metrics.ended(job, "released")
            return False
        case Again(elsewhere=elsewhere):
            await jobs.retry(job.id, task.token, elsewhere=elsewhere)
            task.metrics.ended(job, "retried")
            return False
        case _:
            await jobs.finish(job.id, task.token, outcome)
            task.metrics.ended(job, outcome.code if isinstance(outcome, Failure) else "succeeded")
            return True
