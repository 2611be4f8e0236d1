"""One attempt at one job: the work beside its heartbeat, and the table from how it ended to what becomes of the job."""

import asyncio
import secrets

import structlog

from core.domain.errors import DomainError, LeaseLost, Unavailable
from core.domain.job import ATTEMPTS, Failure
from core.domain.value import Value
from worker import kinds
from worker.channel import TaskFailed
from worker.child import ChildDied, ChildTimedOut
from worker.task import HandedOver, Task
from worker.waiting import patiently, stopped

HEARTBEAT = 10.0
GRACE = 15.0  # seconds a kind has to hand over after the worker was told to leave

THEIRS = frozenset({"bad_item", "nan_loss", "files_too_demanding"})

log = structlog.get_logger()


async def attempt(task: Task, *, stop: asyncio.Event) -> bool:
    """Do a claimed job and tell the house how it ended; True when it ended for good.

    A lost lease, that of a cancelled job included, discards everything that was done.
    """
    bound = log.bind(job=task.job.id, kind=task.job.kind, attempt=task.job.attempt)
    bound.info("job.claimed")
    try:
        outcome = await _worked(task, stop)
        ended = await _told(task, outcome)
    except LeaseLost:
        bound.info("job.discarded", why="the lease is lost: cancelled, or another worker has it")
        return False
    bound.info("job.ended" if ended else "job.released", outcome=type(outcome).__name__)
    return ended


async def _worked(task: Task, stop: asyncio.Event) -> Value | Failure | HandedOver | None:
    """Run the work until it ends, the lease is lost, or the worker leaves; None asks for another attempt."""
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
            log.warning("job.beat_missed", job=task.job.id, why=str(error))


async def _guarded(task: Task) -> Value | Failure | HandedOver | None:
    """The work, with every way it can go wrong turned into what becomes of the job."""
    try:
        return await kinds.named(task.job.kind).work(task)
    except HandedOver as left:
        return left
    except LeaseLost:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the job must end and somebody must hear of it
        return _failure(task, error)


def _failure(task: Task, error: Exception) -> Failure | None:
    """The table from errors to failures; None asks for another attempt."""
    match error:
        case TaskFailed():
            return Failure(code=error.code, words=error.words, ours=error.code not in THEIRS)
        case ChildDied() | ChildTimedOut() | Unavailable():
            log.warning("attempt.lost", job=task.job.id, why=str(error))
            words = f"It was tried {ATTEMPTS} times in vain. The last time, {error}."
            return None if task.job.attempt < ATTEMPTS else Failure(code="attempts_used_up", words=words)
        case DomainError():
            return Failure(code=error.code, words=str(error))
        case _:
            return _broke(task, error)


def _broke(task: Task, error: Exception) -> Failure:
    reference = secrets.token_hex(4)
    log.error("job.broke", job=task.job.id, reference=reference, exc_info=error)
    return Failure(code="broke", words=f"Something broke; reference {reference}.")


async def _told(task: Task, outcome: Value | Failure | HandedOver | None) -> bool:
    """Tell it however long it takes; what cannot be settled so has broken."""
    try:
        return await patiently(lambda: _tell(task, outcome))
    except LeaseLost:
        raise
    except Exception as error:  # noqa: BLE001 - as in _guarded
        failure = _broke(task, error)
    return await patiently(lambda: _tell(task, failure))


async def _tell(task: Task, outcome: Value | Failure | HandedOver | None) -> bool:
    jobs, job = task.services.jobs, task.job
    match outcome:
        case HandedOver():
            await jobs.release(job.id, task.token)
            return False
        case None:
            await jobs.retry(job.id, task.token)
            return False
        case _:
            await jobs.finish(job.id, task.token, outcome)
            return True
