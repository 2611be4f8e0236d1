"""The loop: what a worker does beside its jobs, from moving in to leaving."""

import asyncio
import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from core.domain.caption import CaptionMode
from core.domain.job import LEASE, Job, JobState
from core.domain.switch import of_worker
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.attempts import a_floor, awaited, working
from tests.builders.entities import HOME
from tests.builders.scenes import a_ready_dataset, claimed, somebody, stored
from tests.worker.pictures import a_zorp, encoded
from worker.folders import KEPT_UNUSED, forget_unused, own_folder
from worker.loop import work

A_MOMENT = timedelta(milliseconds=1)


async def wishes(house: House, *, count: int) -> list[Job]:
    """Let as many people ask for captions of a picture each."""
    jobs = []
    for number in range(count):
        actor = await somebody(house, f"person {number}")
        dataset = await a_ready_dataset(house, actor)
        for item in await house.store.items.of(dataset.id):
            picture = await stored(house, "p.png", encoded(a_zorp("blue", size=64)))
            await house.store.items.save(item.but(artifact=picture))
        key = house.services.conversations.token()
        mode = CaptionMode.OVERWRITE
        jobs.append(await house.services.captionings.auto(actor, dataset, mode=mode, place=HOME, key=key))
    return jobs


async def states(house: House, jobs: list[Job]) -> list[JobState]:
    return [(await house.store.jobs.get(job.id)).state for job in jobs]


async def test_once_does_all_there_is_and_leaves(house: House, clock: HandClock, tmp_path: Path) -> None:
    jobs = await wishes(house, count=3)
    assert await work(a_floor(house, tmp_path), concurrency=2, once=True, stop=asyncio.Event()) == 3
    assert await states(house, jobs) == [JobState.SUCCEEDED] * 3
    clock.advance(A_MOMENT)
    assert await house.services.jobs.workers() == []
    assert list(await asyncio.to_thread(lambda: list((tmp_path / "workers").glob("*/")))) == []


async def test_a_worker_takes_only_its_kinds(house: House, tmp_path: Path) -> None:
    jobs = await wishes(house, count=1)
    floor = a_floor(house, tmp_path, kinds=("training",))
    assert await work(floor, once=True, stop=asyncio.Event()) == 0
    assert await states(house, jobs) == [JobState.QUEUED]


async def test_a_worker_takes_back_the_jobs_of_the_lost(house: House, clock: HandClock, tmp_path: Path) -> None:
    (job,) = await wishes(house, count=1)
    await claimed(house, job, worker="lost")
    clock.advance(LEASE)
    async with working(a_floor(house, tmp_path)):
        await awaited(lambda: succeeded(house, job))
    done = await house.store.jobs.get(job.id)
    assert (done.attempt, done.lost, done.worker) == (2, ("lost",), "w1")


async def succeeded(house: House, job: Job) -> bool:
    return (await house.store.jobs.get(job.id)).state is JobState.SUCCEEDED


async def test_an_idle_worker_is_seen_until_it_leaves(house: House, clock: HandClock, tmp_path: Path) -> None:
    async with working(a_floor(house, tmp_path)):
        assert [worker.id for worker in await awaited(house.services.jobs.workers)] == ["w1"]
    clock.advance(A_MOMENT)
    assert await house.services.jobs.workers() == []


async def test_a_drained_worker_ends_what_it_does_and_leaves_nothing_behind(
    house: House, database: Database, tmp_path: Path
) -> None:
    root = await somebody(house, "root")
    jobs = await wishes(house, count=2)
    floor, stop = a_floor(house, tmp_path), asyncio.Event()
    await house.services.operations.turn(root, of_worker("w1"), on=False)
    assert await asyncio.wait_for(work(floor, stop=stop), 60) == 0
    assert await states(house, jobs) == [JobState.QUEUED] * 2
    assert (await house.services.operations.workers(root), await database["switches"].count_documents({})) == ([], 0)
    assert await work(a_floor(house, tmp_path), once=True, stop=asyncio.Event()) == 2


async def test_what_cannot_be_loaded_is_known_before_the_first_claim(house: House, tmp_path: Path) -> None:
    async def missing() -> dict[str, str]:
        return {"tiny": "it is not here"}

    async with working(a_floor(house, tmp_path, missing=missing)):
        (worker,) = await awaited(house.services.jobs.workers)
    assert worker.missing == {"tiny": "it is not here"}


async def test_a_duty_that_breaks_costs_nobody_a_job(house: House, tmp_path: Path) -> None:
    class Broken:
        """Blobs whose sweeper has a bug; all else is the house's."""

        put, open, discard = house.blobs.put, house.blobs.open, house.blobs.discard

        async def sweep(self) -> int:
            raise ZeroDivisionError

    jobs = await wishes(house, count=1)
    floor = a_floor(house, tmp_path)
    broken = replace(floor, blobs=Broken())
    with structlog.testing.capture_logs() as logs:
        assert await work(broken, once=True, stop=asyncio.Event()) == 1
    assert await states(house, jobs) == [JobState.SUCCEEDED]
    assert [entry["log_level"] for entry in logs if entry["event"] == "duty.broke"] == ["error"]


def test_the_folder_of_a_worker_that_died_is_cleared_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "dead" / "job-1").mkdir(parents=True)
    with own_folder(tmp_path, "one") as one:
        (one / "kept").touch()
        with own_folder(tmp_path, "two") as two:
            assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["one", "two"]
            with pytest.raises(BlockingIOError), own_folder(tmp_path, "one"):
                pass
        assert (one / "kept").exists()
        assert not two.exists()
    assert not one.exists()


def test_the_cache_forgets_what_nobody_used_for_a_week(tmp_path: Path) -> None:
    now = time.time()
    for name, used in (("old", now - KEPT_UNUSED - 60), ("new", now - KEPT_UNUSED + 60)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (used, used))
    assert forget_unused(tmp_path, now=now) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert forget_unused(tmp_path / "missing", now=now) == 0
