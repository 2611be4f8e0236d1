"""Files without a command: from the menu of a message, in private, and in a server by mention."""

import asyncio
from dataclasses import replace

import pytest

from core.domain.account import Place, Platform, Role
from core.domain.community import Setting
from core.domain.draft import OPEN_FOR
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.bots.discord.scene import a_dataset, actor_of, files_of, noted, serving
from tests.builders.scenes import some_datasets
from tests.emulators.discord import BOT, GUILD, Discord

ALBUM = [("a.png", b"a"), ("b.png", b"b")]
NAMES = [f"zorp{number:02}" for number in range(30)]

pytestmark = pytest.mark.usefixtures("bot")


async def test_the_menu_of_a_message_asks_for_one_of_many_datasets(house: House, discord: Discord) -> None:
    ann = discord.person(7, "ann")
    await some_datasets(house, await actor_of(house, ann), *NAMES)
    message = await discord.person(8).writes(files=ALBUM)
    asked = await ann.uses_menu(message, "Add to dataset")
    assert asked.ephemeral
    turned = await ann.selects(asked.last, "More…")
    assert [one["label"] for one in turned.last.selects[0]["options"]] == NAMES[24:]
    back = await ann.presses(turned.last, "Back")
    assert len(back.last.selects[0]["options"]) == 25
    await ann.selects(back.last, "More…")
    chosen = await ann.selects(asked.last, "zorp29")
    assert (chosen.last.title, await files_of(house, ann)) == ("2 files received for «zorp29»", [["a.png", "b.png"]])


async def test_a_choice_from_a_page_that_was_turned_is_asked_again(house: House, discord: Discord) -> None:
    ann = discord.person(7, "ann")
    await some_datasets(house, await actor_of(house, ann), *NAMES)
    asked = await ann.uses_menu(await ann.writes(files=ALBUM), "Add to dataset")
    old = replace(asked.last, data=dict(asked.last.data))
    await ann.selects(asked.last, "More…")
    again = await ann.selects(old, "zorp00")
    assert [one["label"] for one in again.last.selects[0]["options"]] == NAMES[24:]
    assert await files_of(house, ann) == []


async def test_the_menu_of_a_message_without_files_says_so(discord: Discord) -> None:
    ann = discord.person(7, "ann")
    asked = await ann.uses_menu(await ann.writes("hello"), "Add to dataset")
    assert asked.last.text == "Not done\nThis message has no files."


async def test_who_has_no_dataset_is_told_how_to_make_one(discord: Discord) -> None:
    ann = discord.person(7, "ann")
    asked = await ann.uses_menu(await ann.writes(files=ALBUM), "Add to dataset")
    assert "There is no dataset to choose yet." in asked.last.text
    assert "`/dataset new NAME trigger=WORD`" in asked.last.text
    cancelled = await ann.presses(asked.last, "Cancel")
    assert cancelled.last.title == "Cancelled"


async def test_messages_in_private_gather_until_done(house: House, discord: Discord) -> None:
    ann = discord.person(7, "ann")
    await a_dataset(house, ann)
    await ann.writes(files=ALBUM, channel=ann.dm)
    question = (await discord.until(lambda: discord.dm(ann)))[0]
    await ann.selects(question, "zorp")
    assert question.title == "2 files have come"

    await asyncio.gather(*(ann.writes(files=[(f"{number}.png", b"x")], channel=ann.dm) for number in range(3)))
    await discord.until(lambda: question.title == "5 files have come")
    assert discord.dm(ann) == [question]

    done = await ann.presses(question, "Done")
    assert done.last.title == "5 files received for «zorp»"
    assert [sorted(names) for names in await files_of(house, ann)] == [["0.png", "1.png", "2.png", "a.png", "b.png"]]


async def test_many_first_messages_ask_once(house: House, discord: Discord) -> None:
    ann = discord.person(7, "ann")
    await a_dataset(house, ann)
    await asyncio.gather(*(ann.writes(files=[(f"{number}.png", b"x")], channel=ann.dm) for number in range(5)))
    question = (await discord.until(lambda: discord.dm(ann)))[0]
    await discord.until(lambda: "5 files have come." in question.text)
    assert discord.dm(ann) == [question]


async def test_a_message_in_a_server_counts_only_with_a_mention(house: House, discord: Discord) -> None:
    ann = discord.person(7, "ann")
    await a_dataset(house, ann)
    await ann.writes("look", files=ALBUM)
    await ann.writes(f"<@{BOT}> these", files=[("c.png", b"c")])
    question = (await discord.until(lambda: discord.posted(discord.general)))[0]
    await ann.selects(question, "zorp")
    await ann.presses(question, "Done")
    assert await files_of(house, ann) == [["c.png"]]


async def test_files_are_not_taken_where_the_bot_does_not_answer(house: House, discord: Discord) -> None:
    ann, root = discord.person(7, "ann"), discord.person(9, "root")
    await a_dataset(house, ann)
    admin = (await actor_of(house, root)).but(role=Role.ADMIN)
    place = Place(platform=Platform.DISCORD, chat=discord.general.id, private=False, community=GUILD)
    await house.services.communities.choose(admin, place, Setting.CHANNELS, "1")
    form = await ann.slash("dataset add", dataset="zorp")
    said = [
        (await ann.submits(form.modal, files=ALBUM)).last,
        (await ann.uses_menu(await ann.writes(files=ALBUM), "Add to dataset")).last,
    ]
    await ann.writes(f"<@{BOT}> these", files=ALBUM)
    said += await discord.until(lambda: discord.posted(discord.general))
    words = "Talking to the bot is not possible here: go to one of its channels, or write to it in private."
    assert [one.text for one in said] == [f"Not done\n{words}"] * 3
    assert [draft.received for draft in await house.services.drafts.on(Platform.DISCORD)] == [()]


async def test_a_thread_lies_in_its_channel(house: House, discord: Discord) -> None:
    ann, root = discord.person(7, "ann"), discord.person(9, "root")
    admin = (await actor_of(house, root)).but(role=Role.ADMIN)
    place = Place(platform=Platform.DISCORD, chat=discord.general.id, private=False, community=GUILD)
    await house.services.communities.choose(admin, place, Setting.CHANNELS, discord.general.id)
    thread = discord.channel(77, thread_of=discord.general)

    said = await ann.slash("me", channel=thread)

    assert said.last.title == "ann"


async def test_two_replicas_answer_once(house: House, discord: Discord) -> None:
    ann = discord.person(7, "ann")
    await a_dataset(house, ann)
    async with serving(house, discord):
        said = await ann.slash("dataset add", dataset="zorp", files_1=ALBUM[0])
        await ann.writes(files=ALBUM, channel=ann.dm)
        question = (await discord.until(lambda: discord.dm(ann)))[0]
        await ann.selects(question, "zorp")
        await ann.presses(question, "Done")
    assert said.followups == []
    assert await files_of(house, ann) == [["a.png"], ["a.png", "b.png"]]


async def test_files_that_nobody_finished_are_added_all_the_same(
    house: House, discord: Discord, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.discord.collecting.POLL", 0.01)
    ann = discord.person(7, "ann")
    await a_dataset(house, ann)
    async with serving(house, discord):
        await ann.writes(f"<@{BOT}> these", files=ALBUM)
        question = (await discord.until(lambda: discord.posted(discord.general)))[0]
        await noted(house)
        await ann.selects(question, "zorp")
        clock.advance(OPEN_FOR)
        told = (await discord.until(lambda: discord.dm(ann)))[0]
    assert told.title == "2 files received for «zorp»"
    assert await files_of(house, ann) == [["a.png", "b.png"]]
