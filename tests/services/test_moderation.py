"""Pictures for adults: what waits for a moderator, what they say, and what it is needed for."""

from datetime import timedelta

import pytest

from core.domain.account import Actor
from core.domain.consent import RIGHTS
from core.domain.dataset import Dataset, Review
from core.domain.errors import (
    BadValue,
    MinorsGuarded,
    NotAdult,
    NotAllowed,
    NotFound,
    NotHere,
    NothingToDo,
    NotReviewed,
    NotThem,
    Outdated,
)
from core.domain.model import Model
from core.domain.notice import Topic
from core.domain.rating import Rating
from core.kinds.validation import Result
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import (
    a_quote_for,
    a_ready_dataset,
    a_trained_model,
    adult,
    an_order,
    claimed,
    everything_in,
    finished,
    imagined,
    moderating,
    somebody,
    stored,
    uploaded,
    well_done,
)

TICK = timedelta(seconds=1)


async def a_dataset_for_adults(house: House, actor: Actor, *, name: str = "zorp", pictures: int = 3) -> Dataset:
    dataset = await house.services.datasets.create(actor, name=name, trigger=name, rating=Rating.NSFW)
    return await with_pictures(house, actor, dataset, *(f"{name} {number}.png" for number in range(pictures)))


async def with_pictures(house: House, actor: Actor, dataset: Dataset, *names: str) -> Dataset:
    """Add pictures, and let the doctor look, who makes a blurred sheet."""
    await finished(house, await uploaded(house, actor, dataset, *names))
    (look,) = await house.store.jobs.about(dataset.id)
    found, token = await claimed(house, look)
    result = Result.model_validate((await well_done(house, found)).model_dump())
    preview = await stored(house, f"preview of {names[0]}")
    await house.services.jobs.finish(found.id, token, result.but(previews=(preview,)))
    return (await house.services.datasets.view(actor, dataset.id)).dataset


async def a_model_for_adults(house: House, actor: Actor) -> Model:
    dataset = await a_dataset_for_adults(house, actor)
    mod = moderating(await somebody(house, "mod"))
    approved = await house.services.moderation.approve(mod, dataset.id, seen=3, key="k")
    job = await finished(house, await an_order(house, actor, approved))
    return await house.services.models.of_run(actor, job.id)


async def test_what_waits_is_shown_the_longest_first(house: House, clock: HandClock) -> None:
    ann, bob, mod = (
        adult(await somebody(house)),
        adult(await somebody(house, "bob")),
        moderating(await somebody(house, "mod")),
    )
    first = await a_dataset_for_adults(house, bob)
    clock.advance(TICK)
    second = await a_dataset_for_adults(house, ann)
    await a_ready_dataset(house, ann, name="blip")
    await house.services.datasets.create(ann, name="empty", trigger="empty", rating=Rating.NSFW)

    waiting = await house.services.moderation.waiting(mod)

    assert [(one.dataset, one.owner) for one in waiting] == [(first, "bob"), (second, "ann")]
    assert [sheet.name for sheet in first.previews] == ["preview of zorp 0.png"]


async def test_nothing_is_quoted_or_ordered_before_a_moderator_has_approved(house: House) -> None:
    ann, mod = adult(await somebody(house)), moderating(await somebody(house, "mod"))
    dataset = await a_dataset_for_adults(house, ann)
    moderation = house.services.moderation
    with pytest.raises(NotReviewed, match="has yet to look"):
        await a_quote_for(house, ann, dataset)
    rejected = await moderation.reject(mod, dataset.id, why=" too\nmuch ", seen=3, key="k1")
    with pytest.raises(NotReviewed, match="rejected it: too much"):
        await a_quote_for(house, ann, rejected)
    approved = await moderation.approve(mod, dataset.id, seen=3, key="k2")
    quoted = await a_quote_for(house, ann, approved)
    more = await with_pictures(house, ann, dataset, "more.png")
    with pytest.raises(NotReviewed):
        await house.services.trainings.order(ann, quoted.quote.id, place=HOME)

    assert (rejected.review, approved.review, more.review) == (Review.REJECTED, Review.APPROVED, Review.PENDING)
    assert (await house.services.wallets.view(ann)).free == 100


async def test_the_owner_and_the_audit_are_told_once(house: House, database: Database) -> None:
    ann, mod = adult(await somebody(house)), moderating(await somebody(house, "mod"))
    dataset = await a_dataset_for_adults(house, ann)
    for key in ("k", "k", "another"):
        await house.services.moderation.reject(mod, dataset.id, why="too much", seen=3, key=key)

    rows = await everything_in(database)
    said = {"review": "rejected", "why": "too much"}
    assert [(row["account"], row["details"]) for row in rows["notices"] if row["topic"] == Topic.REVIEWED] == [
        (ann.account, {**said, "what": "zorp"})
    ]
    assert [(row["act"], row["actor"], row["subject"], row["details"]) for row in rows["audits"]] == [
        ("admin.moderate", mod.account, dataset.id, said)
    ]


async def test_a_review_that_cannot_be_writes_nothing(house: House, database: Database) -> None:
    ann, mod = adult(await somebody(house)), moderating(await somebody(house, "mod"))
    dataset, for_all = await a_dataset_for_adults(house, ann), await a_ready_dataset(house, ann, name="blip")
    gone = await a_dataset_for_adults(house, ann, name="gone")
    await house.services.datasets.delete(ann, gone)
    before = await everything_in(database)

    for actor, name, seen, error in (
        (ann, dataset.id, 3, NotAllowed),
        (mod, "nowhere", 3, NotFound),
        (mod, gone.id, 3, NotFound),
        (mod, for_all.id, 3, NothingToDo),
        (mod, dataset.id, 2, Outdated),  # one came after the moderator had looked
    ):
        with pytest.raises(error):
            await house.services.moderation.approve(actor, name, seen=seen, key="k")
    for why in (" ", "x" * 201):
        with pytest.raises(BadValue):
            await house.services.moderation.reject(mod, dataset.id, why=why, seen=3, key="k")
    with pytest.raises(NotAllowed):
        await house.services.moderation.waiting(ann)

    assert await everything_in(database) == before


async def test_the_previews_of_the_last_look_are_kept_and_older_ones_let_go(house: House, database: Database) -> None:
    ann = adult(await somebody(house))
    dataset = await a_dataset_for_adults(house, ann)
    dataset = await with_pictures(house, ann, dataset, "more.png")

    counts = {row["_id"]: row["references"] async for row in database["blobs"].find()}
    first = await stored(house, "preview of zorp 0.png")
    (kept,) = dataset.previews
    assert kept.name == "preview of more.png"
    assert (counts[kept.sha256], counts[first.sha256]) == (1, 0)


async def test_the_rating_goes_from_the_dataset_to_the_model_to_the_pictures(house: House) -> None:
    ann = adult(await somebody(house))
    model = await a_model_for_adults(house, ann)
    adults = HOME.but(adult=True)
    job = await imagined(house, ann, place=adults)

    made = await house.store.generations.get(job.id)
    assert (model.rating, made.rating) == (Rating.NSFW, Rating.NSFW)


async def test_a_model_for_adults_is_not_used_where_that_has_no_place_and_costs_nothing(
    house: House, database: Database
) -> None:
    ann = adult(await somebody(house))
    await a_model_for_adults(house, ann)
    before = await everything_in(database)

    with pytest.raises(NotHere):
        await imagined(house, ann)

    assert await everything_in(database) == before


async def test_what_is_for_adults_takes_a_verified_account(house: House, database: Database) -> None:
    ann, mod = await somebody(house), moderating(await somebody(house, "mod"))
    await a_model_for_adults(house, adult(ann))
    dataset = await a_dataset_for_adults(house, adult(ann), name="blip")
    approved = await house.services.moderation.approve(mod, dataset.id, seen=3, key="k2")
    account, adults = await house.store.accounts.get(ann.account), HOME.but(adult=True)
    before = await everything_in(database)

    with pytest.raises(NotAdult):
        await imagined(house, ann, place=adults)
    with pytest.raises(NotAdult):
        await a_quote_for(house, ann, approved)
    assert await everything_in(database) == before

    for _ in range(2):
        await house.services.accounts.verify(mod, account, on=True)
    verified = await somebody(house)
    quoted = await a_quote_for(house, verified, approved)
    await house.services.accounts.verify(mod, account, on=False)
    with pytest.raises(NotAdult):
        await house.services.trainings.order(await somebody(house), quoted.quote.id, place=HOME, attested=RIGHTS)

    rows = await everything_in(database)
    audits = [(row["actor"], row["details"]) for row in rows["audits"] if row["act"] == "moderation.adult"]
    assert (verified.adult, (await somebody(house)).adult) == (True, False)
    assert sorted(map(str, audits)) == [str((mod.account, {"state": state})) for state in ("off", "on")]
    assert [row["account"] for row in rows["notices"] if row["topic"] == Topic.VERIFIED] == [ann.account] * 2


async def test_only_a_moderator_who_is_somebody_else_verifies(house: House) -> None:
    ann, mod = await somebody(house), moderating(await somebody(house, "mod"))
    for actor, account, error in ((ann, mod, NotAllowed), (mod, mod, NotThem)):
        with pytest.raises(error):
            await house.services.accounts.verify(actor, await house.store.accounts.get(account.account), on=True)


async def test_a_prompt_for_adults_has_no_word_of_young_age(house: House, database: Database) -> None:
    ann, adults = adult(await somebody(house)), HOME.but(adult=True)
    model = await a_model_for_adults(house, ann)
    await a_trained_model(house, ann, name="blip")
    before = await everything_in(database)

    for text in ("zorp as a schoolgirl", "zorp, 1 6 y o", "blip, a nude teen", "blip, n4ked l.o.l.i"):
        with pytest.raises(MinorsGuarded):
            await imagined(house, ann, text, place=adults)
    for change in ({"tags": ["teen"]}, {"description": "she is 15 years old"}):
        with pytest.raises(MinorsGuarded):
            await house.services.models.edit(ann, model.id, **change)
    with pytest.raises(MinorsGuarded):
        await house.services.models.rename(ann, model.id, "School Girl")

    assert await everything_in(database) == before
    assert await imagined(house, ann, "blip, a teen reads a book")
    assert await imagined(house, ann, "zorp, nude, in a baby blue room", negative="child, kid", place=adults)
