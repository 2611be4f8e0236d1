"""Groups: what is private goes to private chats, strangers' clicks change nothing, other bots are left alone."""

from collections.abc import Sequence

import pytest

from bots.telegram.meeting import PLATFORM
from core.domain.account import Role
from core.domain.community import Community, community_id
from loraguild.composition import House
from tests.builders.entities import NOON
from tests.emulators.telegram import Telegram, labels

pytestmark = pytest.mark.usefixtures("bot")

GROUP = -100


def said(telegram: Telegram, chat: int) -> Sequence[str]:
    """The first lines of what the bot said in a chat."""
    return [one.text.splitlines()[0] for one in telegram.sent(chat)]


async def test_a_private_answer_goes_to_the_private_chat(telegram: Telegram) -> None:
    ann, group = telegram.person(42, started=True), telegram.group(GROUP)

    await ann.says("/wallet@fake_bot", chat=group)

    await telegram.heard(42, containing="100 to spend")
    assert said(telegram, GROUP) == []


async def test_who_never_started_the_bot_gets_a_button_to_it(telegram: Telegram) -> None:
    ann, group = telegram.person(42), telegram.group(GROUP)

    await ann.says("/wallet", chat=group)
    invited = await telegram.heard(GROUP, containing="Ann, I answer this in private")
    await ann.says("/dataset_new", chat=group)
    await telegram.heard(GROUP, containing="Ann, I answer this in private")

    assert [(one["text"], one["url"]) for one in invited.buttons] == [("Talk to me", "https://t.me/fake_bot?start=")]
    assert said(telegram, 42) == []


async def test_questions_of_a_private_command_are_asked_in_private(telegram: Telegram) -> None:
    ann, group = telegram.person(42, started=True), telegram.group(GROUP)

    await ann.says("/dataset_new zorp", chat=group)
    await telegram.heard(42, containing="The word that will call the model")
    await ann.says("zorp")
    await telegram.heard(42, containing="«zorp» is open")  # nothing for adults can be made here: it is not asked

    assert said(telegram, GROUP) == []


async def test_what_is_asked_in_private_is_done_where_it_was_said(house: House, telegram: Telegram) -> None:
    root, group = telegram.person(7, "Root", started=True), telegram.group(GROUP)
    actor = await house.services.accounts.welcome(PLATFORM, "7", name="Root")
    account = await house.store.accounts.get(actor.account)
    await house.store.accounts.save(account.but(role=Role.ADMIN).verified(by="mod", now=NOON))

    await root.says("/admin_setting value=yes", chat=group)
    await root.clicks(await telegram.heard(7, containing="Which setting"), "nsfw")
    await telegram.heard(7, containing="nsfw is yes now")
    await root.says("/dataset_new zorp zorp", chat=group)
    await root.clicks(await telegram.heard(7, containing="Who it is for"), "nsfw")
    await telegram.heard(7, containing="«zorp» is open")

    assert said(telegram, GROUP) == []


async def test_who_wishes_to_be_told_in_the_group_gets_the_quote_there(telegram: Telegram) -> None:
    ann, group = telegram.person(42, started=True), telegram.group(GROUP)
    await ann.says("/notify where=channel telling=live")
    await telegram.heard(42, containing="How you are told")

    await ann.says("/train_order nothing", chat=group)

    question = await telegram.heard(GROUP, containing="What to train on")
    assert question.text.splitlines()[-1] == "Reply to this with it."


async def test_a_mention_is_a_command_too(telegram: Telegram) -> None:
    ann, group = telegram.person(42, started=True), telegram.group(GROUP)

    await ann.says("@fake_bot wallet", chat=group)

    assert await telegram.heard(42, containing="100 to spend")


async def test_what_is_for_other_bots_is_left_alone(telegram: Telegram) -> None:
    ann, group = telegram.person(42, started=True), telegram.group(GROUP)
    telegram.world.privacy = False

    await ann.says("/wallet@other_bot", chat=group)
    await ann.says("/frobnicate", chat=group)
    await ann.says("wallet", chat=group)
    await ann.says("/me", chat=group)
    await telegram.heard(42, containing="account")

    assert (said(telegram, GROUP), said(telegram, 42)) == ([], ["Ann"])


async def test_a_public_answer_stays_and_its_question_is_its_askers(telegram: Telegram) -> None:
    ann, bob, group = telegram.person(42), telegram.person(43, "Bob"), telegram.group(GROUP)

    await ann.says("/imagine", chat=group)
    question = await telegram.heard(GROUP, containing="Reply to this with it.")
    await bob.clicks(question, "Cancel")
    await ann.says("a wolf", chat=group, reply_to=question)

    await telegram.heard(GROUP, containing="No trigger word")
    assert labels(question) == ["Cancel"]
    assert said(telegram, 43) == []


async def test_a_channel_where_the_bot_is_not_to_answer(house: House, telegram: Telegram) -> None:
    ann, group = telegram.person(42, started=True), telegram.group(GROUP)
    await house.store.communities.save(Community(id=community_id(PLATFORM, str(GROUP)), channels=("-7",)))

    await ann.says("/imagine a wolf", chat=group)

    assert await telegram.heard(GROUP, containing="Not done")
