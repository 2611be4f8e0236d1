"""The queue through the house: places, limits, priorities, pauses, and what is said to those who wait."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core.domain.account import Actor
from core.domain.errors import JobEnded, NotAllowed, NotFound, NothingToDo, QueueFull
from core.domain.job import ACTIVE_PER_OWNER, OPEN_PER_OWNER, RETRY_AFTER, Job, JobState, Priority, asked
from core.domain.scheduling import LOOK_AHEAD, SPREAD, Forecast, flow_of
from core.domain.switch import of_claims, of_kind
from core.domain.value import Value
from core.kinds import enqueue, foreseen
from core.ports.clock import HandClock
from core.ports.store import Repositories
from loraguild.composition import House
from tests.builders.entities import HOME
from tests.builders.scenes import BROKEN, a_worker, somebody

BASE = "base"


async def wanted(house: House, actor: Actor, name: str, *, kind: str = "export", **facts: Any) -> Job:
    """Let somebody queue a job, which means nothing but its place."""
    job = asked(
        kind,
        id=name,
        key=name,
        owner=actor.account,
        subject="d",
        title=name,
        now=house.services.jobs.clock.now(),
        **facts,
    )

    async def work(tx: Repositories) -> Job:
        return await enqueue(tx, Value(), job=job, place=HOME)

    return await house.store.transact(work)


async def taken(house: House, count: int, *, worker: str = "w1", **facts: Any) -> list[str]:
    """The jobs that a worker claims one after the other."""
    hand = await a_worker(house, worker, **facts)
    found = [await house.services.jobs.claim(hand) for _ in range(count)]
    return [job.id for job in found if job]


async def test_more_jobs_of_one_stand_behind_the_first_of_others(house: House) -> None:
    ann, bob = await somebody(house, "ann"), await somebody(house, "bob")
    many = [await wanted(house, ann, f"ann {number}", estimate=400.0) for number in range(4)]
    one = await wanted(house, bob, "bob", estimate=400.0)

    assert [job.start for job in many[1:]] == [job.rank for job in many[:-1]]
    assert many[0].rank == one.rank < many[1].rank - LOOK_AHEAD
    assert set(await taken(house, 2)) == {"ann 0", "bob"}
    assert await taken(house, 1) == ["ann 1"]


async def test_what_was_cancelled_before_anybody_began_it_was_never_charged(house: House) -> None:
    ann = await somebody(house)
    jobs = [await wanted(house, ann, f"{number}", estimate=100.0) for number in range(4)]

    for job in (jobs[1], jobs[3]):
        await house.services.jobs.cancel(ann, job.id)

    moved = await house.store.jobs.get("2")
    assert (moved.start, moved.rank) == pytest.approx((jobs[1].start, jobs[1].rank))
    flow = await house.store.flows.get(flow_of(moved))
    assert flow.finish == pytest.approx(moved.rank)


async def test_nobody_has_more_waiting_than_the_limit(house: House, clock: HandClock) -> None:
    ann = await somebody(house)

    async def filled(tx: Repositories) -> None:
        first = asked("export", id="0", key="0", owner=ann.account, subject="d", title="", now=clock.now())
        await tx.jobs.add_all([first.but(id=f"{n}", key=f"{n}") for n in range(OPEN_PER_OWNER)])

    await house.store.transact(filled)
    with pytest.raises(QueueFull, match=f"{OPEN_PER_OWNER} jobs waiting"):
        await wanted(house, ann, "one more")

    assert await house.store.jobs.find("one more") is None
    await house.services.jobs.cancel(ann, "0")
    assert (await wanted(house, ann, "one more")).id == "one more"


@pytest.mark.parametrize("switch", [of_kind("export"), of_claims("tiny")])
async def test_a_pause_of_some_jobs_leaves_the_others(house: House, switch: str) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    held = await wanted(house, ann, "held", offering="tiny")
    await wanted(house, ann, "free", kind="intake", offering="other")
    await house.services.operations.turn(root, switch, on=False)

    assert await taken(house, 2) == ["free"]
    waiting = await house.services.jobs.why(ann, held.id)
    assert (waiting.pauses, waiting.paused, waiting.forecast.soonest) == ((switch,), True, None)
    assert (await house.services.operations.queue(root)).pauses == (switch,)

    await house.services.operations.turn(root, switch, on=True)
    assert await taken(house, 1) == ["held"]


async def test_a_worker_takes_what_it_can(house: House) -> None:
    ann, bob, cat = [await somebody(house, name) for name in ("ann", "bob", "cat")]
    await wanted(house, ann, "large", memory=8000, offering="flux")
    await wanted(house, bob, "labelled", labels=("fast",))
    await wanted(house, cat, "plain")

    assert await taken(house, 2) == ["plain"]
    assert (await house.services.jobs.why(ann, "large")).wanting == ("8000 MB of GPU memory",)
    assert await taken(house, 2, worker="w2", memory=9000, missing={"flux": "gated"}) == []
    assert await taken(house, 2, worker="w3", memory=8000) == ["large"]
    assert await taken(house, 2, worker="w4", labels=("slow", "fast")) == ["labelled"]


async def test_a_warm_base_goes_first_where_that_delays_nobody_much(house: House, clock: HandClock) -> None:
    people = [await somebody(house, name) for name in ("ann", "bob", "cat")]
    for actor, base in zip(people, ("cold", BASE, BASE), strict=True):
        clock.advance(timedelta(seconds=1))
        far = LOOK_AHEAD + 100.0 if actor.name == "cat" else 60.0
        await wanted(house, actor, actor.name, base=base, estimate=far)

    assert await taken(house, 3, base=BASE) == ["bob", "ann", "cat"]


async def test_what_is_tried_again_later_waits_asleep_and_comes_back_to_its_place(
    house: House, clock: HandClock
) -> None:
    ann, bob = await somebody(house, "ann"), await somebody(house, "bob")
    first = await wanted(house, ann, "first", estimate=10.0)
    await taken(house, 1)
    token = str((await house.store.jobs.get("first")).token)
    await house.services.jobs.retry("first", token)
    await wanted(house, bob, "second", estimate=1000.0)
    asleep = await house.store.jobs.get("first")

    assert (asleep.asleep, asleep.rank) == (True, first.rank)
    clock.advance(RETRY_AFTER - timedelta(milliseconds=1))
    assert await house.store.jobs.head(first.pool, near=0.0) == [await house.store.jobs.get("second")]
    clock.advance(timedelta(milliseconds=1))
    assert await taken(house, 2) == ["first", "second"]


async def test_what_is_cancelled_while_it_sleeps_is_never_woken(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    await wanted(house, ann, "first")
    await taken(house, 1)
    await house.services.jobs.retry("first", str((await house.store.jobs.get("first")).token))
    cancelled = await house.services.jobs.cancel(ann, "first")
    clock.advance(RETRY_AFTER)

    assert await taken(house, 1) == []
    assert await house.store.jobs.get("first") == cancelled


async def test_an_admin_lets_a_job_go_first(house: House) -> None:
    ann, bob, root = [await somebody(house, name) for name in ("ann", "bob", "root")]
    jobs = [await wanted(house, ann, f"{number}", estimate=400.0) for number in range(ACTIVE_PER_OWNER)]
    await wanted(house, bob, "bob", estimate=400.0)

    changed = await house.services.operations.prioritise(root, jobs[1].id, Priority.HIGH)

    assert changed == await house.store.jobs.get(jobs[1].id)
    assert (changed.priority, changed.rank < jobs[0].rank) == (Priority.HIGH, True)
    assert await taken(house, 1) == [jobs[1].id]
    (deed,) = await house.store.audits.latest()
    assert (deed.actor, deed.act, deed.subject, deed.details) == (
        root.account,
        "admin.priority",
        jobs[1].id,
        {"from": "normal", "to": "high"},
    )
    with pytest.raises(NothingToDo):
        await house.services.operations.prioritise(root, jobs[1].id, Priority.LOW)
    await house.services.jobs.cancel(ann, jobs[0].id)
    with pytest.raises(JobEnded):
        await house.services.operations.prioritise(root, jobs[0].id, Priority.LOW)
    with pytest.raises(NotFound):
        await house.services.operations.prioritise(root, "nothing", Priority.LOW)
    with pytest.raises(NotAllowed):
        await house.services.operations.prioritise(ann, "bob", Priority.HIGH)


async def test_a_forecast_says_when_by_those_who_live_and_what_they_do(house: House, clock: HandClock) -> None:
    ann, bob, cat = [await somebody(house, name) for name in ("ann", "bob", "cat")]
    nobody = await foreseen(house.store, await wanted(house, ann, "running", estimate=1000.0), now=clock.now())
    await taken(house, 1)
    await wanted(house, bob, "next", estimate=200.0)
    last = await wanted(house, cat, "last", estimate=300.0)

    waiting = await house.services.jobs.why(cat, last.id)

    assert nobody == Forecast(ahead=0, soonest=None, latest=None)
    assert waiting.forecast == Forecast(ahead=1, soonest=1200.0 / SPREAD, latest=1200.0 * SPREAD)
    assert waiting.helped == Forecast(ahead=1, soonest=200.0 / SPREAD, latest=200.0 * SPREAD)
    unasked = last.but(id="new", owner="new", rank=0.0)
    assert (await foreseen(house.store, unasked, now=clock.now())).ahead == 1


async def test_pools_are_made_once_however_many_come_at_once(house: House) -> None:
    people = [await somebody(house, f"person {number}") for number in range(5)]

    jobs = await asyncio.gather(*(wanted(house, actor, actor.name) for actor in people))

    assert {job.pool for job in jobs} == {pool.id async for pool in house.store.pools.everything()}
    assert sorted(await taken(house, 6)) == sorted(job.id for job in jobs)


async def test_clocks_of_all_pools_of_a_worker_go_on_together(house: House) -> None:
    ann, bob = await somebody(house, "ann"), await somebody(house, "bob")
    await wanted(house, bob, "other", kind="intake")
    for number in range(3):
        await wanted(house, ann, f"{number}", estimate=500.0)
    for name in await taken(house, 3):
        job = await house.store.jobs.get(name)
        if job.kind == "export":
            await house.services.jobs.finish(job.id, str(job.token), BROKEN)
    (last,) = await taken(house, 1)

    clocks = {pool.kind: pool.clock async for pool in house.store.pools.everything()}
    assert (await house.store.jobs.get(last)).state is JobState.RUNNING
    assert clocks["intake"] == clocks["export"] > 0.0


async def test_a_worker_whose_clock_is_behind_waits_instead_of_failing(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    job = await wanted(house, ann, "early")
    await house.store.jobs.save(job.but(not_before=clock.now() + timedelta(seconds=1)))

    assert await taken(house, 1) == []
    clock.advance(timedelta(seconds=1))
    assert await taken(house, 1) == ["early"]
