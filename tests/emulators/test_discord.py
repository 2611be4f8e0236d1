"""The real discord.py works against the emulated Discord."""

from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import aiohttp
import discord
import pytest
from discord import ui

from core.ports.clock import HandClock
from tests.emulators.discord import Answer, Discord, Message, Person, Until
from tests.emulators.discord.checks import LARGEST_FILE
from tests.emulators.discord_bot import Bot, Talk, a_bot, ponged

PICTURE = ("zorp.png", b"picture")
NOBODY = discord.AllowedMentions.none()


@pytest.fixture
async def server(clock: HandClock) -> AsyncIterator[Discord]:
    async with Discord.running(clock=clock) as server:
        yield server


@pytest.fixture
async def bot(server: Discord) -> AsyncIterator[Bot]:
    async with a_bot(server) as bot:
        yield bot


@pytest.fixture
def ann(server: Discord) -> Person:
    return server.person(4000, "ann")


def a_file(name: str = "zorp.png", content: bytes = b"picture") -> discord.File:
    return discord.File(BytesIO(content), name)


def buttons(**labels: str) -> ui.View:
    view = ui.View(timeout=None)
    for custom_id, label in labels.items():
        view.add_item(ui.Button[ui.View](custom_id=custom_id, label=label))
    return view


def a_form() -> ui.Modal:
    form = ui.Modal(title="Pictures", custom_id="d:draft")
    form.add_item(ui.Label(text="Your pictures", component=ui.FileUpload(custom_id="f", max_values=10)))
    form.add_item(ui.Label(text="A note", component=ui.TextInput(custom_id="n", max_length=20)))
    return form


async def test_the_seams_are_as_before_afterwards() -> None:
    before = discord.http.Route.BASE
    async with Discord.running() as server:
        assert f"{server.base}/api/v10" == discord.http.Route.BASE
    assert before == discord.http.Route.BASE


@pytest.mark.usefixtures("bot")
async def test_a_command_is_answered_in_private(server: Discord, ann: Person) -> None:
    talk = await ann.slash("ping")
    assert talk.response
    assert (talk.answer, talk.ephemeral, talk.response.content) == (Answer.MESSAGE, True, "pong")
    assert server.posted(server.general) == []


@pytest.mark.usefixtures("bot")
async def test_a_promised_answer_is_filled_in_and_options_arrive(ann: Person) -> None:
    talk = await ann.slash("dataset add", dataset="zorp", number=2, picture=PICTURE)
    assert (talk.answer, talk.ephemeral, talk.last.content) == (Answer.THINKING, True, "zorp 2 zorp.png 7 image/png")
    assert talk.followups == []


@pytest.mark.usefixtures("bot")
async def test_completion(ann: Person) -> None:
    assert await ann.autocomplete("dataset add", "dataset", "zo", number=2) == [
        ("zo number 1", "zo1"),
        ("zo number 2", "zo2"),
    ]


async def test_a_form_with_files_and_texts(bot: Bot, ann: Person) -> None:
    async def listed(talk: Talk) -> None:
        data: Any = talk.data
        await talk.response.send_message(" ".join(one["filename"] for one in data["resolved"]["attachments"].values()))

    bot.answer = lambda talk: talk.response.send_modal(a_form())
    modal = (await ann.slash("ping")).modal
    assert modal
    assert (modal.title, list(modal.inputs)) == ("Pictures", ["Your pictures", "A note"])
    bot.answer = listed
    sent = await ann.submits(modal, files=[("1.png", b"1"), ("2.png", b"2")], a_note="fine")
    assert sent.last.content == "1.png 2.png"


async def test_buttons_and_selects(bot: Bot, server: Discord, ann: Person) -> None:
    async def changed(talk: Talk) -> None:
        assert talk.data
        await talk.response.edit_message(content=str(talk.data.get("values", talk.data.get("custom_id"))))

    view = buttons(go="Go")
    view.add_item(ui.Select(custom_id="s", options=[discord.SelectOption(label="Red", value="r")]))
    await bot.get_partial_messageable(server.general_id).send("Choose", view=view)
    [message] = server.posted(server.general)
    bot.answer = changed
    assert (await ann.presses(message, "Go")).answer is Answer.UPDATE
    assert message.content == "go"
    await ann.selects(message, "Red")
    assert (message.content, [one["content"] for one in message.history]) == ("['r']", ["Choose", "go"])


async def test_a_press_that_is_answered_later_waits_for_what_is_new(bot: Bot, server: Discord, ann: Person) -> None:
    async def later(talk: Talk) -> None:
        await talk.response.defer()
        await talk.followup.send("a message of its own", ephemeral=True)
        await talk.edit_original_response(content="done", view=None)

    await bot.get_partial_messageable(server.general_id).send("Choose", view=buttons(go="Go"))
    [message] = server.posted(server.general)
    bot.answer = later
    talk = await ann.presses(message, "Go")
    await server.until(lambda: message.content == "done")
    assert (talk.answer, [one.content for one in talk.followups]) == (Answer.LATER, ["a message of its own"])
    assert (message.buttons, server.posted(server.general)) == ({}, [message])


async def test_the_menu_of_a_message_brings_its_files(bot: Bot, ann: Person) -> None:
    message = await ann.writes("look", files=[PICTURE])
    await ann.uses_menu(message, "Add to dataset")
    data: Any = bot.talks[0].data
    url = data["resolved"]["messages"][message.id]["attachments"][0]["url"]
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            assert (answer.content_type, await answer.read()) == ("image/png", b"picture")
        async with session.get(url.split("?")[0]) as answer:
            assert answer.status == 404


async def test_links_to_files_run_out(ann: Person, clock: HandClock) -> None:
    url = (await ann.writes(files=[PICTURE])).data["attachments"][0]["url"]
    clock.advance(timedelta(hours=25))
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 404


async def test_messages_in_guilds_come_without_content_but_not_in_private(
    bot: Bot, server: Discord, ann: Person
) -> None:
    await ann.writes("secret", files=[PICTURE])
    await ann.writes(f"<@{bot.application_id}> hello")
    await ann.writes("private", files=[PICTURE], channel=ann.dm)
    await server.until(lambda: len(bot.heard) == 3)
    assert [(one.content, len(one.attachments)) for one in bot.heard] == [
        ("", 0),
        (f"<@{bot.application_id}> hello", 0),
        ("private", 1),
    ]


async def test_files_embeds_edits_and_the_end_of_a_message(bot: Bot, server: Discord) -> None:
    embed = discord.Embed(title="Zorp").set_image(url="attachment://zorp.png")
    sent = await bot.get_partial_messageable(server.general_id).send(embed=embed, files=[a_file(), a_file("b.txt")])
    [message] = server.posted(server.general)
    assert (message.title, message.files) == ("Zorp", {"zorp.png": b"picture", "b.txt": b"picture"})
    assert message.embeds[0]["image"]["url"] == sent.attachments[0].url
    await sent.edit(content="less", attachments=[sent.attachments[1], a_file("c.txt", b"c")])
    assert (message.content, message.files) == ("less", {"b.txt": b"picture", "c.txt": b"c"})
    await sent.delete()
    assert server.posted(server.general) == []
    with pytest.raises(discord.NotFound) as unknown:
        await sent.edit(content="?")
    assert unknown.value.code == 10008


async def test_who_is_woken(bot: Bot, server: Discord, ann: Person) -> None:
    place, text = bot.get_partial_messageable(server.general_id), f"{ann.mention} @everyone <@&7>"
    await place.send(text, allowed_mentions=NOBODY)
    await place.send(
        text, allowed_mentions=discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(int(ann.id))])
    )
    await place.send(text)
    pings = [message.pings for message in server.posted(server.general)]
    assert pings == [(), (ann.id,), (ann.id, "7", "@everyone")]


async def test_the_same_nonce_is_the_same_message_for_minutes(bot: Bot, server: Discord, clock: HandClock) -> None:
    place = bot.get_partial_messageable(server.general_id)
    first = await place.send("one", nonce="n")
    assert (await place.send("two", nonce="n")).id == first.id
    clock.advance(timedelta(minutes=6))
    assert (await place.send("three", nonce="n")).id != first.id
    assert [message.content for message in server.posted(server.general)] == ["one", "three"]


async def test_rate_limits_and_errors_are_tried_again(bot: Bot, server: Discord) -> None:
    server.limits("POST /channels/*/messages", after=0.01, times=2)
    server.limits("POST /channels/*", after=0.01, everywhere=True)
    await bot.get_partial_messageable(server.general_id).send("at last")
    assert [path for path, _ in server.requests].count(f"POST /channels/{server.general.id}/messages") == 4
    assert [message.content for message in server.posted(server.general)] == ["at last"]


async def test_a_thread_is_a_channel_too(bot: Bot, server: Discord) -> None:
    place = bot.get_channel(server.general_id)
    assert isinstance(place, discord.TextChannel)
    sent = await place.send("start")
    opened = await sent.create_thread(name="more")
    await opened.send("inside")
    thread = server.world.channels[str(opened.id)]
    assert ([one.content for one in server.posted(thread)], thread.parent) == (["inside"], server.general.id)


async def test_a_resumed_session_misses_nothing(bot: Bot, server: Discord, ann: Person) -> None:
    await server.gateway.drop()
    talk = await ann.slash("ping", until=Until.ACKNOWLEDGED)
    assert talk.response
    assert (server.gateway.identified, server.gateway.resumed) == (1, 1)
    await server.gateway.reconnect()
    await server.until(lambda: server.gateway.resumed == 2)
    await ann.slash("ping")
    assert len(bot.talks) == 2


async def test_two_replicas_hear_the_same_and_one_is_first(bot: Bot, server: Discord, ann: Person) -> None:
    async with a_bot(server) as other:
        refused = []

        async def raced(talk: Talk) -> None:
            try:
                await ponged(talk)
            except discord.HTTPException as error:
                refused.append(error.code)

        bot.answer = other.answer = raced
        talk = await ann.slash("ping")
        await server.until(lambda: len(refused) == 1)
        assert (refused, talk.followups, talk.last.content) == ([40060], [], "pong")


async def test_every_shard_has_its_guilds(clock: HandClock) -> None:
    async with Discord.running(clock=clock, shards=2) as server:
        odd = server.guild(2001)
        channel = server.channel(77, guild=odd, nsfw=True)
        async with a_bot(server) as bot:
            assert {guild.shard_id for guild in bot.guilds} == {0, 1}
            await server.person(1).slash("ping", channel=channel)
            found = bot.talks[0].channel
            assert isinstance(found, discord.TextChannel)
            assert (found.is_nsfw(), len(server.gateway.sessions)) == (True, 2)


async def test_a_silent_gateway_is_left(server: Discord, ann: Person) -> None:
    server.gateway.heartbeat_seconds = 0.03
    async with a_bot(server, heartbeat_timeout=0.1) as bot:
        before, server.gateway.answers_heartbeats = server.gateway.resumed, False
        await server.until(lambda: server.gateway.resumed > before)
        server.gateway.answers_heartbeats = True
        await ann.slash("ping")
        assert len(bot.talks) == 1


def largest(message: Message) -> int:
    return max(len(content) for content in message.files.values())


async def test_a_large_file_passes(bot: Bot, server: Discord) -> None:
    await bot.get_partial_messageable(server.general_id).send(file=a_file(content=bytes(LARGEST_FILE)))
    assert largest(server.posted(server.general)[0]) == LARGEST_FILE
