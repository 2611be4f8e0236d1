"""The one road from any chat to a command, with commands made for the test."""
# ruff: noqa: ARG001 - commands share one shape

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import pytest

from bots.chat.definition import IN_GROUP, IN_MENU, Definition, Visibility, checked, command
from bots.chat.parameter import Call, Files, Integer, OneOf, Overrides, Page, Text
from bots.chat.references import DatasetRef, ItemRef, UserRef
from bots.chat.reply import Button, Reply
from core.domain.account import Account, Notify, Place, Platform, Role, Where
from core.domain.action import VALID_FOR, Then
from core.domain.allowance import Limit
from core.domain.community import Setting
from core.domain.dataset import Dataset
from core.domain.errors import NotFound
from core.domain.item import Item
from core.ports.clock import HandClock
from core.ports.sources import Source
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.chats import a_call, a_dispatcher
from tests.builders.scenes import Upload, a_ready_dataset, somebody


class Colour(StrEnum):
    RED = "red"
    ROSE = "rose"


@command("paint")
async def paint(
    call: Call,
    count: Annotated[int, Integer("How many")],
    colour: Annotated[Colour, OneOf("Which", Colour)] = Colour.RED,
    words: Annotated[str, Text("What else", rest=True)] = "",
) -> Reply:
    """Paint things."""
    return Reply(
        title=f"{count} {colour.value} {words}",
        buttons=(Button(label="Again", command="paint", arguments={"count": str(count)}, then=Then.REPLACE),),
    )


@command("set")
async def settings(call: Call, values: Annotated[Mapping[str, str], Overrides("Settings")]) -> Reply:
    """Set things."""
    return Reply(title=" ".join(f"{name}:{value}" for name, value in values.items()))


@command("take")
async def take(
    call: Call,
    dataset: Annotated[Dataset, DatasetRef("Which")],
    files: Annotated[tuple[Source, ...], Files("Files")],
) -> Reply:
    """Take files."""
    return Reply(title=f"{dataset.name}: {', '.join(one.name for one in files)}")


@command("rule", role=Role.ADMIN, visibility=Visibility.PUBLIC)
async def rule(call: Call) -> Reply:
    """Rule."""
    return Reply(title=f"key {call.key}")


@command("crash", menu=False)
async def crash(call: Call) -> Reply:
    """Crash."""
    raise ZeroDivisionError


@command("buy", orders=True, limit=Limit(times=2, per=timedelta(minutes=1)))
async def buy(call: Call, count: Annotated[int, Integer("How many")] = 1) -> Reply:
    """Buy."""
    return Reply(title=call.told.chat)


@command("look", role=Role.ADMIN)
async def look(
    call: Call,
    dataset: Annotated[Dataset, DatasetRef("Which")],
    picture: Annotated[Item | None, ItemRef("Which of it")] = None,
    user: Annotated[Account | None, UserRef("Whose")] = None,
) -> Reply:
    """Look."""
    return Reply(title=user.name if user else "")


COMMANDS = a_dispatcher(paint, settings, take, rule, crash)
GATED = a_dispatcher(buy, look)
CHANNEL = Place(platform=Platform.DISCORD, chat="7", private=False, community="1")
DM = Place(platform=Platform.DISCORD, chat="42")


async def run(house: House, definition: Definition, *, who: str = "ann", **raw: str | tuple[Source, ...]) -> Reply:
    return await COMMANDS.run(definition, a_call(house, await somebody(house, who)), raw)


async def test_parameters_are_parsed_and_defaults_stand(house: House) -> None:
    assert (await run(house, paint, count=" 3 ")).title == "3 red "
    assert (await run(house, paint, count="3", colour="RO", words=" with a hat ")).title == "3 rose with a hat"
    assert (await run(house, settings, values="rank=8 alpha=a=b")).title == "rank:8 alpha:a=b"
    assert (await run(house, settings, values="class=a  red fox rank=8")).title == "class:a red fox rank:8"


async def test_everything_that_is_wrong_is_said_at_once(house: House) -> None:
    reply = await run(house, paint, count="many", colour="r", wrods="x")

    assert (reply.title, reply.code) == ("Please check", "bad_value")
    assert reply.lines == (
        "«many» is not a valid number: give a whole number such as 3.",
        "«r» could be red (red), rose (rose). Say which colour you mean.",
        "«wrods» is not a valid word: usage: `paint COUNT [COLOUR] [WORDS…]`.",
    )


async def test_what_is_missing_is_named_with_the_usage(house: House) -> None:
    reply = await run(house, paint)

    assert reply.lines == ("«paint» is not a valid command: count is missing. Usage: `paint COUNT [COLOUR] [WORDS…]`.",)


@pytest.mark.parametrize("values", ["rank", "=8", "rank=", "rank= 8"])
async def test_settings_are_pairs(house: House, values: str) -> None:
    assert (await run(house, settings, values=values)).code == "bad_value"


async def test_files_are_files_and_text_is_text(house: House) -> None:
    await a_ready_dataset(house, await somebody(house))
    files = (Upload(name="a.png", content=b""), Upload(name="b.png", content=b""))

    assert (await run(house, take, dataset="ZO", files=files)).title == "zorp: a.png, b.png"
    assert (await run(house, take, dataset="zorp", files="a.png")).code == "bad_value"
    assert (await run(house, take, dataset=files, files=files)).code == "bad_value"


async def test_a_reference_is_an_id_a_name_or_a_unique_beginning_of_ones_own(house: House) -> None:
    ann = await somebody(house)
    first, second = await a_ready_dataset(house, ann, name="zorp"), await a_ready_dataset(house, ann, name="zorpette")
    files = (Upload(name="a", content=b""),)

    async def named(text: str, *, who: str = "ann") -> str:
        reply = await run(house, take, who=who, dataset=text, files=files)
        return reply.code or reply.title

    assert {text: await named(text) for text in (first.id, second.id, "ZORP", "zorpe", "zo", "", "§")} == {
        first.id: "zorp: a",
        second.id: "zorpette: a",
        "ZORP": "zorp: a",
        "zorpe": "zorpette: a",
        "zo": "ambiguous",
        "": "not_found",
        "§": "not_found",
    }
    assert await named(first.id, who="bob") == await named("zorp", who="bob") == "not_found"


async def test_a_role_is_required_before_anything_is_parsed(house: House) -> None:
    assert (await run(house, rule, nonsense="x")).code == "not_allowed"
    assert (await run(house, rule, who="root")).code is None


def test_the_menu_shows_what_a_role_may_do() -> None:
    assert [one.path for one in COMMANDS.visible(Role.USER)] == ["paint", "set", "take"]
    assert [one.path for one in COMMANDS.visible(Role.ADMIN)] == ["paint", "set", "take", "rule"]
    assert COMMANDS.visible(Role.VIEWER) == []
    with pytest.raises(NotFound):
        COMMANDS.definition("pai")


async def test_what_nobody_foresaw_is_not_caught(house: House) -> None:
    with pytest.raises(ZeroDivisionError):
        await run(house, crash)


async def test_a_button_works_after_a_restart_and_only_for_its_owner(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    (again,) = (await run(house, paint, count="3")).buttons
    fresh = a_dispatcher(paint)

    pressed, then = await fresh.press(again.token, a_call(house, ann))
    stolen, how = await fresh.press(again.token, a_call(house, bob))

    assert (pressed.title, then) == ("3 red ", Then.REPLACE)
    assert (stolen.code, how) == ("not_yours", Then.NEW)
    assert len(again.token) <= 64


async def test_a_button_expires(house: House, clock: HandClock) -> None:
    (again,) = (await run(house, paint, count="3")).buttons
    clock.advance(VALID_FOR + timedelta(seconds=1))

    reply, _ = await COMMANDS.press(again.token, a_call(house, await somebody(house)))

    assert reply.code == "action_gone"


async def test_the_token_of_a_button_is_its_key(house: House, database: Database) -> None:
    root = await somebody(house, "root")
    (again,) = (await run(house, paint, who="root", count="3")).buttons
    await database["actions"].update_one({"_id": again.token}, {"$set": {"command": "rule", "arguments": {}}})

    reply, _ = await COMMANDS.press(again.token, a_call(house, root, key="another"))

    assert reply.title == f"key {again.token}"


async def test_a_refused_command_leaves_no_button(house: House, database: Database) -> None:
    await run(house, paint, count="x")

    assert await database["actions"].count_documents({}) == 0


async def test_the_next_question_is_what_is_missing_or_worth_choosing(house: House) -> None:
    call = a_call(house, await somebody(house))

    asked = [
        await COMMANDS.question(paint, call, given) for given in ({}, {"count": "3"}, {"count": "3", "colour": "r"})
    ]

    assert asked == ["count", "colour", None]


def test_a_command_without_help_or_with_a_bare_parameter_is_an_error_at_start() -> None:
    async def mute(call: Call) -> Reply:
        return Reply(title="")

    async def bare(call: Call, count: int) -> Reply:
        """Help."""
        return Reply(title="")

    with pytest.raises(TypeError, match="no docstring"):
        command("mute")(mute)
    with pytest.raises(TypeError, match="count is not Annotated"):
        command("bare")(bare)


def test_the_usage_says_what_is_typed() -> None:
    assert [one.usage for one in (paint, settings, take)] == [
        "paint COUNT [COLOUR] [WORDS…]",
        "set name=value…",
        "take DATASET FILES…",
    ]


async def test_who_is_banned_may_do_nothing_and_is_told_why(house: House) -> None:
    ann = (await somebody(house)).but(banned="spam")
    reply = await GATED.run(buy, a_call(house, ann), {})

    assert (reply.code, "spam" in reply.lines[0]) == ("banned", True)
    assert await COMMANDS.choices(paint, "colour", a_call(house, ann), "", {}) == Page()


async def test_a_community_says_where_and_who(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    communities = house.services.communities
    await communities.choose(root, CHANNEL, Setting.CHANNELS, "7")
    await communities.choose(root, CHANNEL, Setting.ORDERS, "moderator")

    async def said(definition: Definition, place: Place) -> str | None:
        reply = await GATED.run(definition, replace(a_call(house, ann), place=place, private=DM), {"count": "1"})
        return reply.code

    assert [await said(one, CHANNEL) for one in (paint, buy)] == [None, "not_here"]
    assert [await said(one, CHANNEL.but(chat="8")) for one in (paint, buy)] == ["not_here"] * 2
    assert [await said(one, DM) for one in (paint, buy)] == [None, None]


async def test_a_cooldown_counts_what_was_run_and_says_how_long_to_wait(house: House, clock: HandClock) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    raws: list[Mapping[str, str]] = [{}, {"count": "x"}, {}, {}]
    codes = [(await GATED.run(buy, a_call(house, ann), raw)).code for raw in raws]
    others = (await GATED.run(buy, a_call(house, bob), {})).code
    clock.advance(timedelta(minutes=1))

    assert codes == [None, "bad_value", None, "too_often"]
    assert others is None
    assert (await GATED.run(buy, a_call(house, ann), {})).code is None


@pytest.mark.parametrize(("where", "chat"), [(Where.DM, "42"), (Where.CHANNEL, "7")])
async def test_a_command_knows_where_its_card_goes(house: House, where: Where, chat: str) -> None:
    ann = (await somebody(house)).but(notify=Notify(where=where))

    reply = await GATED.run(buy, replace(a_call(house, ann), place=CHANNEL, private=DM), {})

    assert reply.title == chat


async def test_choices_are_for_those_who_may_and_never_fail(house: House) -> None:
    root, ann = await somebody(house, "root"), await somebody(house)
    await a_ready_dataset(house, root, pictures=2)
    of_root, of_ann = a_call(house, root), a_call(house, ann)

    pictures = await GATED.choices(look, "picture", of_root, "", {"dataset": "zorp"}, limit=1)

    assert [(choice.value, pictures.more) for choice in pictures.choices] == [("1", True)]
    assert await GATED.choices(look, "picture", of_root, "", {"dataset": "gone"}) == Page()
    assert await GATED.choices(look, "user", of_ann, "a", {"dataset": "zorp"}) == Page()
    assert await GATED.question(look, of_root, {"dataset": "gone", "user": "ann"}) is None
    assert await GATED.question(look, of_root, {"dataset": "zorp", "user": "ann"}) == "picture"


async def test_people_are_named_as_platforms_name_them(house: House) -> None:
    root = await somebody(house, "root")
    hilda = await house.services.accounts.welcome(Platform.DISCORD, "42", name="Hilda")
    await house.services.accounts.welcome(Platform.DISCORD, "43", name="Hildegard")
    await a_ready_dataset(house, root)
    call = replace(a_call(house, root), place=CHANNEL)

    async def named(text: str) -> str:
        reply = await GATED.run(look, call, {"dataset": "zorp", "user": text})
        return reply.code or reply.title

    texts = ("@hilda", "Hilda", "hildeg", "discord:42", hilda.account, "<@42>", "<@!43>", "hil", "<@44>", "@", "42")
    assert [await named(text) for text in texts] == [
        *("Hilda", "Hilda", "Hildegard", "Hilda", "Hilda", "Hilda", "Hildegard"),
        *("ambiguous", "not_found", "not_found", "not_found"),
    ]


async def nothing(call: Call) -> Reply:
    """Do nothing."""
    return Reply(title="")


@pytest.mark.parametrize(
    ("paths", "fault"),
    [
        (["a b", "a b"], "command a_b is defined twice"),
        (["a b", "a_b"], "command a_b is defined twice"),
        (["link", "link confirm"], "command link is a group too"),
        (["a b c"], "«a b c» is no name"),
        (["Link"], "«Link» is no name"),
        (["delete-now"], "«delete-now» is no name"),
        (["a" * 33], "is no name"),
        ([f"group c{number}" for number in range(IN_GROUP + 1)], "group group has 26 commands, 25 fit"),
        ([f"c{number}" for number in range(IN_MENU + 1)], "there are 100 commands for everybody, 99 fit"),
    ],
)
def test_commands_that_fit_into_no_menu_are_an_error_at_start(paths: list[str], fault: str) -> None:
    with pytest.raises(TypeError, match=fault):
        checked(command(path)(nothing) for path in paths)


def test_what_only_a_button_leads_to_stands_in_no_menu() -> None:
    hidden = [command(path, menu=False)(nothing) for path in ("link confirm", "train decline-now", "a b c")]
    known = checked([command("link")(nothing), *hidden])

    assert list(known) == ["link", "link confirm", "train decline-now", "a b c"]


def test_parameters_have_names_that_fit() -> None:
    async def odd(call: Call, Count: Annotated[int, Integer("How many")]) -> Reply:  # noqa: N803 - the fault
        """Count."""
        return Reply(title="")

    with pytest.raises(TypeError, match="«Count» is no name"):
        checked([command("odd")(odd)])
