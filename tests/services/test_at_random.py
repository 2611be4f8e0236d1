"""Many people and workers at once, doing whatever they like: the books are right in the end."""

import asyncio
from datetime import timedelta
from random import Random

from core.domain.account import Actor
from core.domain.dataset import Dataset
from core.domain.errors import JobEnded, LeaseLost, NotEnoughPoints
from core.domain.job import JobState
from core.domain.ledger import Act
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.scenes import (
    BROKEN,
    a_ready_dataset,
    a_worker,
    an_order,
    prove_the_ledger,
    somebody,
    well_done,
)

TICK = timedelta(seconds=1)
EXPECTED = (NotEnoughPoints, JobEnded, LeaseLost)


async def lived(house: House, actor: Actor, dataset: Dataset, *, dice: Random) -> None:
    """Order and cancel at random."""
    for _ in range(6):
        try:
            if dice.random() < 0.7:
                await an_order(house, actor, dataset)
            elif jobs := await house.services.trainings.list(actor):
                await house.services.jobs.cancel(actor, dice.choice(list(jobs)).id)
        except EXPECTED:
            await asyncio.sleep(0)


async def worked(house: House, clock: HandClock, name: str, *, dice: Random) -> None:
    """Claim, then end well, badly, hand back, or vanish without a word until others notice."""
    worker, idle = await a_worker(house, name), 0
    while idle < 4:
        job = await house.services.jobs.claim(worker)
        if job is None or job.token is None:
            idle += 1
            clock.advance(30 * TICK)
            await house.services.jobs.expire()
            await asyncio.sleep(0.02)
            continue
        idle = 0
        try:
            match dice.choice(["well", "well", "badly", "back", "vanish"]):
                case "well":
                    await house.services.jobs.finish(job.id, job.token, await well_done(house, job))
                case "badly":
                    await house.services.jobs.finish(job.id, job.token, BROKEN)
                case "back":
                    await house.services.jobs.release(job.id, job.token)
                case _:
                    clock.advance(50 * TICK)
        except EXPECTED:
            continue


async def test_whatever_people_and_workers_do_at_once_the_books_are_right(
    house: House, clock: HandClock, database: Database
) -> None:
    dice = Random(7)
    people = [await somebody(house, name) for name in ("ann", "bob", "cid")]
    datasets = [await a_ready_dataset(house, actor) for actor in people]

    await asyncio.gather(
        *(lived(house, actor, dataset, dice=dice) for actor, dataset in zip(people, datasets, strict=True)),
        *(worked(house, clock, f"w{number}", dice=dice) for number in range(4)),
    )

    await prove_the_ledger(house.store)
    jobs = [job for actor in people for job in await house.services.trainings.list(actor)]
    assert jobs
    for job in jobs:
        acts = sorted(one.act for one in await house.store.ledger.about(job.id))
        moved = {one.amount for one in await house.store.ledger.about(job.id)}
        match job.state:
            case JobState.SUCCEEDED:
                assert acts == [Act.CAPTURE, Act.HOLD]
            case JobState.FAILED | JobState.CANCELLED:
                assert acts == [Act.HOLD, Act.RELEASE]
            case _:
                assert acts == [Act.HOLD]
        assert moved == {job.price}
    made = {row["run"] async for row in database["models"].find()}
    assert made == {job.id for job in jobs if job.state is JobState.SUCCEEDED}
