"""Pictures in a channel: what their card leads to, also after a restart; and money is for one pair of eyes."""

from datetime import timedelta
from typing import Any

import pytest

from core.domain.account import Role
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.bots.discord.scene import actor_of, jobs_of, serving
from tests.builders.scenes import a_trained_model, finished, somebody
from tests.emulators.discord import Discord, Message, Person

MONEY: dict[str, dict[str, Any]] = {
    "wallet": {},
    "statement": {},
    "receipts": {},
    "earnings": {},
    "redeem": {"code": "ABCD"},
    "payout list": {},
    "payout spend": {"amount": "5"},
    "payout request": {"amount": "5000", "to": "a bank"},
    "dispute": {"job": "nothing", "why": "blurred"},
    "admin code": {"amount": "5"},
    "admin payouts": {},
    "admin disputes": {},
}

pytestmark = pytest.mark.usefixtures("brisk")


@pytest.fixture
async def ann(house: House, discord: Discord) -> Person:
    """Somebody with a model."""
    ann = discord.person(7, "ann")
    await a_trained_model(house, await actor_of(house, ann))
    return ann


async def drawn(house: House, discord: Discord, clock: HandClock, person: Person) -> Message:
    """Finish the order that waits, and return its card."""
    (job,) = [one for one in await jobs_of(house, person) if not one.state.ended]
    await finished(house, job)
    clock.advance(timedelta(seconds=30))
    return (await discord.until(lambda: [one for one in discord.posted(discord.general) if "done" in one.title]))[0]


async def test_the_card_in_a_channel_leads_on_after_a_restart(
    house: House, discord: Discord, clock: HandClock, ann: Person
) -> None:
    async with serving(house, discord):
        await ann.slash("imagine", prompt="zorp *on* a wall", count="2")
        card = await drawn(house, discord, clock, ann)
        which, stars, info, delete = [await ann.presses(card, label) for label in ("Vary", "Rate", "Info", "Delete")]
    async with serving(house, discord):
        await ann.presses(which.last, "2")
        await ann.presses(stars.last, "★★☆☆☆")

    assert card.title == "zorp \\*on\\* a wall · done"
    assert (list(card.buttons), len(card.files)) == (["Again", "Vary", "Info", "Rate", "Delete"], 2)
    assert [one.last.seen_by for one in (which, stars, info, delete)] == [None, ann.id, ann.id, ann.id]
    assert which.last.title == "zorp \\*on\\* a wall · waiting"
    assert stars.last.title == "★★☆☆☆ for «zorp \\*on\\* a wall»"
    (varied,) = [
        one for one in await house.services.generations.list(await actor_of(house, ann)) if one.source is not None
    ]
    assert varied.source
    assert varied.source.name[-5:] == "1.png"


async def test_an_unclear_word_is_cleared_up_after_a_restart(house: House, discord: Discord, ann: Person) -> None:
    actor = await actor_of(house, ann)
    for name in ("bob", "cid"):
        model = await a_trained_model(house, await somebody(house, name), name="gorp")
        await house.store.models.save(model.but(shared=(actor.account,)))
    async with serving(house, discord):
        which = (await ann.slash("imagine", prompt="a gorp, `a wall`", negative="a hat")).last
        asked, labels = which.title, list(which.buttons)
    async with serving(house, discord):
        await ann.presses(which, next(one for one in labels if one.startswith("cid/gorp")))

    (made,) = await house.services.generations.list(actor)
    assert (asked, len(labels)) == ("Which «gorp» do you mean?", 2)
    assert ([one.name for one in made.adapters], made.prompt, made.negative) == (
        ["cid/gorp"], "a gorp, `a wall`", "a hat",
    )  # fmt: skip


async def test_what_somebody_cannot_pay_is_nobody_elses_business(house: House, discord: Discord, ann: Person) -> None:
    async with serving(house, discord):
        refused = await ann.slash("imagine", prompt="zorp", count="8", size="128x128")
        for _ in range(2):
            refused = await ann.slash("imagine", prompt="zorp", count="8", size="128x128")

    assert ("This costs 32 and you have" in refused.last.text, refused.last.seen_by) == (True, ann.id)
    assert [one for one in discord.posted(discord.general) if "you have" in one.text] == []


async def test_money_is_for_one_pair_of_eyes(house: House, discord: Discord, ann: Person) -> None:
    account = await house.store.accounts.get((await actor_of(house, ann)).account)
    await house.store.accounts.save(account.but(role=Role.ADMIN))
    async with serving(house, discord):
        answers = {path: await ann.slash(path, **given) for path, given in MONEY.items()}

    assert {path: one.last.seen_by for path, one in answers.items()} == dict.fromkeys(MONEY, ann.id)
    assert discord.posted(discord.general) == []
    code = answers["admin code"].last.text.splitlines()[1]
    assert (code[0], code[-1]) == ("`", "`")  # so that it is copied in one piece
