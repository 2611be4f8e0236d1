"""Pictures in a group: what their card leads to, also after a restart; and money is said in private only."""

import pytest

from bots.telegram.meeting import PLATFORM
from core.domain.account import Actor, Role
from loraguild.composition import House
from tests.bots.telegram.conftest import Serving
from tests.builders.scenes import a_trained_model, finished, somebody
from tests.emulators.telegram import Telegram, labels

GROUP = -100
MONEY = {
    "wallet": "to spend",
    "statement": "Statement of",
    "earnings": "earned to use",
    "redeem ABCD": "This code is not valid",
    "payout_list": "No payouts yet",
    "payout_spend 5": "You have 0 earned",
    "admin_code 5 kind=gift": "1 code worth 5 qoints",
    "admin_payouts": "No payout is requested",
    "admin_disputes": "Nothing is disputed",
}


@pytest.fixture
async def ann(house: House, telegram: Telegram) -> Actor:
    """Somebody with a model who has started the bot."""
    telegram.person(42, started=True)
    actor = await house.services.accounts.welcome(PLATFORM, "42", name="Ann")
    await a_trained_model(house, actor)
    return actor


async def drawn(house: House, actor: Actor) -> None:
    """Finish the order that waits."""
    (job,) = [one for one in await house.services.jobs.list(actor) if not one.state.ended]
    await finished(house, job)


async def test_the_card_in_a_group_leads_on_after_a_restart(
    house: House, telegram: Telegram, serving: Serving, ann: Actor
) -> None:
    person, group = telegram.person(42, started=True), telegram.group(GROUP)
    async with serving():
        await person.says("/imagine zorp *on* <b>a wall count=2", chat=group)
        await telegram.heard(GROUP, containing="waiting")
        await drawn(house, ann)
        card = await telegram.heard(GROUP, containing="zorp *on* <b>a wall · done")
        await person.clicks(card, "Rate")
        stars = await telegram.heard(42, containing="How good are they?")
        await person.clicks(card, "Vary")
        which = await telegram.heard(GROUP, containing="Which picture?")
    async with serving():
        await person.clicks(stars, "★★☆☆☆")
        await telegram.heard(42, containing="★★☆☆☆ for «zorp *on* <b>a wall»")
        await person.clicks(which, "2")
        await telegram.heard(GROUP, containing="waiting")

    assert labels(card) == ["Again", "Vary", "Info", "Rate", "Delete"]
    (varied,) = [one for one in await house.services.generations.list(ann) if one.source]
    assert (varied.source.name[-5:] if varied.source else "", varied.stars) == ("1.png", None)


async def test_an_unclear_word_is_cleared_up_after_a_restart(
    house: House, telegram: Telegram, serving: Serving, ann: Actor
) -> None:
    person, group = telegram.person(42, started=True), telegram.group(GROUP)
    for name in ("bob", "cid"):
        model = await a_trained_model(house, await somebody(house, name), name="gorp")
        await house.store.models.save(model.but(shared=(ann.account,)))
    async with serving():
        await person.says('/imagine "a gorp, `a wall`" negative="a hat"', chat=group)
        which = await telegram.heard(GROUP, containing="Which «gorp» do you mean?")
    async with serving():
        await person.clicks(which, next(one for one in labels(which) if one.startswith("cid/gorp")))
        await telegram.heard(GROUP, containing="waiting")

    (made,) = await house.services.generations.list(ann)
    assert ([one.name for one in made.adapters], made.prompt) == (["cid/gorp"], "a gorp, `a wall`")
    assert (made.negative, len(labels(which))) == ("a hat", 2)


@pytest.mark.usefixtures("ann")
async def test_what_somebody_cannot_pay_is_nobody_elses_business(telegram: Telegram, serving: Serving) -> None:
    person, group = telegram.person(42, started=True), telegram.group(GROUP)
    async with serving():
        for _ in range(4):
            await person.says("/imagine zorp count=8 size=128x128", chat=group)

        assert await telegram.heard(42, containing="This costs 32 and you have")


async def test_a_picture_of_a_long_prompt_keeps_all_its_facts(
    house: House, telegram: Telegram, serving: Serving, ann: Actor
) -> None:
    person = telegram.person(42, started=True)
    async with serving():
        await person.says(f"/imagine zorp {'x' * 990} negative={'y' * 990}")
        await telegram.heard(42, containing="waiting")
        await drawn(house, ann)
        card = await telegram.heard(42, containing="done")
        await person.clicks(card, "Info")
        info = await telegram.heard(42, containing="Typed")

    assert card.text.splitlines()[-1] == "models: Ann/zorp"
    assert [line.split(":")[0] for line in info.text.splitlines()[-8:]] == [
        "models", "offering", "seeds", "size", "steps", "guidance", "price", "job",
    ]  # fmt: skip


async def test_money_is_said_in_private_only(house: House, telegram: Telegram, serving: Serving, ann: Actor) -> None:
    person, group = telegram.person(42, started=True), telegram.group(GROUP)
    account = await house.store.accounts.get(ann.account)
    await house.store.accounts.save(account.but(role=Role.ADMIN))
    async with serving():
        for line, words in MONEY.items():
            await person.says(f"/{line}", chat=group)
            await telegram.heard(42, containing=words)

    (code,) = [one for one in telegram.sent(42) if "1 code worth" in one.text]
    assert telegram.sent(GROUP) == []
    assert {"type": "code", "offset": 22, "length": 31} in code.body["entities"]  # so that it is copied with one tap
