"""Watches: what somebody sees of a job, again and again, and where it stands in the queue."""

from datetime import timedelta

import pytest

from core.domain.errors import NotFound
from core.domain.job import Progress
from core.domain.run import MetricsPoint
from core.domain.watch import Sight
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.scenes import a_ready_dataset, a_worker, an_order, claimed, given, somebody


async def test_a_sight_is_the_same_until_something_moves(house: House) -> None:
    ann = await somebody(house)
    job, token = await claimed(house, await an_order(house, ann, await a_ready_dataset(house, ann)))
    watches = house.services.watches
    first = await watches.sight(ann, job.id)
    (still,) = await watches.again([first])
    points = [MetricsPoint(step=step, loss=1.0, lr=0.1) for step in (1, 2)]
    await house.services.jobs.report(job.id, token, progress=Progress(step=2, total=200), points=points)
    (moved,) = await watches.again([still])
    later = [MetricsPoint(step=3, loss=1.0, lr=0.1)]
    await house.services.jobs.report(job.id, token, progress=Progress(step=3, total=200), points=later)
    (further,) = await watches.again([moved])

    assert still is first
    assert (first.points, moved.points, further.points) == ((), tuple(points), (*points, *later))
    assert further == await watches.sight(ann, job.id)


async def test_what_is_gone_is_seen_no_more(house: House) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    sight = await house.services.watches.sight(ann, job.id)
    await house.store.jobs.remove(job.id)

    assert await house.services.watches.again([sight]) == []


async def test_places_are_those_that_why_tells(house: House) -> None:
    people = [await somebody(house, name) for name in ("ann", "bob", "eve")]
    await a_worker(house)
    jobs = []
    for one in people:
        await given(house, one, 100)
        dataset = await a_ready_dataset(house, one)
        jobs += [await an_order(house, one, dataset) for _ in range(3)]
    current = [await house.store.jobs.get(job.id) for job in jobs]
    placed = await house.services.watches.placed([Sight(job=job) for job in current])
    owners = {one.account: one for one in people}

    assert [sight.ahead for sight in placed] == [
        (await house.services.jobs.why(owners[job.owner], job.id)).ahead for job in current
    ]
    assert {sight.ahead for sight in placed} == {0, 3, 6}


async def test_only_whoever_may_see_a_job_sees_it(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    job = await an_order(house, ann, await a_ready_dataset(house, ann))

    with pytest.raises(NotFound):
        await house.services.watches.sight(bob, job.id)


async def test_what_has_ended_lately_is_found_again(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    clock.advance(timedelta(hours=1))
    since = clock.now()
    await house.services.jobs.cancel(ann, job.id)
    clock.advance(timedelta(hours=1))

    assert [one.id for one in await house.services.watches.ended(ann, since=since)] == [job.id]
    assert await house.services.watches.ended(ann, since=clock.now()) == []
    assert await house.services.watches.open(ann.account) == []
