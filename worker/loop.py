"""The polling loop: slots that claim and do jobs, a pulse that says the worker lives, a janitor for the whole house."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from config.settings import Settings
from core.domain.errors import Unavailable
from core.domain.fleet import Worker
from core.domain.job import Job
from core.ports.blobs import Blobs
from core.services import Services
from worker import architectures
from worker.attempt import attempt
from worker.batch import Batch
from worker.child import Child
from worker.folders import forget_unused, own_folder
from worker.task import Task
from worker.waiting import stopped

T = TypeVar("T")

POLL, PULSE, EXPIRE, SWEEP = 0.5, 10.0, 5.0, 3600.0  # seconds
TOGETHER = 8  # jobs that are done in one go, at most
LEAVE, FAREWELL = 25.0, 3.0  # seconds until a worker that was told to leave is cut off, and for its last word

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Floor:
    """What a worker stands on. `memory` is what looking into untrusted files may take, in bytes.

    `studio` is what the torch child makes once and keeps.
    """

    services: Services
    blobs: Blobs
    worker: Worker
    settings: Settings
    folder: Path
    memory: int
    checkpoint_seconds: float = 30.0
    studio: str = "worker.pipelines.studio:Studio"
    busy: set[str] = field(default_factory=set)

    @property
    def cache(self) -> Path:
        """What trainings keep for the next ones; all workers of a folder share it."""
        return self.folder / "cache"


async def work(floor: Floor, *, concurrency: int = 1, once: bool = False, stop: asyncio.Event) -> int:
    """Do jobs until `stop` is set, or, with `once`, until none is left; return how many ended.

    When stopped, running work is handed over: it finishes its step, stores a checkpoint and releases its lease.

    Raises:
        BadValue: An offering's base is of an architecture that is not known here.
    """
    architectures.require(one.base.architecture for one in floor.services.generations.offerings.values())
    jobs, blobs = floor.services.jobs, floor.blobs
    with own_folder(floor.folder / "workers", floor.worker.id) as folder:
        log.info("worker.started", worker=floor.worker.id, kinds=floor.worker.kinds, labels=floor.worker.labels)
        slots = [asyncio.create_task(_slot(floor, folder, once=once, stop=stop)) for _ in range(concurrency)]
        duties = [
            asyncio.create_task(_every(PULSE, lambda: _pulse(floor))),
            asyncio.create_task(_every(EXPIRE, jobs.expire)),
            asyncio.create_task(_every(SWEEP, blobs.sweep)),
            asyncio.create_task(_every(SWEEP, lambda: asyncio.to_thread(forget_unused, floor.cache))),
            asyncio.create_task(_cut_off(slots, stop)),
        ]
        try:
            await asyncio.wait(slots, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            await stopped(*slots, *duties)
            with suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await jobs.leave(floor.worker)
            log.info("worker.left", worker=floor.worker.id)
    return sum(slot.result() for slot in slots if not slot.cancelled())


async def _slot(floor: Floor, folder: Path, *, once: bool, stop: asyncio.Event) -> int:
    """Claim and do one job after another, those that are alike together; the torch child stays warm between them."""
    ended, jobs = 0, floor.services.jobs
    async with Child(floor.studio) as studio:
        while not stop.is_set():
            job = await _survived(partial(jobs.claim, floor.worker))
            if job is not None:
                alike = await _survived(partial(jobs.claim_alike, job, floor.worker, most=TOGETHER - 1))
                ended += await _together(floor, folder, (job, *(alike or ())), studio, stop)
            elif once:
                break
            else:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), POLL)
    return ended


async def _together(floor: Floor, folder: Path, jobs: Sequence[Job], studio: Child, stop: asyncio.Event) -> int:
    """Attempts side by side, in a folder that is gone afterwards; return how many jobs ended."""
    own = folder / str(jobs[0].token)
    try:
        async with Batch(studio, size=len(jobs), folder=own) as batch, asyncio.TaskGroup() as attempts:
            tasks = [attempts.create_task(_survived(partial(_done, floor, job, studio, batch, stop))) for job in jobs]
    finally:
        await asyncio.to_thread(shutil.rmtree, own, ignore_errors=True)
    return sum(bool(task.result()) for task in tasks)


async def _done(floor: Floor, job: Job, studio: Child, batch: Batch, stop: asyncio.Event) -> bool:
    """One attempt in a folder of its own."""
    floor.busy.add(job.id)
    try:
        with batch.seat():
            folder = batch.folder / job.id
            await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
            task = Task(
                job=job,
                services=floor.services,
                blobs=floor.blobs,
                settings=floor.settings,
                folder=folder,
                cache=floor.cache,
                studio=studio,
                batch=batch,
                memory=floor.memory,
                checkpoint_seconds=floor.checkpoint_seconds,
            )
            await _pulse(floor)
            return await attempt(task, stop=stop)
    finally:
        floor.busy.discard(job.id)


async def _pulse(floor: Floor) -> None:
    await _survived(lambda: floor.services.jobs.beat(floor.worker.but(jobs=tuple(sorted(floor.busy)))))


async def _every(seconds: float, duty: Callable[[], Awaitable[object]]) -> None:
    while True:
        await _survived(duty)
        await asyncio.sleep(seconds)


async def _survived(duty: Callable[[], Awaitable[T]]) -> T | None:
    """What a duty returns, or None: whatever it ran into, the work of the others goes on."""
    try:
        return await duty()
    except Unavailable as error:
        log.warning("house.away", why=str(error))
    except Exception:
        log.exception("duty.broke")
    return None


async def _cut_off(slots: list[asyncio.Task[int]], stop: asyncio.Event) -> None:
    """End what has not handed over in time; its lease will run out."""
    await stop.wait()
    await asyncio.sleep(LEAVE)
    await stopped(*slots)
