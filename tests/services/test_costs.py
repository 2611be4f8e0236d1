"""What jobs cost the house: counted over all attempts, written with their end, shown to admins."""

from datetime import timedelta

import pytest

from core.domain.cost import Total
from core.domain.errors import NotAllowed
from core.domain.job import Progress
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.scenes import (
    BROKEN,
    a_ready_dataset,
    a_worker,
    an_order,
    claimed,
    finished,
    given,
    prove_the_ledger,
    somebody,
    well_done,
)


async def test_a_job_that_ends_leaves_what_it_cost_over_all_its_attempts(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    await house.store.jobs.save(job.but(meter=job.meter.but(rate=3600, weight=0.5)))
    await claimed(house, job)
    clock.advance(timedelta(seconds=30))
    await house.services.jobs.report(job.id, str((await house.store.jobs.get(job.id)).token))
    clock.advance(timedelta(hours=1))
    await house.services.jobs.expire()  # it was heard of for half a minute
    clock.advance(timedelta(minutes=1))
    await a_worker(house, "w2", labels=("gpu",), gpu="a100")
    found, token = await claimed(house, job)
    clock.advance(timedelta(seconds=20))
    await house.services.jobs.report(job.id, token, progress=Progress(step=200, total=200))
    clock.advance(timedelta(seconds=5))

    await house.services.jobs.finish(job.id, token, await well_done(house, found))

    cost = await house.store.costs.get(job.id)
    assert (cost.kind, cost.offering, cost.seconds, cost.steps) == ("training", "tiny", 55, 100)
    assert (cost.price, cost.paid, cost.margin, cost.at) == (20, 55, 1945, clock.now())
    await prove_the_ledger(house.store)


async def test_what_nobody_has_worked_on_costs_nothing_and_what_failed_brings_nothing(
    house: House, clock: HandClock
) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    waiting, failing = await an_order(house, ann, dataset), await an_order(house, ann, dataset)
    await house.services.jobs.cancel(ann, waiting.id)
    _, token = await claimed(house, failing)
    clock.advance(timedelta(seconds=10))
    await house.services.jobs.finish(failing.id, token, BROKEN)

    assert await house.store.costs.find(waiting.id) is None
    cost = await house.store.costs.get(failing.id)
    assert (cost.seconds, cost.steps, cost.price, cost.margin) == (10, 0, 0, 0)


async def test_admins_see_what_the_last_month_took_and_brought(house: House, clock: HandClock) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    await given(house, ann, 100)
    dataset = await a_ready_dataset(house, ann)

    async def train(seconds: int) -> None:
        job = await an_order(house, ann, dataset)
        await house.store.jobs.save(job.but(meter=job.meter.but(rate=360)))
        found, token = await claimed(house, job)
        clock.advance(timedelta(seconds=seconds))
        await house.services.jobs.finish(job.id, token, await well_done(house, found))

    await train(40)
    clock.advance(timedelta(days=31))
    await train(20)
    await train(30)
    await finished(house, await an_order(house, ann, dataset))  # in no time

    totals = await house.services.costs.lately(root)

    assert [one for one in totals if one.kind == "training"] == [
        Total(kind="training", offering="tiny", jobs=2, seconds=50, price=40, paid=5)
    ]
    with pytest.raises(NotAllowed):
        await house.services.costs.lately(ann)
