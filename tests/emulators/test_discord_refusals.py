"""What Discord refuses is refused by the emulator, and what a client does not let people do, they cannot do."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from io import BytesIO

import discord
import pytest

from core.ports.clock import HandClock
from tests.emulators.discord import Discord, ImpossibleError, Person, Until
from tests.emulators.discord.checks import LARGEST_FILE
from tests.emulators.discord_bot import Bot, Talk, a_bot

Act = Callable[[discord.PartialMessageable], Awaitable[object]]


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


async def test_what_a_client_does_not_send(bot: Bot, server: Discord, ann: Person) -> None:
    with pytest.raises(ImpossibleError, match="requires"):
        await ann.slash("dataset add", dataset="zorp")
    with pytest.raises(ImpossibleError, match="no option"):
        await ann.slash("ping", loud=True)
    with pytest.raises(ImpossibleError, match="takes 1 to 9"):
        await ann.slash("dataset add", dataset="zorp", number=10)
    with pytest.raises(ImpossibleError, match="does not take"):
        await ann.slash("dataset add", dataset="zorp", number="two")
    with pytest.raises(ImpossibleError, match="alone"):
        await ann.slash("dataset")
    with pytest.raises(ImpossibleError, match="too large"):
        await ann.slash("dataset add", dataset="zorp", number=1, picture=("a", bytes(LARGEST_FILE + 1)))
    await bot.get_partial_messageable(server.general_id).send("nothing to press")
    with pytest.raises(ImpossibleError, match="no button"):
        await ann.presses(server.posted(server.general)[0], "Go")


async def test_what_is_for_one_pair_of_eyes(bot: Bot, server: Discord, ann: Person) -> None:
    hidden = (await ann.slash("ping")).last
    with pytest.raises(ImpossibleError, match="do not see"):
        await server.person(4001).presses(hidden, "Go")
    with pytest.raises(discord.NotFound) as unknown:
        await bot.get_partial_messageable(server.general_id).get_partial_message(int(hidden.id)).edit(content="?")
    assert unknown.value.code == 10008


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda place: place.fetch_message(5), 10008),
        (lambda place: place.send(""), 50006),
        (lambda place: place.send(file=too_large()), 40005),
        (lambda place: place.send(files=eleven()), 50035),
    ],
)
async def test_what_a_bot_cannot_post(bot: Bot, server: Discord, act: Act, code: int) -> None:
    with pytest.raises(discord.HTTPException) as refused:
        await act(bot.get_partial_messageable(server.general_id))
    assert refused.value.code == code


def too_large() -> discord.File:
    return discord.File(BytesIO(bytes(LARGEST_FILE + 1)), "a.bin")


def eleven() -> list[discord.File]:
    return [discord.File(BytesIO(b"x"), f"{number}.txt") for number in range(11)]


async def test_where_a_bot_cannot_post(bot: Bot, server: Discord, ann: Person) -> None:
    place, refused = bot.get_partial_messageable(server.general_id), []
    dm = await (await bot.fetch_user(int(ann.id))).create_dm()
    ann.closes_dms()
    for channel, changed in ((dm, {}), (place, {"muted": True}), (place, {"hidden": True})):
        vars(server.general).update(changed)
        with pytest.raises(discord.Forbidden) as forbidden:
            await channel.send("?")
        refused.append(forbidden.value.code)
    await server.delete_channel(server.general)
    with pytest.raises(discord.NotFound) as missing:
        await place.send("?")
    assert [*refused, missing.value.code] == [50007, 50013, 50001, 10003]


async def test_messages_older_than_an_hour_keep_their_text(bot: Bot, server: Discord, clock: HandClock) -> None:
    sent = await bot.get_partial_messageable(server.general_id).send("one")
    clock.advance(timedelta(hours=1, seconds=1))
    with pytest.raises(discord.HTTPException) as refused:
        await sent.edit(content="two")
    assert (refused.value.code, [one.content for one in server.posted(server.general)]) == (30046, ["one"])


async def test_an_answer_comes_within_three_seconds_and_once(bot: Bot, ann: Person, clock: HandClock) -> None:
    codes: list[int] = []

    async def late(talk: Talk) -> None:
        clock.advance(timedelta(seconds=4))
        await answered(talk)

    async def twice(talk: Talk) -> None:
        await answered(talk)
        talk.response._response_type = None  # noqa: SLF001 - as another process that does not know
        await answered(talk)

    async def answered(talk: Talk) -> None:
        try:
            await talk.response.send_message("here")
        except discord.HTTPException as error:
            codes.append(error.code)

    bot.answer = late
    talk = await ann.slash("ping", until=Until.SENT)
    await ann.world.until(lambda: codes == [10062])
    assert not talk.acknowledged
    bot.answer = twice
    await ann.slash("ping")
    await ann.world.until(lambda: codes == [10062, 40060])


async def test_a_token_lives_for_fifteen_minutes(bot: Bot, ann: Person, clock: HandClock) -> None:
    await ann.slash("ping")
    [talk] = bot.talks
    clock.advance(timedelta(minutes=14))
    await talk.edit_original_response(content="still here")
    clock.advance(timedelta(minutes=2))
    with pytest.raises(discord.HTTPException) as refused:
        await talk.followup.send("too late")
    assert refused.value.code == 50027


async def test_a_form_is_no_answer_to_a_form(bot: Bot, ann: Person) -> None:
    async def again(talk: Talk) -> None:
        modal = discord.ui.Modal(title="t", custom_id="d")
        modal.add_item(discord.ui.TextInput[discord.ui.Modal](label="Name", custom_id="n", required=True))
        try:
            await talk.response.send_modal(modal)
        except discord.HTTPException as error:
            await talk.response.send_message(str(error.code))

    bot.answer = again
    opened = await ann.slash("ping")
    with pytest.raises(ImpossibleError, match="0 characters"):
        await ann.submits(opened.modal)
    assert (await ann.submits(opened.modal, name="zorp")).last.content == "50035"


async def test_what_the_gateway_does_not_let_in(server: Discord) -> None:
    with pytest.raises(discord.LoginFailure):
        async with Bot() as stranger:
            await stranger.login("wrong")
    intents = discord.Intents(guilds=True, message_content=True)
    async with Bot(intents=intents) as curious:
        await curious.login(server.token)
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await curious.connect()


async def test_a_forgotten_session_begins_anew(server: Discord, ann: Person) -> None:
    async with a_bot(server) as bot:
        await server.gateway.invalidate()
        await server.until(lambda: server.gateway.identified == 2)
        await ann.slash("ping")
        assert (server.gateway.resumed, len(bot.talks)) == (0, 1)
