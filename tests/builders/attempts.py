"""Attempts: what a worker does with a job, without its loop."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from core.domain.job import Job
from loraguild.composition import House
from tests.builders.scenes import claimed
from worker.attempt import attempt
from worker.child import Child
from worker.task import Task

T = TypeVar("T")

GIB = 2**30


def a_task(house: House, job: Job, *, studio: Child, folder: Path) -> Task:
    """Make the task of a claimed job, in a folder of its own."""
    own = folder / f"{job.id}-{job.attempt}"
    own.mkdir(parents=True, exist_ok=True)
    return Task(
        job=job,
        services=house.services,
        blobs=house.blobs,
        folder=own,
        cache=folder / "cache",
        studio=studio,
        memory=4 * GIB,
        checkpoint_seconds=0.2,
    )


async def attempted(house: House, job: Job, *, studio: Child, folder: Path) -> Job:
    """Claim a job, attempt it, and return what became of it."""
    found, _ = await claimed(house, job)
    ended = await attempt(a_task(house, found, studio=studio, folder=folder), stop=asyncio.Event())
    after = await house.store.jobs.get(job.id)
    assert ended == after.state.ended
    return after


async def awaited(look: Callable[[], Awaitable[T | None]], *, seconds: float = 20) -> T:
    """Look again and again until there is something to see."""
    async with asyncio.timeout(seconds):
        while not (seen := await look()):  # noqa: ASYNC110 - others change what is looked at; no event tells of it
            await asyncio.sleep(0.05)
    return seen
