"""A small bot on the real discord.py, with a command of each sort, to try the emulator with."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import discord
from discord import app_commands

from tests.emulators.discord import Discord

INTENTS = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)


class Bot(discord.AutoShardedClient):
    """It hears everything; a test says what it answers."""

    def __init__(self, **options: Any) -> None:
        super().__init__(intents=options.pop("intents", INTENTS), **options)
        self._connection.guild_ready_timeout = 0.02
        self.tree = app_commands.CommandTree(self)
        self.heard: list[discord.Message] = []
        self.talks: list[Talk] = []
        self.answer: Callable[[Talk], Awaitable[object]] = ponged

    async def setup_hook(self) -> None:
        """Register the commands."""
        group = app_commands.Group(name="dataset", description="Datasets")
        group.command(name="add", description="Add pictures")(add)
        self.tree.add_command(group)
        self.tree.add_command(app_commands.Command(name="ping", description="Ping", callback=asked))
        self.tree.add_command(app_commands.ContextMenu(name="Add to dataset", callback=chosen))
        await self.tree.sync()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Shards start at once, without five seconds between them."""

    async def on_message(self, message: discord.Message) -> None:
        """Keep what was said."""
        self.heard.append(message)

    async def on_interaction(self, talk: "Talk") -> None:
        """Answer what is no command."""
        self.talks.append(talk)
        if talk.type in {discord.InteractionType.component, discord.InteractionType.modal_submit}:
            await self.answer(talk)


Talk = discord.Interaction[Bot]


@asynccontextmanager
async def a_bot(discord_: Discord, **options: Any) -> AsyncIterator[Bot]:
    """A bot that is ready, and has heard of every guild."""
    async with Bot(**options) as bot:
        await bot.login(discord_.token)
        connecting = asyncio.create_task(bot.connect())
        await bot.wait_until_ready()
        await discord_.until(lambda: not any(guild.unavailable for guild in bot.guilds))
        yield bot
    await connecting


async def ponged(talk: Talk) -> None:
    """Answer in private."""
    await talk.response.send_message("pong", ephemeral=True)


async def asked(talk: Talk) -> None:
    """Do as the test says."""
    await talk.client.answer(talk)


async def chosen(talk: Talk, message: discord.Message) -> None:  # noqa: ARG001 - what discord.py calls
    """Do as the test says, from the menu of a message."""
    await talk.client.answer(talk)


async def completed(talk: Talk, current: str) -> list[app_commands.Choice[str]]:  # noqa: ARG001 - as above
    """Two names that begin so."""
    return [app_commands.Choice(name=f"{current} number {number}", value=f"{current}{number}") for number in (1, 2)]


@app_commands.describe(dataset="Which", number="How many", picture="A picture")
@app_commands.autocomplete(dataset=completed)
async def add(
    talk: Talk, dataset: str, number: app_commands.Range[int, 1, 9], picture: discord.Attachment | None
) -> None:
    """Answer later with what was given."""
    await talk.response.defer(ephemeral=True, thinking=True)
    file = f"{picture.filename} {picture.size} {picture.content_type}" if picture else "nothing"
    await talk.followup.send(f"{dataset} {number} {file}")
