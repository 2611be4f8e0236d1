"""Using a model: trigger words resolve, pictures are paid for."""

import asyncio
from datetime import timedelta

import pytest

from core.domain.errors import BadValue, NotEnoughPoints, NoTrigger, OfferingClosed
from core.domain.job import JobState
from core.domain.model import Model
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import (
    BROKEN,
    a_trained_model,
    everything_in,
    finished,
    prove_the_ledger,
    somebody,
)

LEAP = timedelta(minutes=1)


async def called(house: House, name: str, prompt: str = "a zorp on white") -> Model:
    actor = await somebody(house, name)
    _, model = await house.services.generations.order(
        actor, text=prompt, count=1, seed=1, place=HOME, key=house.services.conversations.token()
    )
    return model


async def test_ones_own_model_comes_before_the_earliest_public_one(house: House, clock: HandClock) -> None:
    models = []
    for name in ("ann", "bob", "cid"):
        models.append(await a_trained_model(house, await somebody(house, name)))
        clock.advance(LEAP)
    for name, model in reversed(list(zip(("ann", "bob"), models, strict=False))):
        await house.services.models.publish(await somebody(house, name), model.id)
        clock.advance(LEAP)

    assert [(await called(house, name)).owner for name in ("ann", "bob", "cid", "dan")] == [
        *(model.owner for model in models),
        models[1].owner,  # bob published first
    ]


async def test_pictures_are_paid_for_when_they_are_there(house: House) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    orders = await asyncio.gather(
        *(house.services.generations.order(ann, text="zorp", count=3, seed=None, place=HOME, key="k") for _ in range(4))
    )
    (job,) = {job.id: job for job, _ in orders}.values()

    done = await finished(house, job)

    made = await house.services.generations.find(job.id)
    assert (done.state, job.price, made and len(made.pictures)) == (JobState.SUCCEEDED, 3, 3)
    assert (await house.services.wallets.view(ann)).free == 77
    await prove_the_ledger(house.store)


async def test_a_generation_that_fails_pays_back(house: House) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    job, _ = await house.services.generations.order(ann, text="zorp", count=3, seed=7, place=HOME, key="k")

    await finished(house, job, BROKEN)

    assert (await house.services.wallets.view(ann)).free == 80
    await prove_the_ledger(house.store)


async def test_what_cannot_be_drawn_is_refused_and_writes_nothing(house: House, database: Database) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    model = await a_trained_model(house, ann)
    before = await everything_in(database)

    for actor, text, count, seed, error in (
        (bob, "zorp", 1, None, NoTrigger),
        (ann, "zorpig", 1, None, NoTrigger),
        (ann, "", 1, None, BadValue),
        (ann, "zorp " * 300, 1, None, BadValue),
        (ann, "zorp", 0, None, BadValue),
        (ann, "zorp", 9, None, BadValue),
        (ann, "zorp", 1, -1, BadValue),
        (ann, "zorp", 1, 2**70, BadValue),
    ):
        with pytest.raises(error):
            await house.services.generations.order(actor, text=text, count=count, seed=seed, place=HOME, key="k")
    assert await everything_in(database) == before

    await house.store.models.save(model.but(offering="gone"))
    with pytest.raises(OfferingClosed):
        await house.services.generations.order(ann, text="zorp", count=1, seed=None, place=HOME, key="k")


async def test_without_points_nothing_is_drawn(house: House, database: Database) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    for number in range(10):
        await finished(
            house,
            (await house.services.generations.order(ann, text="zorp", count=8, seed=1, place=HOME, key=f"{number}"))[0],
        )
    before = await everything_in(database)

    with pytest.raises(NotEnoughPoints) as refused:
        await house.services.generations.order(ann, text="zorp", count=1, seed=1, place=HOME, key="k")

    assert (refused.value.balance, refused.value.missing) == (0, 1)
    assert await everything_in(database) == before
