"""The same bot in simcord's Discord, which was written by others: commands, forms, buttons, selects, expiry.

Its pytest plugin is switched off for the whole run, since it takes over the clocks of every test; `simcord.run` is all
that is needed. Attachments cannot be fetched there, so what becomes of files is tested elsewhere.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import simcord
from structlog.typing import EventDict

from bots.chat.definition import Definition, command
from bots.chat.dispatcher import Dispatcher
from bots.chat.parameter import Call
from bots.chat.reply import Reply
from bots.commands import discovered
from bots.discord.client import Bot
from loraguild.composition import House


@command("break")
async def breaking(_: Call) -> Reply:
    """Break."""
    raise RuntimeError


@asynccontextmanager
async def simulated(house: House, *definitions: Definition) -> AsyncIterator[tuple[simcord.Env, simcord.ChannelHandle]]:
    """Let the bot be in simcord's Discord, where there is one channel."""
    commands = {one.path: one for one in definitions} or discovered()
    async with aiohttp.ClientSession() as session:
        bot = Bot(services=house.services, blobs=house.blobs, dispatcher=Dispatcher(commands=commands), session=session)
        async with simcord.run(bot, shard_count=1) as env:
            yield env, env.create_guild().create_text_channel("general")


def member(env: simcord.Env, name: str) -> simcord.MemberActor:
    return env.guild.add_member(env.create_user(name))


async def test_answers_choices_and_forms_are_each_persons_own(house: House) -> None:
    async with simulated(house) as (env, channel):
        ann, bob = member(env, "ann"), member(env, "bob")
        made = await ann.slash(channel, "dataset new", name="zorp", trigger="zorp")
        assert made.response
        assert (made.ephemeral, made.response.embeds[0].title) == (True, "Dataset «zorp» is open")

        offered = [await one.autocomplete(channel, "dataset view", "dataset", "zo") for one in (ann, bob)]
        assert [[choice["name"] for choice in choices] for choices in offered] == [["zorp"], []]

        form = await ann.click(made.response, label="Add files")
        assert form.modal
        assert form.modal["title"] == "/dataset add"


async def test_a_question_is_answered_and_cancelled(house: House) -> None:
    async with simulated(house) as (env, channel):
        ann = member(env, "ann")
        await ann.slash(channel, "dataset new", name="zorp", trigger="zorp")
        message = await ann.send(channel, "look", attachments=[("a.png", b"a")])
        asked = await ann.context_menu(channel, "Add to dataset", message)
        assert asked.response
        assert (asked.ephemeral, asked.response.embeds[0].title) == (True, "Which dataset?")
        await ann.select(asked.response, ["0"])
        await ann.click(asked.response, label="Cancel")
        assert asked.response.embeds[0].title == "Cancelled"


async def test_what_nobody_expected_gets_a_reference_that_the_log_has(house: House, logged: list[EventDict]) -> None:
    async with simulated(house, breaking) as (env, channel):
        said = await member(env, "ann").slash(channel, "break")
    assert said.response
    (event,) = [one for one in logged if one["event"] == "discord.broke"]
    words = f"Something broke; reference {event['reference']}. The log says more."
    assert (said.ephemeral, said.response.embeds[0].description) == (True, words)
