"""The polling loop: slots that claim and do jobs, a pulse that says the worker lives, a janitor for the whole house."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from core.domain.errors import Unavailable
from core.domain.fleet import Worker
from core.domain.job import Job
from core.ports.blobs import Blobs
from core.services import Services
from worker.attempt import attempt
from worker.child import Child
from worker.task import Task

POLL, PULSE, EXPIRE, SWEEP = 0.5, 10.0, 5.0, 3600.0  # seconds

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Floor:
    """What a worker stands on. `memory` is what looking into untrusted files may take, in bytes."""

    services: Services
    blobs: Blobs
    worker: Worker
    folder: Path
    memory: int
    busy: set[str] = field(default_factory=set)


async def work(floor: Floor, *, concurrency: int = 1, once: bool = False, stop: asyncio.Event) -> int:
    """Do jobs until `stop` is set, or, with `once`, until none is left; return how many ended.

    When stopped, running work is handed over: it finishes its step, stores a checkpoint and releases its lease.
    """
    log.info("worker.started", worker=floor.worker.id, kinds=floor.worker.kinds, labels=floor.worker.labels)
    jobs = floor.services.jobs
    duties = [
        asyncio.create_task(_every(PULSE, lambda: _pulse(floor))),
        asyncio.create_task(_every(EXPIRE, jobs.expire)),
        asyncio.create_task(_every(SWEEP, floor.blobs.sweep)),
    ]
    try:
        return sum(await asyncio.gather(*(_slot(floor, once=once, stop=stop) for _ in range(concurrency))))
    finally:
        for duty in duties:
            duty.cancel()
        await asyncio.wait(duties)
        with suppress(Unavailable):
            await jobs.leave(floor.worker)
        log.info("worker.left", worker=floor.worker.id)


async def _slot(floor: Floor, *, once: bool, stop: asyncio.Event) -> int:
    """Claim and do one job after another; the torch child stays warm between them."""
    ended = 0
    async with Child("worker.pipelines.studio:Studio") as studio:
        while not stop.is_set():
            job = await _claimed(floor)
            if job is not None:
                ended += await _done(floor, job, studio, stop)
            elif once:
                break
            else:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), POLL)
    return ended


async def _claimed(floor: Floor) -> Job | None:
    try:
        return await floor.services.jobs.claim(floor.worker)
    except Unavailable as error:
        log.warning("worker.waits", why=str(error))
        await asyncio.sleep(POLL)
        return None


async def _done(floor: Floor, job: Job, studio: Child, stop: asyncio.Event) -> bool:
    """One attempt in a folder of its own, which is gone afterwards."""
    folder = floor.folder / f"{job.id}-{job.attempt}"
    folder.mkdir(parents=True, exist_ok=True)
    task = Task(
        job=job,
        services=floor.services,
        blobs=floor.blobs,
        folder=folder,
        cache=floor.folder / "cache",
        studio=studio,
        memory=floor.memory,
    )
    floor.busy.add(job.id)
    try:
        await _pulse(floor)
        return await attempt(task, stop=stop)
    finally:
        floor.busy.discard(job.id)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _pulse(floor: Floor) -> None:
    with suppress(Unavailable):
        await floor.services.jobs.beat(floor.worker.but(jobs=tuple(sorted(floor.busy))))


async def _every(seconds: float, duty: Callable[[], Awaitable[object]]) -> None:
    while True:
        try:
            await duty()
        except Unavailable as error:
            log.warning("worker.waits", why=str(error))
        await asyncio.sleep(seconds)
