"""Leases, fences, limits: what workers can do to jobs, and what they cannot."""

import asyncio
from datetime import timedelta

import pytest

from core.domain.dataset import Dataset
from core.domain.errors import JobEnded, LeaseLost
from core.domain.fleet import STALE_AFTER
from core.domain.job import ACTIVE_PER_OWNER, LEASE, LOST_WORKERS, RETRY_AFTER, Failure, JobState, Progress
from core.domain.ledger import Act, Balance, held
from core.domain.notice import Topic
from core.domain.run import Epoch, MetricsPoint
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import (
    BROKEN,
    a_ready_dataset,
    a_worker,
    an_order,
    claimed,
    everything_in,
    finished,
    given,
    prove_the_ledger,
    somebody,
    stored,
    uploaded,
    well_done,
)

LATE = LEASE + timedelta(seconds=1)


@pytest.mark.parametrize("running", [False, True])
async def test_a_cancelled_job_pays_back_to_the_exact_lots_at_once(house: House, *, running: bool) -> None:
    ann = await somebody(house)
    await given(house, ann, 15)
    job = await an_order(house, ann, await a_ready_dataset(house, ann), steps="2000")
    paid = await house.store.ledger.balance(held(job.id))
    if running:
        await claimed(house, job)

    cancelled = await house.services.jobs.cancel(ann, job.id)

    purse = await house.services.wallets.view(ann)
    receipt = await house.services.wallets.receipt(ann, job.id)
    assert (paid.free, paid.granted) == (100, 10)
    assert (cancelled.state, purse.free, purse.granted) == (JobState.CANCELLED, 100, 15)
    assert (receipt.state, [(one.act, one.amount) for one in receipt.transactions]) == (
        "cancelled",
        [(Act.HOLD, 110), (Act.RELEASE, 110)],
    )
    assert await house.store.ledger.balance(held(job.id)) == Balance(id=held(job.id))
    with pytest.raises(JobEnded):
        await house.services.jobs.cancel(ann, job.id)
    await prove_the_ledger(house.store)


@pytest.mark.parametrize("ending", ["cancelled", "finished", "expired", "released", "retried"])
async def test_a_worker_that_lost_its_lease_changes_nothing(
    house: House, database: Database, clock: HandClock, ending: str
) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    found, token = await claimed(house, job)
    result, artifact = await well_done(house, found), await stored(house, "late")
    jobs = house.services.jobs
    match ending:
        case "cancelled":
            await jobs.cancel(ann, job.id)
        case "finished":
            await jobs.finish(job.id, token, result)
        case "expired":
            clock.advance(LATE)
            assert [one.id for one in await jobs.expire()] == [job.id]
            await claimed(house, job, worker="w2")
        case "released":
            await jobs.release(job.id, token)
            await claimed(house, job)
        case _:
            await jobs.retry(job.id, token)
    before = await everything_in(database)

    for stale in (
        jobs.report(job.id, token, progress=Progress(step=1, total=2), points=[MetricsPoint(step=1, loss=1, lr=1)]),
        jobs.checkpoint(job.id, token, artifact),
        jobs.finish(job.id, token, result),
        jobs.finish(job.id, token, BROKEN),
        jobs.retry(job.id, token),
        jobs.release(job.id, token),
        house.services.runs.passed(job.id, token, Epoch(number=1, step=1, loss=1, artifact=artifact), run=job.id),
    ):
        with pytest.raises(LeaseLost):
            await stale

    assert await everything_in(database) == before


async def test_two_who_finish_at_once_finish_once(house: House) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    found, token = await claimed(house, job)
    result = await well_done(house, found)

    done = await asyncio.gather(
        *(house.services.jobs.finish(job.id, token, result) for _ in range(4)),
        house.services.jobs.cancel(ann, job.id),
        return_exceptions=True,
    )

    assert sum(not isinstance(one, Exception) for one in done) == 1
    assert len(await house.store.ledger.about(job.id)) == 2
    await prove_the_ledger(house.store)


async def test_many_workers_share_the_queue_without_a_double_claim(house: House) -> None:
    wanted = set()
    for name in ("ann", "bob", "cid", "dan"):
        actor = await somebody(house, name)
        dataset = await a_ready_dataset(house, actor)
        wanted |= {(await an_order(house, actor, dataset)).id for _ in range(2)}
    workers = [await a_worker(house, f"w{number}") for number in range(6)]

    rounds = [await asyncio.gather(*(house.services.jobs.claim(worker) for worker in workers)) for _ in range(3)]

    got = [job.id for one in rounds for job in one if job]
    assert sorted(got) == sorted(wanted)


async def test_an_expired_lease_makes_the_job_claimable_from_its_checkpoint(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    _, token = await claimed(house, job)
    artifact = await stored(house, "a.ckpt")
    await house.services.jobs.checkpoint(job.id, token, artifact)
    await house.services.jobs.report(job.id, token, progress=Progress(step=5, total=10))
    clock.advance(LEASE - timedelta(seconds=1))
    early = await house.services.jobs.expire()
    clock.advance(timedelta(seconds=2))

    back = await house.services.jobs.expire()
    again, _ = await claimed(house, job, worker="w2")

    assert (early, [one.id for one in back]) == ([], [job.id])
    assert (again.attempt, again.checkpoint, again.lost) == (2, artifact, ("w1",))
    assert again.progress == Progress(step=5, total=10)
    assert (await house.store.ledger.balance(held(job.id))).total == 20


async def test_a_report_extends_the_lease(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    _, token = await claimed(house, job)
    for _ in range(3):
        clock.advance(timedelta(seconds=40))
        await house.services.jobs.report(job.id, token)

    assert await house.services.jobs.expire() == []


async def test_the_third_lost_worker_fails_the_job_and_pays_back(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    for number in range(LOST_WORKERS):
        await claimed(house, job, worker=f"w{number}")
        clock.advance(LATE)
        await asyncio.gather(*(house.services.jobs.expire() for _ in range(3)))

    ended = await house.store.jobs.get(job.id)
    assert ended.state is JobState.FAILED
    assert ended.failure
    assert ended.failure.code == "quarantined"
    assert ended.lost == ("w0", "w1", "w2")
    assert (await house.services.wallets.view(ann)).free == 100
    await prove_the_ledger(house.store)


async def test_one_worker_lost_three_times_is_one_lost_worker(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    for _ in range(LOST_WORKERS):
        await claimed(house, job)
        clock.advance(LATE)
        await house.services.jobs.expire()

    assert (await house.store.jobs.get(job.id)).lost == ("w1",)


async def test_handing_back_costs_no_attempt_and_a_retry_waits(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    found, token = await claimed(house, job)
    await house.services.jobs.release(job.id, token)
    again, token = await claimed(house, job)
    await house.services.jobs.retry(job.id, token)
    worker = await a_worker(house)
    too_early = await house.services.jobs.claim(worker)
    clock.advance(RETRY_AFTER)
    second = await house.services.jobs.claim(worker)

    assert (found.attempt, again.attempt, too_early, second and second.attempt) == (1, 1, None, 2)


async def test_each_end_is_told_once_where_it_was_asked(house: House) -> None:
    ann = await somebody(house)
    await given(house, ann, 100)
    dataset = await a_ready_dataset(house, ann)
    ends: tuple[Failure | None, ...] = (None, BROKEN)
    for outcome in ends:
        await finished(house, await an_order(house, ann, dataset), outcome)
    await house.services.jobs.cancel(ann, (await an_order(house, ann, dataset)).id)

    notices = [one for one in await house.services.deliveries.pending(HOME.platform) if one.topic != Topic.GRANTED]

    assert [(one.topic, one.account, one.place) for one in notices[2:]] == [
        (topic, ann.account, HOME) for topic in (Topic.JOB_SUCCEEDED, Topic.JOB_FAILED, Topic.JOB_CANCELLED)
    ]


async def eligible(house: House, account: str) -> tuple[int, int]:
    active = await house.store.jobs.active(account)
    return sum(job.eligible for job in active), len(active)


async def test_a_users_many_jobs_become_eligible_one_by_one_and_none_is_stuck(house: House) -> None:
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    jobs = [await uploaded(house, ann, dataset, f"{number}.png") for number in range(6)]
    seen = [await eligible(house, ann.account)]
    await house.services.jobs.cancel(ann, jobs[5].id)
    for _ in range(5):
        found, token = await claimed(house)
        await house.services.jobs.finish(found.id, token, BROKEN)
        seen.append(await eligible(house, ann.account))

    assert seen == [(2, 6), (2, 4), (2, 3), (2, 2), (1, 1), (0, 0)]


async def test_cancelling_what_may_be_claimed_lets_the_next_in(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    jobs = []
    for number in range(4):
        jobs.append(await uploaded(house, ann, dataset, f"{number}.png"))
        clock.advance(timedelta(seconds=1))
    waiting = await house.services.jobs.why(ann, jobs[2].id)

    await house.services.jobs.cancel(ann, jobs[0].id)

    after = await house.services.jobs.why(ann, jobs[2].id)
    assert {job.id for job in waiting.blocked_by} == {jobs[0].id, jobs[1].id}
    assert (after.job.eligible, after.blocked_by, after.ahead) == (True, (), 1)


async def test_orders_and_ends_at_once_leave_no_job_stuck(house: House) -> None:
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    ended: list[str] = []

    async def worked(name: str) -> None:
        worker = await a_worker(house, name)
        while len(ended) < 8:
            job = await house.services.jobs.claim(worker)
            if job and job.token:
                await house.services.jobs.finish(job.id, job.token, BROKEN)
                ended.append(job.id)
            await asyncio.sleep(0.01)

    async def asked(number: int) -> None:
        await asyncio.sleep(number * 0.02)
        await uploaded(house, ann, dataset, f"{number}.png")

    await asyncio.gather(*(asked(number) for number in range(8)), *(worked(f"w{number}") for number in range(3)))

    assert len(set(ended)) == 8
    assert await eligible(house, ann.account) == (0, 0)


async def test_limits_are_each_owners_own(house: House) -> None:
    counts = []
    for name in ("ann", "bob"):
        actor = await somebody(house, name)
        dataset: Dataset = await house.services.datasets.create(actor, name="zorp", trigger="zorp")
        for number in range(3):
            await uploaded(house, actor, dataset, f"{number}.png")
        counts.append(await eligible(house, actor.account))

    assert counts == [(ACTIVE_PER_OWNER, 3)] * 2


async def test_trainings_do_not_hold_up_an_upload(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    trainings = [await an_order(house, ann, dataset) for _ in range(ACTIVE_PER_OWNER + 1)]
    upload = await uploaded(house, ann, dataset, "more.png")

    jobs = [await house.services.jobs.view(ann, job.id) for job in (*trainings, upload)]
    assert [job.eligible for job in jobs] == [True, True, False, True]


async def test_why_names_the_workers_that_could_take_a_job(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    await a_worker(house, "gone")
    clock.advance(STALE_AFTER + timedelta(seconds=1))
    await a_worker(house, "able")
    await a_worker(house, "elsewhere", kinds=("intake",))

    waiting = await house.services.jobs.why(ann, job.id)

    assert ([worker.id for worker in waiting.workers], waiting.ahead) == (["able"], 0)
    assert {worker.id for worker in await house.services.jobs.workers()} == {"able", "elsewhere"}
