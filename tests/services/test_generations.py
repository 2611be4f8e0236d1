"""Using models: prompts call them, pictures are paid for, drawn again, rated and deleted."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from core.domain.account import Actor
from core.domain.artifact import Artifact
from core.domain.errors import (
    BadValue,
    DomainError,
    KeyReused,
    NotEnoughPoints,
    NotFound,
    NotHere,
    NothingToDo,
    NoTrigger,
    OfferingClosed,
)
from core.domain.generation import Generation
from core.domain.job import Job, JobState
from core.domain.model import Model, Visibility
from core.domain.rating import Rating
from core.domain.switch import Switch, of_offering
from core.ports.clock import HandClock
from core.services.generations import Ordered, Unclear, Wish
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME, NOON
from tests.builders.scenes import (
    BROKEN,
    a_trained_model,
    adult,
    claimed,
    everything_in,
    finished,
    given,
    imagined,
    moderating,
    prove_the_ledger,
    somebody,
)

LEAP = timedelta(minutes=1)
ADULTS = HOME.but(adult=True)


async def row(house: House, job: Job) -> Generation:
    return await house.store.generations.get(job.id)


async def drawn(house: House, actor: Actor, text: str = "zorp", **wished: Any) -> Job:
    """Order pictures, and let them be there at once."""
    return await finished(house, await imagined(house, actor, text, **wished))


async def changed(house: House, model: Model, **facts: Any) -> None:
    await house.store.models.save((await house.store.models.get(model.id)).but(**facts))


async def again(house: House, actor: Actor, job: Job, *, key: str = "again") -> Ordered:
    return await house.services.generations.again(actor, job.id, place=HOME, key=key)


async def varied(house: House, actor: Actor, job: Job, *, picture: int = 1, strength: int = 60) -> Ordered:
    services = house.services.generations
    return await services.vary(actor, job.id, picture=picture, strength=strength, place=HOME, key="vary")


async def counted(database: Database, *files: Artifact) -> list[int]:
    """How often each of these files is referred to."""
    rows = {blob["_id"]: blob["references"] async for blob in database["blobs"].find()}
    return [rows[file.sha256] for file in files]


async def test_ones_own_model_comes_before_the_earliest_public_one(house: House, clock: HandClock) -> None:
    models = []
    for name in ("ann", "bob", "cid"):
        models.append(await a_trained_model(house, await somebody(house, name)))
        clock.advance(LEAP)
    for name, model in reversed(list(zip(("ann", "bob"), models, strict=False))):
        await house.services.models.publish(await somebody(house, name), model.id)
        clock.advance(LEAP)

    called = [await row(house, await imagined(house, await somebody(house, name))) for name in ("ann", "cid", "dan")]
    assert [(one.adapters[0].owner, one.trace[0].rule) for one in called] == [
        (models[0].owner, "own"),
        (models[2].owner, "own"),
        (models[1].owner, "public"),  # bob published first
    ]


async def test_several_models_draw_together_each_at_its_weight_and_all_is_as_it_was_wished(house: House) -> None:
    ann = await somebody(house)
    zorp, blip = await a_trained_model(house, ann), await a_trained_model(house, ann, name="blip")
    await a_trained_model(house, ann, name="gorp")
    wished: Mapping[str, Any] = {"width": 96, "height": 64, "steps": 8, "guidance": 2.5, "count": 2, "seed": 7}
    job = await imagined(house, ann, "zorp:0.5  and blip, no gorp:0", negative=" a \n hat ", **wished)

    made = await row(house, job)
    assignment = await house.services.generations.assignment(job)
    assert [(one.name, one.percent) for one in made.adapters] == [("ann/zorp", 50), ("ann/blip", 100)]
    assert [(step.said, step.percent) for step in made.trace] == [("zorp", 50), ("blip", 100), ("gorp", 0)]
    assert (made.text, made.prompt) == ("zorp:0.5 and blip, no gorp:0", "zorp and blip, no gorp")
    assert (made.negative, made.model_dump(include=set(wished))) == ("a hat", wished)
    assert (made.terms.percent, made.terms.cap, made.terms.holding_days) == (30, 500, 30)
    assert (job.price, job.title, job.group) == (4, "zorp and blip, no gorp", made.group)
    assert [model.id for model in assignment.models] == [zorp.id, blip.id]


async def test_on_a_base_that_is_named_pictures_are_drawn_without_any_model(house: House) -> None:
    ann = await somebody(house)
    job = await drawn(house, ann, "a wolf", offering="tiny")

    made = await row(house, job)
    assert (made.adapters, made.offering, made.width, len(made.pictures)) == ((), "tiny", 64, 1)
    assert (await house.services.generations.assignment(job)).models == ()
    await prove_the_ledger(house.store)


async def test_a_word_that_two_shared_models_answer_to_is_asked_about_and_nothing_ordered(
    house: House, database: Database
) -> None:
    ann, bob, cid = await somebody(house), await somebody(house, "bob"), await somebody(house, "cid")
    models = [await a_trained_model(house, owner) for owner in (ann, bob)]
    for model in models:
        await changed(house, model, shared=(cid.account,))
    before = await everything_in(database)
    order = house.services.generations.order

    unclear = await order(cid, Wish(text="a  zorp"), place=HOME, key="k")
    assert isinstance(unclear, Unclear)
    assert (unclear.text, unclear.said, {model.name for model in unclear.models}) == (
        "a zorp",
        "zorp",
        {"ann/zorp", "bob/zorp"},
    )
    assert await everything_in(database) == before
    chosen = await order(cid, Wish(text="a bob/zorp"), place=HOME, key="k")
    assert isinstance(chosen, Ordered)
    assert chosen.generation.adapters[0].model == models[1].id


async def test_pictures_are_paid_for_when_they_are_there_and_once_however_often_they_are_asked_for(
    house: House,
) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    orders = await asyncio.gather(*(imagined(house, ann, count=3, key="k") for _ in range(4)))
    (job,) = {job.id: job for job in orders}.values()

    done = await finished(house, job)
    later = await imagined(house, ann, count=3, key="k")

    assert (done.state, job.price, len((await row(house, job)).pictures)) == (JobState.SUCCEEDED, 3, 3)
    assert later == done
    assert (await house.services.wallets.view(ann)).free == 77
    await prove_the_ledger(house.store)


async def test_a_key_stands_for_one_wish(house: House, database: Database) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    model = await a_trained_model(house, ann)
    await house.services.models.publish(ann, model.id)
    job = await drawn(house, ann, " a  zorp", seed=7, key="k")
    await changed(house, model, trigger="blip")  # what the words mean by now does not matter
    before = await everything_in(database)

    assert (await imagined(house, ann, "a zorp ", seed=7, key="k")).id == job.id
    others: tuple[Mapping[str, Any], ...] = (
        {"text": "the zorp"},
        {"count": 2},
        {"seed": 8},
        {"seed": None},
        {"width": 128},
        {"steps": 5},
        {"guidance": 2.0},
        {"negative": "a hat"},
        {"offering": "tiny"},
    )
    for other in others:
        with pytest.raises(KeyReused):
            await imagined(house, ann, key="k", **{"text": "a zorp", "seed": 7, **other})
    with pytest.raises(KeyReused):
        await imagined(house, bob, "a zorp", seed=7, key="k")
    with pytest.raises(KeyReused):
        await again(house, ann, job, key="k")
    assert await everything_in(database) == before


async def test_a_generation_that_fails_pays_back(house: House) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)

    await finished(house, await imagined(house, ann, count=3), BROKEN)

    assert (await house.services.wallets.view(ann)).free == 80
    await prove_the_ledger(house.store)


async def test_what_cannot_be_drawn_is_refused_and_writes_nothing(house: House, database: Database) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    model = await a_trained_model(house, ann)
    await given(house, ann, 200)
    for name in ("one", "two", "three", "four", "five"):
        await a_trained_model(house, ann, name=f"{name}-x")
    before = await everything_in(database)
    refusals: tuple[tuple[Actor, dict[str, Any], type[DomainError]], ...] = (
        (bob, {}, NoTrigger),
        (ann, {"text": "zorpig"}, NoTrigger),
        (ann, {"text": "zorp:0"}, NoTrigger),
        (ann, {"text": " "}, BadValue),
        (ann, {"text": "zorp " * 300}, BadValue),
        (ann, {"text": "zorp:2.5"}, BadValue),
        (ann, {"text": "<lora:nobody/nothing>"}, NotFound),
        (ann, {"text": "zorp one-x two-x three-x four-x five-x"}, BadValue),
        (ann, {"negative": "x" * 1001}, BadValue),
        (ann, {"count": 0}, BadValue),
        (ann, {"count": 9}, BadValue),
        (ann, {"seed": -1}, BadValue),
        (ann, {"seed": 2**32 - 1, "count": 2}, BadValue),
        (ann, {"width": 63}, BadValue),
        (ann, {"height": 136}, BadValue),
        (ann, {"height": 100}, BadValue),
        (ann, {"steps": 51}, BadValue),
        (ann, {"guidance": float("nan")}, BadValue),
        (ann, {"offering": "nope"}, OfferingClosed),
    )
    for actor, wished, error in refusals:
        with pytest.raises(error):
            await imagined(house, actor, **wished)
    assert await everything_in(database) == before

    await changed(house, model, offering="gone")
    with pytest.raises(OfferingClosed):
        await imagined(house, ann)


async def test_an_offering_that_is_turned_off_draws_nothing(house: House, database: Database) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    job = await drawn(house, ann)
    await house.store.switches.save(Switch(id=of_offering("tiny"), on=False, by="root", at=NOON))
    before = await everything_in(database)

    with pytest.raises(OfferingClosed, match="turned off"):
        await imagined(house, ann)
    with pytest.raises(OfferingClosed):
        await again(house, ann, job)
    with pytest.raises(OfferingClosed):
        await varied(house, ann, job)
    assert await everything_in(database) == before


async def test_without_points_nothing_is_drawn(house: House, database: Database) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    for _ in range(10):
        job = await drawn(house, ann, count=8)
    before = await everything_in(database)

    with pytest.raises(NotEnoughPoints) as refused:
        await imagined(house, ann)
    with pytest.raises(NotEnoughPoints):
        await again(house, ann, job)

    assert (refused.value.balance, refused.value.missing) == (0, 1)
    assert await everything_in(database) == before


async def test_again_draws_the_same_with_the_models_of_then_and_another_seed(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    first = await drawn(house, ann, "zorp:0.5 here", count=2, seed=7, negative="a hat", width=128)
    await house.services.generations.rate(ann, first.id, stars=4, words="nice")
    clock.advance(LEAP)
    await changed(house, await a_trained_model(house, ann, name="later"), trigger="zorp")  # what the word means by now

    orders = await asyncio.gather(*(again(house, ann, first) for _ in range(3)))
    (ordered,) = {one.job.id: one for one in orders}.values()

    made, fresh = await row(house, first), ordered.generation
    own = {"id", "seed", "request", "created_at", "pictures", "stars", "feedback"}
    assert fresh.model_dump(exclude=own) == made.model_dump(exclude=own)
    assert fresh.seed != 7
    assert (fresh.created_at, fresh.pictures, fresh.stars, fresh.feedback) == (clock.now(), (), None, "")
    assert (ordered.job.price, ordered.job.title, ordered.job.group) == (4, "zorp here", first.group)


async def test_a_variation_starts_from_one_picture_and_keeps_it(house: House, database: Database) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    first = await drawn(house, ann, count=2, width=128)
    pictures = (await row(house, first)).pictures

    ordered = await varied(house, ann, first, picture=2, strength=50)

    fresh = ordered.generation
    assert (fresh.source, fresh.strength, fresh.count, fresh.width) == (pictures[1], 50, 1, 128)
    assert (ordered.job.price, fresh.group == first.group) == (2, False)
    assert await counted(database, *pictures) == [1, 2]
    await finished(house, ordered.job)
    assert (await again(house, ann, ordered.job)).generation.source == pictures[1]
    assert await counted(database, *pictures) == [1, 3]
    await house.services.generations.delete(ann, first.id)
    await house.services.generations.delete(ann, ordered.job.id)
    assert await counted(database, *pictures) == [0, 1]


async def test_a_variation_that_cannot_be_is_refused_and_writes_nothing(house: House, database: Database) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    job, waiting = await drawn(house, ann, count=2), await imagined(house, ann)
    before = await everything_in(database)

    for picture, strength in ((0, 60), (3, 60), (1, 24), (1, 101)):  # of four steps one has to be drawn
        with pytest.raises(BadValue):
            await varied(house, ann, job, picture=picture, strength=strength)
    with pytest.raises(NothingToDo):
        await varied(house, ann, waiting)
    assert await everything_in(database) == before


async def test_a_model_that_is_withdrawn_is_not_used_again_nor_named(house: House, database: Database) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    model = await a_trained_model(house, ann)
    await changed(house, model, shared=(bob.account,))
    job = await drawn(house, bob, "a ZORP")
    await changed(house, model, owner_name="secret", slug="new", names=("zorp", "new"), visibility=Visibility.UNLISTED)
    await house.services.generations.again(bob, job.id, place=HOME, key="known by its name")

    for facts in ({"visibility": Visibility.PRIVATE, "shared": ()}, {"deleted_at": NOON}):
        await changed(house, model, **facts)
        before = await everything_in(database)
        for order in (again, varied):
            with pytest.raises(NotFound) as refused:
                await order(house, bob, job)
            assert (refused.value.noun, refused.value.name) == ("model", "ZORP")
        assert await everything_in(database) == before


async def test_what_became_for_adults_is_drawn_again_where_that_has_a_place(house: House, database: Database) -> None:
    ann = adult(await somebody(house))
    model = await a_trained_model(house, ann)
    job = await drawn(house, ann)
    await changed(house, model, rating=Rating.NSFW)
    before = await everything_in(database)

    for order in (again, varied):
        with pytest.raises(NotHere):
            await order(house, ann, job)
    assert await everything_in(database) == before
    ordered = await house.services.generations.again(ann, job.id, place=ADULTS, key="k")
    await changed(house, model, rating=Rating.SFW)
    with pytest.raises(NotHere):
        await again(house, ann, ordered.job)
    assert ordered.generation.rating is Rating.NSFW


async def test_stars_may_be_changed_and_words_stay_until_others_come(house: House) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    job = await drawn(house, ann)
    opinions = []
    for stars, words in ((2, " odd \n hands "), (5, ""), (4, "fine")):
        rated = await house.services.generations.rate(ann, job.id, stars=stars, words=words)
        opinions.append((rated.stars, rated.feedback))

    assert opinions == [(2, "odd hands"), (5, "odd hands"), (4, "fine")]
    assert (await row(house, job)).stars == 4


async def test_what_is_deleted_is_gone_with_its_files_and_its_price_stays(house: House, database: Database) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    job = await drawn(house, ann, count=2)
    pictures = (await row(house, job)).pictures
    gone = await house.services.generations.delete(ann, job.id)

    assert await counted(database, *pictures) == [0, 0]
    assert (gone.pictures, await house.services.generations.list(ann)) == ((), [])
    for act in (
        house.services.generations.view(ann, job.id),
        house.services.generations.delete(ann, job.id),
        house.services.generations.rate(ann, job.id, stars=3, words=""),
        again(house, ann, job),
        varied(house, ann, job),
    ):
        with pytest.raises(NotFound):
            await act
    assert await counted(database, *pictures) == [0, 0]
    assert (await house.services.wallets.view(ann)).free == 78
    await prove_the_ledger(house.store)


async def test_what_is_still_being_drawn_is_cancelled_before_it_is_deleted(house: House, database: Database) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    job = await imagined(house, ann)
    await claimed(house, job)
    before = await everything_in(database)

    with pytest.raises(NothingToDo, match=f"train cancel {job.id}"):
        await house.services.generations.delete(ann, job.id)
    with pytest.raises(NothingToDo):
        await house.services.generations.rate(ann, job.id, stars=3, words="")
    assert await everything_in(database) == before
    await house.services.jobs.cancel(ann, job.id)
    assert (await house.services.generations.delete(ann, job.id)).deleted_at


async def test_nobody_else_does_anything_with_somebodys_pictures_and_moderators_only_look(
    house: House, database: Database
) -> None:
    ann, bob, mod = await somebody(house), await somebody(house, "bob"), moderating(await somebody(house, "mod"))
    model = await a_trained_model(house, ann)
    await house.services.models.publish(ann, model.id)
    job = await drawn(house, ann)
    before = await everything_in(database)
    services = house.services.generations

    for actor in (bob, mod):
        for act in (
            again(house, actor, job),
            varied(house, actor, job),
            services.rate(actor, job.id, stars=1, words=""),
            services.delete(actor, job.id),
        ):
            with pytest.raises(NotFound) as refused:
                await act
            assert str(refused.value) == f"There is no generation «{job.id}». See `generation list`."
    with pytest.raises(NotFound):
        await services.view(bob, job.id)
    assert (await services.view(mod, job.id)).job == job
    assert (await services.list(bob), [one.id for one in await services.list(ann)]) == ([], [job.id])
    assert await everything_in(database) == before


async def test_opinions_that_cannot_be_are_refused(house: House, database: Database) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    job = await drawn(house, ann)
    before = await everything_in(database)

    for stars, words in ((0, ""), (6, ""), (3, "x" * 501)):
        with pytest.raises(BadValue):
            await house.services.generations.rate(ann, job.id, stars=stars, words=words)
    assert await everything_in(database) == before
