"""Jobs that are alike are claimed together, and yet each for itself."""

import asyncio

import pytest

from core.domain.job import ACTIVE_PER_OWNER, LEASE, RETRY_AFTER, Job, JobState
from core.domain.switch import QUEUE, of_worker
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.scenes import a_worker, claimed, imagined, somebody


async def orders(house: House, clock: HandClock, *names: str, text: str = "a circle", count: int = 1) -> list[Job]:
    """Let each of these people order pictures without a model, one after the other."""
    jobs = []
    for name in names:
        clock.advance(LEASE / 100)
        jobs.append(await imagined(house, await somebody(house, name), text, offering="tiny", count=count))
    return jobs


async def test_all_are_taken_each_with_a_token_and_a_lease_of_its_own(house: House, clock: HandClock) -> None:
    jobs = await orders(house, clock, "ann", "bob", "cat", "dan", "eve")
    first, _ = await claimed(house, jobs[3])
    worker = await a_worker(house)

    alike = await house.services.jobs.claim_alike(first, worker, most=3)

    assert [job.id for job in alike] == [jobs[number].id for number in (0, 1, 2)], "the oldest come first"
    assert [await house.store.jobs.get(job.id) for job in alike] == list(alike)
    assert {(job.state, job.worker, job.attempt, job.lease_until) for job in alike} == {
        (JobState.RUNNING, "w1", 1, clock.now() + LEASE)
    }
    assert len({first.token, *(job.token for job in alike)}) == 4
    assert [job.id for job in await house.services.jobs.claim_alike(first, worker, most=3)] == [jobs[4].id]
    assert await house.services.jobs.claim_alike(first, worker, most=3) == []


async def test_what_is_otherwise_or_not_to_be_had_stays(house: House, clock: HandClock) -> None:
    (job,) = await orders(house, clock, "ann")
    larger = await imagined(house, await somebody(house, "bob"), "a circle", offering="tiny", width=128)
    mine = await orders(house, clock, *["cat"] * (ACTIVE_PER_OWNER + 1))
    (tried,) = await orders(house, clock, "dan")
    _, token = await claimed(house, tried)
    await house.services.jobs.retry(tried.id, token)
    first, _ = await claimed(house, job)

    alike = await house.services.jobs.claim_alike(first, await a_worker(house), most=8)

    assert [one.id for one in alike] == [one.id for one in mine[:ACTIVE_PER_OWNER]]
    assert (await house.store.jobs.get(larger.id)).state is JobState.QUEUED
    clock.advance(RETRY_AFTER)
    again = await house.services.jobs.claim_alike(first, await a_worker(house), most=8)
    assert [(one.id, one.attempt) for one in again] == [(tried.id, 2)]


async def test_a_job_without_company_has_none(house: House, clock: HandClock) -> None:
    job, other = await orders(house, clock, "ann", "bob")
    for one in (job, other):
        await house.store.jobs.save(one.but(group=None))
    first, _ = await claimed(house, job)

    assert await house.services.jobs.claim_alike(first, await a_worker(house), most=8) == []


async def test_a_worker_takes_only_what_it_can_do(house: House, clock: HandClock) -> None:
    job, gpu, other = await orders(house, clock, "ann", "bob", "cat")
    await house.store.jobs.save(gpu.but(labels=("gpu",)))
    first, _ = await claimed(house, job)

    alike = await house.services.jobs.claim_alike(first, await a_worker(house), most=8)

    assert [one.id for one in alike] == [other.id]
    assert await house.services.jobs.claim_alike(first, await a_worker(house, kinds=("training",)), most=8) == []


@pytest.mark.parametrize("switch", [QUEUE, of_worker("w1")])
async def test_nothing_is_taken_while_operators_say_so(house: House, clock: HandClock, switch: str) -> None:
    job, other = await orders(house, clock, "ann", "bob")
    first, _ = await claimed(house, job)
    root, worker = await somebody(house, "root"), await a_worker(house)
    await house.services.operations.turn(root, switch, on=False)

    assert await house.services.jobs.claim_alike(first, worker, most=8) == []

    await house.services.operations.turn(root, switch, on=True)
    assert [one.id for one in await house.services.jobs.claim_alike(first, worker, most=8)] == [other.id]


async def test_workers_that_claim_at_once_share_without_a_double_claim(house: House, clock: HandClock) -> None:
    jobs = await orders(house, clock, *(f"person {number}" for number in range(9)))
    first, _ = await claimed(house, jobs[0])
    workers = [await a_worker(house, f"w{number}") for number in range(4)]

    found = await asyncio.gather(*(house.services.jobs.claim_alike(first, worker, most=8) for worker in workers))

    taken = [job.id for alike in found for job in alike]
    assert sorted(taken) == sorted(job.id for job in jobs[1:])


async def test_a_worker_that_dies_loses_each_to_its_lease(house: House, clock: HandClock) -> None:
    job, other = await orders(house, clock, "ann", "bob")
    first, token = await claimed(house, job)
    await house.services.jobs.claim_alike(first, await a_worker(house), most=8)
    clock.advance(LEASE / 2)
    await house.services.jobs.report(job.id, token)
    clock.advance(LEASE / 2)

    assert [one.id for one in await house.services.jobs.expire()] == [other.id]

    clock.advance(LEASE / 2)
    assert [one.id for one in await house.services.jobs.expire()] == [job.id]
