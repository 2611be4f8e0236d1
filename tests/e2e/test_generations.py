"""What becomes of pictures of several people that are drawn in one go when their worker is lost in the middle."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.domain.job import Job, JobState
from core.domain.ledger import Act
from loraguild.composition import House
from tests.builders.attempts import awaited
from tests.builders.scenes import given, imagined, prove_the_ledger, somebody
from tests.e2e.model_scene import a_public_model
from tests.e2e.processes import WORKER, ClockAhead, a_house, children, ended, gone, started, taken_back

PEOPLE, COUNT = 3, 3
SHARE = 30 * COUNT  # hundredths of a qoint that the model's owner has of each order
LOOK: dict[str, Any] = {"count": COUNT, "steps": 20}

pytestmark = pytest.mark.timeout(240)


async def ordered(house: House) -> list[Job]:
    """Let several people buy qoints and order pictures with ann's model; no worker is there yet."""
    root = await somebody(house, "root")
    await a_public_model(house, await somebody(house, "ann"))
    bought = await house.services.vouchers.issue(root, amount=COUNT, count=PEOPLE, days=1, sold=True, key="codes")
    jobs = []
    for number, code in enumerate(bought.codes):
        buyer = await somebody(house, f"buyer {number}")
        await house.services.wallets.redeem(buyer, code)
        jobs.append(await imagined(house, buyer, "zorp at sea", seed=10 * number, **LOOK))
    return jobs


async def after(house: House, jobs: list[Job]) -> list[Job]:
    return [await house.store.jobs.get(job.id) for job in jobs]


async def divided(house: House, jobs: list[Job]) -> tuple[list[Job], list[Job]]:
    """Those that have ended, and the others."""
    found = await after(house, jobs)
    return [job for job in found if job.state.ended], [job for job in found if not job.state.ended]


async def all_drawn(house: House, jobs: list[Job]) -> list[Job]:
    """Wait until all have ended, and prove that they ended well."""

    async def look() -> list[Job] | None:
        done, left = await divided(house, jobs)
        return None if left else done

    done = await awaited(look, seconds=100)
    assert {job.state for job in done} == {JobState.SUCCEEDED}
    return done


async def standing_still(house: House, jobs: list[Job], worker: psutil.Popen, folder: Path) -> psutil.Process:
    """Let a worker draw all jobs in one go, of which some are done and some never will be; return who draws."""

    async def first_is_drawn() -> bool:
        return await asyncio.to_thread(lambda: len(list((folder / "work").rglob("*.png"))) > COUNT)

    async def some_done() -> bool:
        return bool((await divided(house, jobs))[0])

    await awaited(first_is_drawn, seconds=100)
    artist = max(children(worker), key=lambda child: child.memory_info().rss)
    artist.suspend()
    await awaited(some_done)
    found = await after(house, jobs)
    assert len({job.worker for job in found}) == 1
    assert {job.state for job in found} == {JobState.SUCCEEDED, JobState.RUNNING}
    return artist


async def pictures(house: House, job: Job) -> list[str]:
    """The hashes of what was drawn."""
    return [picture.sha256 for picture in (await house.store.generations.get(job.id)).pictures]


async def drawn_alone(house: House, job: Job) -> list[str]:
    """The hashes of the same wish, drawn with nobody beside it."""
    zoe, made = await somebody(house, "zoe"), await house.store.generations.get(job.id)
    alone = await imagined(house, zoe, made.text, seed=made.seed, **LOOK)
    await all_drawn(house, [alone])
    return await pictures(house, alone)


async def prove_the_money(house: House, jobs: list[Job]) -> None:
    """Assert that each job was charged once, and that it earned the model's owner one share."""
    for job in jobs:
        assert [one.act for one in await house.store.ledger.about(job.id)] == [Act.HOLD, Act.CAPTURE]
        assert [usage.share for usage in await house.store.usages.of(job.id)] == [SHARE]
    earned = await house.services.earnings.view(await somebody(house, "ann"))
    assert earned.pending == len(jobs) * SHARE // 100
    await prove_the_ledger(house.store)


async def test_a_worker_killed_in_the_middle_of_a_batch_costs_nobody_twice(tmp_path: Path) -> None:
    async with a_house(tmp_path, daily_points=0) as house, a_house(tmp_path, clock=ClockAhead()) as ahead:
        jobs = await ordered(house)
        with started(*WORKER, data=tmp_path) as first:
            artist = await standing_still(house, jobs, first, tmp_path)
            first.kill()
            artist.resume()
            await awaited(partial(asyncio.to_thread, gone, artist))  # whoever has nobody to draw for leaves
        done, left = await divided(house, jobs)
        await taken_back(ahead, *left)
        with started(*WORKER, data=tmp_path, log="second.log"):
            assert [job.attempt for job in await all_drawn(house, done)] == [1] * len(done)
            assert [(job.attempt, len(job.lost)) for job in await all_drawn(house, left)] == [(2, 1)] * len(left)
            await given(house, await somebody(house, "zoe"), PEOPLE * COUNT)
            made = [await pictures(house, job) for job in jobs]
            assert made == [await drawn_alone(house, job) for job in jobs]
        assert len({sha256 for company in made for sha256 in company}) == PEOPLE * COUNT
        await prove_the_money(house, jobs)


async def test_a_worker_told_to_leave_in_the_middle_of_a_batch_hands_over_what_is_not_done(tmp_path: Path) -> None:
    async with a_house(tmp_path, daily_points=0) as house:
        jobs = await ordered(house)
        with started(*WORKER, data=tmp_path) as first:
            artist = await standing_still(house, jobs, first, tmp_path)
            first.terminate()
            assert await ended(first) == 0
            assert gone(artist)
        done, left = await divided(house, jobs)
        assert {(job.state, job.attempt, job.lost, job.worker) for job in left} == {(JobState.QUEUED, 0, (), None)}
        assert [len(await pictures(house, job)) for job in done] == [COUNT] * len(done)
        await prove_the_money(house, done)
