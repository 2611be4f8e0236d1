"""Attempts: what a worker does with a job, with and without its loop."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from core.domain.fleet import Worker
from core.domain.job import Job
from loraguild.composition import House
from tests.builders.entities import NOON
from tests.builders.scenes import KINDS, claimed
from worker.attempt import attempt
from worker.batch import Batch
from worker.child import Child
from worker.loop import Floor, work
from worker.metrics import Metrics
from worker.task import Task

T = TypeVar("T")

GIB = 2**30
PATIENCE = 60.0  # seconds until something is taken never to happen: a busy machine is slow


def a_task(house: House, job: Job, *, studio: Child, folder: Path, batch: Batch | None = None) -> Task:
    """Make the task of a claimed job, in a folder of its own; unless there is a batch, it draws alone."""
    own = folder / f"{job.id}-{job.attempt}"
    own.mkdir(parents=True, exist_ok=True)
    return Task(
        job=job,
        services=house.services,
        blobs=house.blobs,
        settings=house.settings,
        folder=own,
        cache=folder / "cache",
        studio=studio,
        batch=batch or Batch(studio, size=1, folder=own),
        memory=4 * GIB,
        checkpoint_seconds=0.2,
        presence=a_floor(house, folder).presence,
        metrics=Metrics(),
    )


async def attempted(house: House, job: Job, *, studio: Child, folder: Path) -> Job:
    """Claim a job, attempt it, and return what became of it."""
    found, _ = await claimed(house, job)
    ended = await attempt(a_task(house, found, studio=studio, folder=folder), stop=asyncio.Event())
    after = await house.store.jobs.get(job.id)
    assert ended == after.state.ended
    return after


def a_floor(house: House, folder: Path, *, name: str = "w1", kinds: tuple[str, ...] = KINDS, **facts: Any) -> Floor:
    """Make what a worker stands on."""
    worker = Worker(id=name, host="here", pid=os.getpid(), device="cpu", kinds=kinds, started_at=NOON, seen_at=NOON)
    return Floor(
        services=house.services,
        blobs=house.blobs,
        worker=worker,
        settings=house.settings,
        folder=folder,
        memory=4 * GIB,
        **facts,
    )


@asynccontextmanager
async def working(floor: Floor) -> AsyncIterator[None]:
    """Let a worker work in the background."""
    stop = asyncio.Event()
    running = asyncio.create_task(work(floor, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(running, PATIENCE)


async def awaited(look: Callable[[], Awaitable[T | None]], *, seconds: float = PATIENCE) -> T:
    """Look again and again until there is something to see."""
    async with asyncio.timeout(seconds):
        while not (seen := await look()):  # noqa: ASYNC110 - others change what is looked at; no event tells of it
            await asyncio.sleep(0.05)
    return seen
