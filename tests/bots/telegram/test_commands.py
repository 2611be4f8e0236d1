"""Commands as people type them in Telegram."""

import pytest

from bots.commands import discovered
from bots.telegram.menus import CANCEL, MOST
from bots.telegram.rendering import spelled
from core.domain.account import Platform, Role
from loraguild.composition import House
from tests.builders.scenes import some_datasets
from tests.emulators.telegram import Telegram, labels

pytestmark = pytest.mark.usefixtures("bot")


def allowed(role: Role) -> set[str]:
    """What a role may use of what stands in menus, as Telegram calls it."""
    return {spelled(path)[1:] for path, one in discovered().items() if one.menu and role.covers(one.role)}


async def test_a_command_with_everything_is_answered_at_once(telegram: Telegram) -> None:
    ann = telegram.person(42)

    await ann.says("/dataset_new zorp trigger=zorp rating=sfw")

    reply = await telegram.heard(42, containing="«zorp» is open")
    assert labels(reply)[0] == "Add files"
    assert "/dataset_add zorp FILES…" in reply.text


async def test_inline_arguments_are_split_as_in_a_shell(telegram: Telegram) -> None:
    ann = telegram.person(42)

    await ann.says('/dataset_new "two words" trigger=zorp rating=sfw')
    await telegram.heard(42, containing="«two words» is open")
    await ann.says('/dataset_view "open')

    assert await telegram.heard(42, containing="a quote is not closed")


async def test_words_without_a_slash_are_a_command_in_private(telegram: Telegram) -> None:
    ann = telegram.person(42)

    await ann.says("dataset new zorp zorp sfw")
    await telegram.heard(42, containing="«zorp» is open")
    await ann.says("datset list")

    assert await telegram.heard(42, containing="Did you mean /dataset_list?")


async def test_what_is_missing_is_asked_question_by_question(telegram: Telegram) -> None:
    ann = telegram.person(42)

    await ann.says("/dataset_new")
    first = await telegram.heard(42, containing="What to call it")
    await ann.says("zorp")
    await telegram.heard(42, containing="The word that will call the model")
    await ann.says("zorp")
    rating = await telegram.heard(42, containing="Who it is for")
    await ann.clicks(rating, "sfw")

    reply = await telegram.heard(42, containing="«zorp» is open")
    assert labels(first) == ["Cancel"]
    assert labels(rating) == ["sfw", "nsfw", "Back", "Skip", "Cancel"]
    assert reply.id == rating.id
    assert await telegram.until(lambda: telegram.world.answers["1"]) == {"text": "", "show_alert": False}


async def test_what_does_not_fit_is_asked_again_with_the_words(telegram: Telegram) -> None:
    ann = telegram.person(42)
    await ann.says("/dataset_new zorp zorp sfw")
    await telegram.heard(42, containing="is open")

    await ann.says("/dataset_view grizzly")

    question = await telegram.heard(42, containing="Which dataset")
    assert "There is no dataset «grizzly»" in question.text
    assert labels(question) == ["zorp", "Cancel"]


async def test_a_word_that_cannot_call_a_model_is_asked_for_again(telegram: Telegram) -> None:
    ann = telegram.person(42)

    await ann.says("/dataset_new zorp trigger=dog rating=sfw")
    again = await telegram.heard(42, containing="«dog» cannot be a trigger word")
    await ann.says("zorp")

    assert "The word that will call the model" in again.text
    await telegram.heard(42, containing="«zorp» is open")


async def test_many_choices_are_paged_by_eight_and_typing_narrows_them(house: House, telegram: Telegram) -> None:
    ann = telegram.person(42)
    actor = await house.services.accounts.welcome(Platform.TELEGRAM, "42", name="Ann")
    await some_datasets(house, actor, *(f"cats {number}" for number in range(10)))

    await ann.says("/dataset_view")
    first = await telegram.heard(42, containing="Which dataset")
    await ann.clicks(first, "▶")
    second = await telegram.heard(42, containing="Which dataset")
    await ann.clicks(second, "◀")
    third = await telegram.heard(42, containing="Which dataset")
    await ann.says("ts 7")
    fourth = await telegram.heard(42, containing="Which dataset")
    await ann.clicks(fourth, "cats 7")
    reply = await telegram.heard(42, containing="cats 7 · draft")

    eight = [f"cats {number}" for number in range(8)]
    assert [labels(one) for one in (first, second, third, fourth)] == [
        [*eight, "▶", "Cancel"],
        ["cats 8", "cats 9", "◀", "Cancel"],
        [*eight, "▶", "Cancel"],
        ["cats 7", "Cancel"],
    ]
    assert first.id == second.id == third.id
    assert fourth.id == reply.id > third.id


async def test_back_asks_the_question_before_again(telegram: Telegram) -> None:
    ann = telegram.person(42)
    await ann.says("/dataset_new")
    await telegram.heard(42, containing="What to call it")
    await ann.says("zorp")
    trigger = await telegram.heard(42, containing="The word that will call the model")

    await ann.clicks(trigger, "Back")
    await telegram.heard(42, containing="What to call it")
    await ann.says("grizzly")
    await telegram.heard(42, containing="The word that will call the model")
    await ann.says("zorp")
    await ann.clicks(await telegram.heard(42, containing="Who it is for"), "Skip")

    assert await telegram.heard(42, containing="«grizzly» is open")


@pytest.mark.parametrize("by_command", [True, False])
async def test_cancel_lets_a_question_go(house: House, telegram: Telegram, *, by_command: bool) -> None:
    ann = telegram.person(42)
    await ann.says("/dataset_new")
    question = await telegram.heard(42, containing="What to call it")

    await (ann.says("/cancel") if by_command else ann.clicks(question, "Cancel"))

    await telegram.heard(42, containing="Cancelled")
    assert await house.services.drafts.on(Platform.TELEGRAM) == []
    await ann.clicks(question, "Cancel")
    await telegram.heard(42, containing="This button has expired")
    await ann.says("/cancel")
    await telegram.heard(42, containing="There is nothing to cancel")


async def test_an_old_keyboard_brings_the_question_as_it_is_now(house: House, telegram: Telegram) -> None:
    ann = telegram.person(42)
    actor = await house.services.accounts.welcome(Platform.TELEGRAM, "42", name="Ann")
    await some_datasets(house, actor, *(f"cats {number}" for number in range(10)))
    await ann.says("/dataset_view")
    old = await telegram.heard(42, containing="Which dataset")
    await ann.says("cats")
    now = await telegram.heard(42, containing="could be")

    await ann.clicks(old, "cats 3")

    again = await telegram.heard(42, containing="Which dataset")
    assert labels(again) == labels(now)
    assert again.id > now.id


async def test_a_double_click_has_one_effect(telegram: Telegram) -> None:
    ann = telegram.person(42)
    await ann.says("/dataset_new zorp zorp")
    rating = await telegram.heard(42, containing="Who it is for")

    await ann.clicks(rating, "sfw")
    await ann.clicks(rating, "sfw")
    opened = await telegram.heard(42, containing="is open")
    await ann.clicks(opened, "Add files")
    await ann.clicks(opened, "Add files")
    await telegram.heard(42, containing="Send them now")
    await ann.says("/wallet")

    await telegram.heard(42, containing="100 to spend")
    assert [message.text.splitlines()[0] for message in telegram.sent(42)] == [
        "Dataset «zorp» is open",
        "Pictures (.txt captions beside them), conversations, or a zip",
        "100 to spend",
    ]


async def test_a_repeated_update_has_one_effect(telegram: Telegram) -> None:
    ann = telegram.person(42)

    update = await ann.says("/wallet")
    await telegram.heard(42, containing="100 to spend")
    await telegram.repeats(update)
    await ann.says("/me")

    await telegram.heard(42, containing="account")
    assert len(telegram.sent(42)) == 2


async def test_a_button_replaces_its_message_where_it_says_so(telegram: Telegram) -> None:
    ann = telegram.person(42)
    await ann.says("/me")
    me = await telegram.heard(42, containing="account")

    await ann.clicks(me, "How I am told")
    told = await telegram.heard(42, containing="How you are told")
    await ann.clicks(told, "Nothing at all")
    changed = await telegram.heard(42, containing="nothing at all")

    assert me.id < told.id == changed.id
    assert labels(changed) == ["In the channel where you ordered", "A card that moves", "Only the end"]


async def test_the_menu_is_for_everybody_and_an_admin_has_a_full_one_of_their_own(
    house: House, telegram: Telegram
) -> None:
    ann, root = telegram.person(42), telegram.person(7, "Root")
    await ann.says("/me")
    await telegram.heard(42, containing="account")
    actor = await house.services.accounts.welcome(Platform.TELEGRAM, "7", name="Root")
    account = await house.store.accounts.get(actor.account)
    await house.store.accounts.save(account.but(role=Role.ADMIN))

    await root.says("/me")
    await telegram.heard(7, containing="admin")

    everybody = await telegram.until(lambda: telegram.menu("default"))
    admins = await telegram.until(lambda: telegram.menu("chat", "7"))
    assert telegram.menu("chat", "42") == {}
    assert everybody["wallet"] == "Your points and qoints, and what was moved lately."
    assert set(everybody) == {*allowed(Role.USER), CANCEL}
    assert set(admins) - set(everybody) == allowed(Role.ADMIN) - allowed(Role.USER)
    assert len(admins) == MOST  # not all has room


async def test_what_has_no_room_in_a_menu_can_be_typed_all_the_same(house: House, telegram: Telegram) -> None:
    root = telegram.person(7, "Root")
    actor = await house.services.accounts.welcome(Platform.TELEGRAM, "7", name="Root")
    await house.store.accounts.save((await house.store.accounts.get(actor.account)).but(role=Role.ADMIN))
    await root.says("/me")
    await telegram.heard(7, containing="admin")
    admins = await telegram.until(lambda: telegram.menu("chat", "7"))

    await root.says("/wallet")

    assert "wallet" not in admins
    await telegram.heard(7, containing="100 to spend")


async def test_deep_links_reach_start(telegram: Telegram) -> None:
    ann = telegram.person(42)

    await ann.starts("link_abcd2345")
    await telegram.heard(42, containing="code")
    await ann.starts("job_nosuchjob")

    assert await telegram.heard(42, containing="There is no job «nosuchjob»")


async def test_commands_in_quick_succession_are_all_answered_in_order(telegram: Telegram) -> None:
    ann = telegram.person(42)
    said = ["/wallet", "/me", "/offerings", "/wallet"]

    for line in said:
        await ann.says(line)
    await ann.says("/train_list")

    await telegram.heard(42, containing="No trainings yet")
    first = [message.text.splitlines()[0] for message in telegram.sent(42)]
    assert first == ["100 to spend", "Ann", "Offerings", "100 to spend", "No trainings yet"]
