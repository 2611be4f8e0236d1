"""What delivery asks of Discord: once, edited while it can be, with what a place takes, and errors in plain terms."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from bots.chat.dispatcher import Dispatcher
from bots.chat.reply import Reply
from bots.commands import discovered
from bots.delivery.messenger import MessageGone, TryLater, Undeliverable
from bots.discord.client import Bot
from bots.discord.messenger import DiscordMessenger
from core.domain.account import Place, Platform
from core.domain.rating import Rating
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.scenes import stored
from tests.emulators.discord import GUILD, Channel, Discord, Person

HELLO = Reply(title="Hello")

pytestmark = pytest.mark.usefixtures("brisk")


@pytest.fixture
async def messenger(house: House, discord: Discord) -> AsyncIterator[DiscordMessenger]:
    """A messenger over a connection of its own."""
    async with aiohttp.ClientSession() as session:
        dispatcher = Dispatcher(commands=discovered())
        async with Bot(services=house.services, blobs=house.blobs, dispatcher=dispatcher, session=session) as bot:
            running = asyncio.create_task(bot.start(discord.token))
            await bot.wait_until_ready()
            yield DiscordMessenger(host=bot)
            await bot.close()
            await running


def private(person: Person) -> Place:
    return Place(platform=Platform.DISCORD, chat=person.id)


def among(channel: Channel, *, adult: bool = False) -> Place:
    return Place(platform=Platform.DISCORD, chat=channel.id, private=False, community=GUILD, adult=adult)


async def test_a_key_posts_once_and_only_who_is_meant_is_called(discord: Discord, messenger: DiscordMessenger) -> None:
    ann = discord.person(7, "ann")
    reply = Reply(title=f"@everyone {discord.person(8).mention}")
    posts = [await messenger.post(among(discord.general), reply, key="k" * 90, mention=ann.id) for _ in range(2)]
    assert [(one.id, one.pings) for one in discord.posted(discord.general)] == [(posts[0], (ann.id,))]
    assert posts[0] == posts[1]


async def test_a_thread_is_posted_to_and_edited(discord: Discord, messenger: DiscordMessenger) -> None:
    thread = discord.channel(77, thread_of=discord.general)
    place = among(discord.general).but(thread=thread.id)

    message = await messenger.post(place, HELLO, key="1")
    await messenger.edit(place, message, HELLO.but(title="Bye"))

    assert [one.title for one in discord.posted(thread)] == ["Bye"]
    assert discord.posted(discord.general) == []


async def test_a_message_is_edited_with_its_files(house: House, discord: Discord, messenger: DiscordMessenger) -> None:
    ann = discord.person(7, "ann")
    first, second, third = await stored(house, "a b.png"), await stored(house, "c.png"), await stored(house, "a-b.png")
    message = await messenger.post(private(ann), HELLO.but(pictures=(first,)), key="1")
    await messenger.edit(private(ann), message, HELLO.but(pictures=(second, first, third)))
    (shown,) = discord.dm(ann)
    assert shown.files == {"c.png": b"c.png", "a-b.png": b"a b.png", "a-b-2.png": b"a-b.png"}
    assert shown.embeds[0]["image"]["url"].split("/")[-1].startswith("c.png")


async def test_pictures_for_adults_are_spoilers_where_discord_asks_for_age(
    house: House, discord: Discord, messenger: DiscordMessenger
) -> None:
    marked, ann = discord.channel(50 << 22, nsfw=True), discord.person(7, "ann")
    reply = HELLO.but(pictures=(await stored(house, "a.png"),), rating=Rating.NSFW)
    for place in (among(marked, adult=True), among(discord.general, adult=True), private(ann)):
        await messenger.post(place, reply, key=place.chat)
    assert [one.files for one in discord.posted(marked)] == [{"SPOILER_a.png": b"a.png"}]
    assert "image" not in discord.posted(marked)[0].embeds[0]
    words = "Hello\nThe pictures are for adults: they are shown in age-restricted channels."
    assert [(one.text, one.files) for one in (*discord.posted(discord.general), *discord.dm(ann))] == [(words, {})] * 2


async def test_a_file_that_is_too_large_is_a_link_in_private_only(
    house: House, discord: Discord, messenger: DiscordMessenger
) -> None:
    ann = discord.person(7, "ann")
    model = (await stored(house, "zorp.safetensors")).but(size=11 * 2**20)
    reply = HELLO.but(files=(model,), link="http://127.0.0.1/u/secret")
    await messenger.post(private(ann), reply, key="1")
    await messenger.post(among(discord.general), reply, key="2")
    link = house.services.downloads.link(model)
    assert discord.dm(ann)[0].text.splitlines()[1:] == [
        f"«zorp.safetensors» (11 MB) is too large to post here: <{link}>",
        "<http://127.0.0.1/u/secret>",
    ]
    assert discord.posted(discord.general)[0].text.splitlines()[1:] == [
        "«zorp.safetensors» (11 MB) is too large to post here: `/model download` in our private chat gives a link.",
        "The link is yours alone: ask again in our private chat.",
    ]


async def test_who_cannot_be_told_is_undeliverable(discord: Discord, messenger: DiscordMessenger) -> None:
    ann, gone, closed = discord.person(7, "ann"), discord.channel(50 << 22), discord.channel(51 << 22)
    message = await messenger.post(among(gone), HELLO, key="1")
    await discord.delete_channel(gone)
    ann.closes_dms()
    closed.hidden = True
    for place in (among(gone), among(closed), private(ann)):
        with pytest.raises(Undeliverable):
            await messenger.post(place, HELLO, key="2")
    with pytest.raises(Undeliverable):
        await messenger.edit(among(gone), message, HELLO)


async def test_a_message_that_takes_no_edit_is_gone(
    discord: Discord, messenger: DiscordMessenger, clock: HandClock
) -> None:
    place = among(discord.general)
    message = await messenger.post(place, HELLO, key="1")
    clock.advance(timedelta(hours=2))
    with pytest.raises(MessageGone):
        await messenger.edit(place, message, HELLO)
    with pytest.raises(MessageGone):
        await messenger.edit(place, discord.general.id, HELLO)


async def test_pauses_and_errors_of_discord_are_for_later(discord: Discord, messenger: DiscordMessenger) -> None:
    place = among(discord.general)
    discord.limits("POST /channels/*", after=0.01)
    assert await messenger.post(place, HELLO, key="1") == discord.posted(discord.general)[0].id

    discord.limits("POST /channels/*", after=90)
    with pytest.raises(TryLater) as later:
        await messenger.post(place, HELLO, key="2")
    assert later.value.seconds == 90

    discord.fails("POST /channels/*", status=503)
    with pytest.raises(TryLater):
        await messenger.post(place, HELLO, key="2")
    assert len(discord.posted(discord.general)) == 1
