"""Slash commands and the message menu: acknowledged at once, then run; a form first where files are missing."""

from collections.abc import Mapping
from contextlib import suppress

import discord
from discord import app_commands

from bots.chat.definition import Definition
from bots.chat.parameter import PAGE, Call, Raw
from bots.discord.answering import Interaction, answered, called, deferred, fill, hidden, said_at
from bots.discord.collecting import INTAKE, attached, collected, gone_on, ran
from bots.discord.escaping import plain
from bots.discord.filing import Attached
from bots.discord.host import Answer
from bots.discord.pressing import files_asked
from core.domain.errors import DomainError, NothingToDo

LABEL = 100  # Discord's limit


async def commanded(
    interaction: Interaction, definition: Definition, given: Mapping[str, str], files: tuple[Attached, ...]
) -> None:
    """A slash command was sent."""
    host = interaction.client
    if definition.files in definition.needed and not files:
        await files_asked(interaction, definition, given)
        return
    ephemeral = hidden(interaction, definition)
    if not await deferred(interaction, ephemeral=ephemeral, thinking=True):
        return
    raw: dict[str, Raw] = {**given, **({definition.files: files} if definition.files and files else {})}

    async def answer(call: Call) -> Answer:
        return await ran(host, call, definition, raw)

    private = ephemeral or said_at(interaction).private
    await fill(interaction, await answered(interaction, answer), private=private)


async def completed(interaction: Interaction, definition: Definition, name: str, text: str) -> None:
    """Something is being typed: say what it could be, and nothing where that cannot be known."""
    told = {option: value for option, value in interaction.namespace if isinstance(value, str) and value}
    given = {option: value for option, value in told.items() if option != name}
    choices: list[app_commands.Choice[str]] = []
    with suppress(DomainError):
        call = await called(interaction)
        page = await interaction.client.dispatcher.choices(definition, name, call, text, given, limit=PAGE)
        choices += [app_commands.Choice(name=plain(one.label, limit=LABEL), value=one.value) for one in page.choices]
    with suppress(discord.HTTPException):  # another replica was faster, or more has been typed meanwhile
        await interaction.response.autocomplete(choices)


async def menu_chosen(interaction: Interaction, message: discord.Message) -> None:
    """«Add to dataset» was chosen on a message: take its files in, and ask which dataset."""
    host = interaction.client
    if not await deferred(interaction, ephemeral=True, thinking=True):
        return

    async def answer(call: Call) -> Answer:
        if not message.attachments:
            raise NothingToDo(why="This message has no files.")
        call.actor.require_welcome()
        begun = await host.asking.begin(host.dispatcher.definition(INTAKE), call, {})
        step = await collected(host, call, begun.draft, attached(host, message.attachments))
        return await gone_on(host, call, step, whole=True)

    await fill(interaction, await answered(interaction, answer), private=True)
