"""What is shown before anything is ordered: nothing of it is kept, and it is what an order then is."""

import pytest

from core.domain.errors import NotEnoughPoints, NotFound, NoTrigger
from core.services.generations import Ordered, Wish
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import a_quote_for, a_ready_dataset, a_trained_model, everything_in, somebody


async def test_an_estimate_is_the_quote_that_it_does_not_keep(house: House, database: Database) -> None:
    ann = await somebody(house)
    dataset, tiny = await a_ready_dataset(house, ann), house.services.trainings.offerings["tiny"]
    before = await everything_in(database)
    estimate = await house.services.trainings.estimate(ann, dataset, tiny, preset="fast", overrides={"steps": "400"})
    after = await everything_in(database)
    quoted = await a_quote_for(house, ann, dataset, steps="400")

    assert after == before
    assert estimate.but(quote=quoted.quote) == quoted
    assert estimate.quote.parts == quoted.quote.parts


async def test_a_quote_is_seen_again_by_whoever_asked_for_it(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    quoted = await a_quote_for(house, ann, await a_ready_dataset(house, ann))

    assert await house.services.trainings.quoted(ann, quoted.quote.id) == quoted
    with pytest.raises(NotFound):
        await house.services.trainings.quoted(bob, quoted.quote.id)


async def test_a_plan_is_the_order_that_it_does_not_make(house: House, database: Database) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    before = await everything_in(database)
    wish = Wish(text="zorp at sea", count=3, seed=7)
    plan = await house.services.generations.plan(ann, wish, place=HOME)
    after = await everything_in(database)
    ordered = await house.services.generations.order(ann, wish, place=HOME, key="k")

    assert after == before
    assert isinstance(plan, Ordered)
    assert isinstance(ordered, Ordered)
    assert (plan.job.price, plan.generation.trace) == (ordered.job.price, ordered.generation.trace)
    with pytest.raises(NoTrigger):
        await house.services.generations.plan(ann, Wish(text="nobody"), place=HOME)


async def test_what_one_cannot_pay_has_a_price_all_the_same(house: House) -> None:
    ann = await somebody(house)
    dataset, tiny = await a_ready_dataset(house, ann), house.services.trainings.offerings["tiny"]
    dear = await house.services.trainings.estimate(ann, dataset, tiny, preset="fast", overrides={"steps": "2000"})
    quoted = await a_quote_for(house, ann, dataset, steps="2000")

    assert dear.quote.price == 110 > dear.balance
    with pytest.raises(NotEnoughPoints):
        await house.services.trainings.order(ann, quoted.quote.id, place=HOME, attested="rights-1")
