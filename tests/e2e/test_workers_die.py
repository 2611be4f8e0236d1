"""What becomes of a training when its worker, its lease or its database is lost in the middle: whole processes."""

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from core.domain.job import Job, JobState
from core.domain.run import MetricsPoint
from core.kinds.training import Result
from loraguild.composition import House
from tests.builders.attempts import awaited
from tests.builders.entities import HOME
from tests.builders.scenes import Upload, prove_the_ledger, somebody
from tests.e2e.brisk import EPOCH
from tests.e2e.chaos_proof import prove_the_charge
from tests.e2e.crew import BRISK_WORKER
from tests.e2e.processes import (
    LORAGUILD,
    WORKER,
    ClockAhead,
    a_house,
    children,
    database_of,
    ended,
    gone,
    started,
    taken_back,
)
from tests.e2e.training_scene import cut_short, ordered, over, with_checkpoint
from tests.worker.pictures import a_picture, encoded

STEPS = 150
ENDLESS = "1500"  # steps: whoever is brisk has half a minute in which anything can be done to them
UNTOUCHED = MetricsPoint(step=1, loss=-1.0, lr=0.0)

pytestmark = pytest.mark.timeout(240)


async def prove_it_went_on(house: House, job: Job, *, attempt: int, epoch: int = STEPS // 2) -> None:
    """Assert that a training ended well, was charged once and did not begin anew: its first step is the marked one."""
    done = await house.store.jobs.get(job.id)
    assert (done.state, done.attempt) == (JobState.SUCCEEDED, attempt)
    last = Result.model_validate(done.result).step or 0
    chart = await house.store.runs.chart(job.id)
    assert [point.step for point in chart] == list(range(1, last + 1))
    assert chart[0] == UNTOUCHED
    run = await house.store.runs.get(job.id)
    ends = [*range(epoch, last, epoch), last]
    assert [(one.number, one.step) for one in run.epochs] == list(enumerate(ends, start=1))
    assert [model.run for model in await house.store.models.owned(job.owner)] == [job.id]
    await prove_the_charge(house, done)
    await prove_the_ledger(house.store)
    await prove_the_ledger(house.store)


async def all_gone(processes: list[psutil.Process]) -> bool:
    return all(gone(process) for process in processes)


async def test_a_worker_killed_in_the_middle_of_a_training_costs_nothing_but_time(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_house(tmp_path, clock=ClockAhead()) as ahead:
        with started(*WORKER, data=tmp_path) as first:
            job = await ordered(house)
            await with_checkpoint(house, job)
            helpers = children(first)
            assert helpers
            first.kill()
            await awaited(lambda: all_gone(helpers))
        await house.store.runs.plot(job.id, [UNTOUCHED])
        await taken_back(ahead, job)
        left = list((tmp_path / "work" / "workers").iterdir())
        with started(*WORKER, data=tmp_path, log="second.log") as second:
            await over(house, job)
            await prove_it_went_on(house, job, attempt=2)
            assert len(await house.store.runs.chart(job.id)) == STEPS
            assert not any(folder.exists() for folder in left if folder.is_dir())
            second.terminate()
            assert await ended(second, seconds=30) == 0
        assert len((await house.store.jobs.get(job.id)).lost) == 1


async def test_a_worker_that_is_told_to_leave_hands_over(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        with started(*BRISK_WORKER, data=tmp_path) as first:
            job = await ordered(house, steps=ENDLESS)
            await with_checkpoint(house, job)
            helpers = children(first)
            first.terminate()
            assert await ended(first, seconds=30) == 0
            await awaited(lambda: all_gone(helpers))
        released = await house.store.jobs.get(job.id)
        assert (released.state, released.attempt, released.lost) == (JobState.QUEUED, 0, ())
        assert await house.services.jobs.workers() == []
        await house.store.runs.plot(job.id, [UNTOUCHED])
        with started(*BRISK_WORKER, data=tmp_path, log="second.log"):
            await cut_short(house, job, await somebody(house))
        await prove_it_went_on(house, job, attempt=1, epoch=EPOCH)


async def test_a_worker_whose_lease_was_taken_changes_nothing_when_it_wakes(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house, a_house(tmp_path, clock=ClockAhead()) as ahead:
        with started(*BRISK_WORKER, data=tmp_path) as first:
            job = await ordered(house, steps=ENDLESS)
            await with_checkpoint(house, job)
            first.suspend()
            await house.store.runs.plot(job.id, [UNTOUCHED])
            await taken_back(ahead, job)
            with started(*BRISK_WORKER, data=tmp_path, log="second.log"):
                await awaited(lambda: held_by_another(house, job, first.pid))
                first.resume()
                await awaited(lambda: discarded(tmp_path / "worker.log"))
                assert first.is_running()
                await cut_short(house, job, await somebody(house))
                await prove_it_went_on(house, job, attempt=2, epoch=EPOCH)


async def held_by_another(house: House, job: Job, pid: int) -> bool:
    worker = (await house.store.jobs.get(job.id)).worker
    return worker is not None and (await house.store.workers.get(worker)).pid != pid


async def discarded(log: Path) -> bool:
    return b"job.discarded" in await asyncio.to_thread(log.read_bytes)


async def test_a_database_killed_in_the_middle_of_a_training_comes_back(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        with started(*WORKER, data=tmp_path):
            job = await ordered(house)
            await with_checkpoint(house, job)
            await house.store.runs.plot(job.id, [UNTOUCHED])
            killed = database_of(tmp_path)
            os.kill(killed.pid, signal.SIGKILL)
            await over(house, job)
            assert database_of(tmp_path).pid != killed.pid
        await prove_it_went_on(house, job, attempt=1)
        assert len(await house.store.runs.chart(job.id)) == STEPS


async def test_a_worker_that_has_not_trained_is_light(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        with started(*LORAGUILD, "worker", data=tmp_path) as worker:
            ann = await somebody(house)
            dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
            await awaited(house.services.jobs.workers)
            picture = Upload(name="zorp.png", content=encoded(a_picture()))
            job = await house.services.intakes.add(ann, dataset, [picture], place=HOME, key="in")
            assert (await over(house, job)).state is JobState.SUCCEEDED
            assert worker.memory_info().rss < 150 * 2**20
            assert not any("torch" in mapped.path for mapped in worker.memory_maps())
