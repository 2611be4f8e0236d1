"""The polling loop: slots that claim and do jobs, a presence that says so, a janitor for the whole house."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
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
from worker.metrics import Metrics
from worker.presence import Presence
from worker.task import Task
from worker.waiting import stopped

T = TypeVar("T")

POLL, DRAINED, EXPIRE, LOOK, SWEEP = 0.5, 2.0, 5.0, 180.0, 3600.0  # seconds
TOGETHER = 8  # jobs that are done in one go, at most
LEAVE, FAREWELL = 25.0, 3.0  # seconds until a worker that was told to leave is cut off, and for its last word

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Floor:
    """What a worker stands on. `memory` is what looking into untrusted files may take, in bytes.

    `studio` is what the torch child makes once and keeps. `missing` says by offering why its base cannot be loaded
    here; it is asked before the first claim and now and then.
    """

    services: Services
    blobs: Blobs
    worker: Worker
    settings: Settings
    folder: Path
    memory: int
    checkpoint_seconds: float = 30.0
    studio: str = "worker.pipelines.studio:Studio"
    missing: Callable[[], Awaitable[Mapping[str, str]]] | None = None
    metrics: Metrics = field(default_factory=Metrics)

    @cached_property
    def presence(self) -> Presence:
        """What the worker says of itself."""
        return Presence(self.worker, say=self.services.jobs.beat)

    @property
    def cache(self) -> Path:
        """What trainings keep for the next ones; all workers of a folder share it."""
        return self.folder / "cache"


async def work(floor: Floor, *, concurrency: int = 1, once: bool = False, stop: asyncio.Event) -> int:
    """Do jobs until `stop` is set, or, with `once`, until none is left; return how many ended.

    When stopped, running work is handed over: it finishes its step, stores a checkpoint and releases its lease. A
    worker that is drained ends what it does first, then sets `stop` itself.

    Raises:
        BadValue: An offering's base is of an architecture that is not known here.
    """
    architectures.require(one.base.architecture for one in floor.services.generations.offerings.values())
    worker = floor.worker
    with own_folder(floor.folder / "workers", worker.id) as folder:
        log.info("worker.started", kinds=worker.kinds, labels=worker.labels, device=worker.device)
        await _survived(partial(_looked, floor))
        await _survived(floor.presence.beat)
        slots = [asyncio.create_task(_slot(floor, folder, once=once, stop=stop)) for _ in range(concurrency)]
        duties = [*_duties(floor, stop), asyncio.create_task(_cut_off(slots, stop))]
        try:
            await asyncio.wait(slots, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            await stopped(*slots, *duties)
            with suppress(Unavailable, TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await floor.services.jobs.leave(worker)
            log.info("worker.left")
    return sum(slot.result() for slot in slots if not slot.cancelled())


async def _slot(floor: Floor, folder: Path, *, once: bool, stop: asyncio.Event) -> int:
    """Claim and do one job after another, those that are alike together; the torch child stays warm between them."""
    ended, jobs, presence = 0, floor.services.jobs, floor.presence
    async with Child(floor.studio) as studio:
        while not stop.is_set():
            job = await _survived(lambda: jobs.claim(presence.worker))
            if job is not None:
                alike = await _survived(partial(jobs.claim_alike, job, presence.worker, most=TOGETHER - 1))
                ended += await _together(floor, folder, (job, *(alike or ())), studio, stop)
            elif once:
                break
            else:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), POLL)
    return ended


async def _together(floor: Floor, folder: Path, jobs: Sequence[Job], studio: Child, stop: asyncio.Event) -> int:
    """Attempts side by side, in a folder that is gone afterwards; return how many jobs ended."""
    own, gpu = folder / str(jobs[0].token), floor.worker.gpu
    try:
        with floor.metrics.device(jobs[0], gpu=gpu):
            async with Batch(studio, size=len(jobs), folder=own) as batch, asyncio.TaskGroup() as attempts:
                dones = (partial(_done, floor, job, studio, batch, stop) for job in jobs)
                tasks = [attempts.create_task(_survived(done)) for done in dones]
    finally:
        await asyncio.to_thread(shutil.rmtree, own, ignore_errors=True)
    return sum(bool(task.result()) for task in tasks)


async def _done(floor: Floor, job: Job, studio: Child, batch: Batch, stop: asyncio.Event) -> bool:
    """One attempt in a folder of its own."""
    floor.presence.took(job.id)
    try:
        with floor.metrics.attempt(job), batch.seat():
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
                presence=floor.presence,
                metrics=floor.metrics,
            )
            return await attempt(task, stop=stop)
    finally:
        floor.presence.left(job.id)


def _duties(floor: Floor, stop: asyncio.Event) -> list[asyncio.Task[None]]:
    """What a worker does beside its jobs, for as long as it is there."""
    duties: list[tuple[float, Callable[[], Awaitable[object]]]] = [
        (0, partial(_pulse, floor)),
        (0, partial(_look, floor)),
        (DRAINED, partial(_leave_if_drained, floor, stop)),
        (EXPIRE, floor.services.jobs.expire),
        (SWEEP, floor.blobs.sweep),
        (SWEEP, partial(asyncio.to_thread, forget_unused, floor.cache)),
    ]
    return [asyncio.create_task(_every(seconds, duty)) for seconds, duty in duties]


async def _pulse(floor: Floor) -> None:
    await floor.presence.due()
    await floor.presence.beat()


async def _look(floor: Floor) -> None:
    await asyncio.sleep(LOOK)
    await _looked(floor)


async def _looked(floor: Floor) -> None:
    """See which bases can be loaded here."""
    if floor.missing:
        floor.presence.changed(missing=await floor.missing())


async def _leave_if_drained(floor: Floor, stop: asyncio.Event) -> None:
    """Leave once nothing is left to do for a worker that takes nothing more; a new one can take its place."""
    if not floor.presence.worker.jobs and await floor.services.jobs.drains(floor.worker):
        log.info("worker.drained")
        stop.set()


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
