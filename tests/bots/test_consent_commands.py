"""Consent, age and leaving, as they are said in chats."""

from bots.chat.reply import Reply
from core.domain.account import Actor, Role
from core.domain.consent import RIGHTS, WORDS
from core.domain.ledger import REVENUE, Act, Lot, Transaction, between, earnings
from loraguild.composition import House
from tests.builders.chats import button, labels, press, say
from tests.builders.entities import NOON
from tests.builders.scenes import a_ready_dataset, a_trained_model, an_order, moderating, somebody


async def pressed(house: House, actor: Actor, reply: Reply, *path: str) -> Reply:
    """Press one button after the other."""
    for label in path:
        reply, _ = await press(house, actor, reply, label)
    return reply


async def test_an_owner_attests_after_reading_the_words(house: House) -> None:
    ann = await somebody(house)
    await a_ready_dataset(house, ann)
    shown = await say(house, ann, "dataset consent", dataset="zorp")
    asked = await pressed(house, ann, shown, "I attest")
    done = await pressed(house, ann, asked, "Confirm")
    after = await say(house, ann, "dataset consent", dataset="zorp")

    assert (shown.lines, labels(shown)) == (("Nobody has attested yet.",), ["I attest", "Withdraw"])
    assert (asked.title, asked.lines) == ("Do you attest this for «zorp»?", (WORDS[RIGHTS],))
    assert done.title == "You have attested for «zorp»"
    assert after.lines == (f"ann, 01 Mar 2026: «{WORDS[RIGHTS]}»",)
    assert labels(after) == ["Withdraw"]


async def test_withdrawing_shows_what_was_made_before_it_asks(house: House) -> None:
    ann = await somebody(house)
    model = await a_trained_model(house, ann)
    shown = await say(house, ann, "dataset consent", dataset="zorp")
    asked = await pressed(house, ann, shown, "Withdraw")
    done = await pressed(house, ann, asked, "Confirm")
    again = await pressed(house, ann, asked, "Confirm")
    after = await say(house, ann, "dataset consent", dataset="zorp")
    models = await say(house, ann, "model list")

    assert asked.title == "Take the consent for «zorp» back?"
    assert asked.lines[0] == "It was used in 1 training; 1 model came of it."
    assert asked.table
    assert asked.table.rows == ((model.run, "ann/zorp", "used by others 0 times"),)
    assert (done.title, again.title) == ("The consent for «zorp» is withdrawn",) * 2
    assert after.lines[1] == "Withdrawn on 01 Mar 2026: nothing is trained on it."
    assert labels(after) == ["I attest"]
    assert models.table
    assert models.table.rows[0][2] == "consent withdrawn"
    assert (await say(house, ann, "imagine", prompt="zorp")).code == "no_trigger"
    assert (await say(house, ann, "model publish", model="zorp")).code == "consent_withdrawn"


async def test_one_picture_is_withdrawn_and_given_back(house: House) -> None:
    ann = await somebody(house)
    await a_ready_dataset(house, ann)
    one = await say(house, ann, "dataset consent", dataset="zorp", picture="2")
    done = await pressed(house, ann, one, "Withdraw", "Confirm")
    after = await say(house, ann, "dataset consent", dataset="zorp", picture="2")
    back = await pressed(house, ann, after, "I attest", "Confirm")

    assert (one.title, done.title) == (
        "Consent for picture 2 of «zorp»",
        "The consent for picture 2 of «zorp» is withdrawn",
    )
    assert after.lines[1:] == ("Picture 2 (zorp 1.png) is withdrawn.",)
    assert back.title == "You have attested for picture 2 of «zorp»"
    assert labels(await say(house, ann, "dataset consent", dataset="zorp")) == ["Withdraw"]


async def test_others_only_look(house: House) -> None:
    ann, mod = await somebody(house), moderating(await somebody(house, "mod"))
    dataset = await a_ready_dataset(house, ann)
    looked = await say(house, mod, "dataset consent", dataset=dataset.id)

    assert (looked.title, labels(looked)) == ("Consent for «zorp»", [])
    assert (await say(house, mod, "dataset withdraw-now", dataset=dataset.id)).code == "not_found"


async def test_a_moderator_says_who_is_of_age(house: House) -> None:
    ann, mod = await somebody(house), moderating(await somebody(house, "mod"))
    on = await say(house, mod, "moderation adult", user="ann", state="on")
    adult = (await somebody(house)).adult
    off = await say(house, mod, "moderation adult", user="ann", state="off")

    assert (on.title, off.title) == ("ann is verified as of age", "ann is not verified as of age")
    assert (adult, (await somebody(house)).adult) == (True, False)
    assert (await say(house, mod, "moderation adult", user="mod", state="on")).code == "not_them"
    assert (await say(house, ann, "moderation adult", user="mod", state="on")).code == "not_allowed"


async def test_leaving_asks_twice_and_names_what_goes(house: House) -> None:
    ann = (await somebody(house)).but(role=Role.VIEWER)
    await a_trained_model(house, ann)
    await an_order(house, ann, await a_ready_dataset(house, ann, name="blip"))
    entries = between(REVENUE, earnings(ann.account), {Lot.PURCHASED: 7})
    await house.store.ledger.post(
        Transaction(id="r", act=Act.ROYALTY, owner=ann.account, why="a test", entries=entries, at=NOON)
    )
    first = await say(house, ann, "forget me")
    second = await pressed(house, ann, first, "Go on")
    last = await pressed(house, ann, second, "Erase, and give up 7 qoints earned")

    assert first.title == "Shall everything of ann be forgotten?"
    assert second.title == "This cannot be undone"
    assert second.lines == (
        "Erased: 2 datasets, 0 characters, 1 model, 0 generations, with all pictures and captions.",
        "1 waiting job: cancelled.",
        "60 in your wallet: lost.",
        "7 qoints that you have earned: given up.",
    )
    assert button(second, "Erase, and give up 7 qoints earned").style == "danger"
    assert last.title == "You are forgotten"
    assert (await somebody(house)).account != ann.account


async def test_leaving_waits_for_money_that_is_on_its_way(house: House) -> None:
    ann = await somebody(house)
    entries = between(REVENUE, earnings(ann.account), {Lot.PURCHASED: 1200})
    await house.store.ledger.post(
        Transaction(id="r", act=Act.ROYALTY, owner=ann.account, why="a test", entries=entries, at=NOON)
    )
    payout = await house.services.payouts.request(ann, amount=1200, to="a bank", key="k")
    refused = await say(house, ann, "forget me")

    assert (refused.code, labels(refused)) == ("cannot_forget", [])
    assert refused.lines[0].endswith(f"Wait, or say `payout cancel {payout.id}`.")
