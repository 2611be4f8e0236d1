"""Interactions: acknowledged first, then answered, in the message that waits for it or in private when it is late."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import discord
import structlog

from bots.chat.definition import Definition, Visibility
from bots.chat.parameter import Call
from bots.delivery.messenger import TryLater, Undeliverable
from bots.discord.carrying import Frame
from bots.discord.host import Answer, Host, place_of, posted, private_place
from bots.discord.messenger import DiscordMessenger
from core.domain.account import Place

Interaction = discord.Interaction[Host]

TAKEN = {40060, 10062}  # another replica was faster, or Discord has given up waiting
OVER = {50027, 10015, 10008}  # the interaction's fifteen minutes have passed, or its message is gone

log = structlog.get_logger()


async def acknowledged(first: Awaitable[object]) -> bool:
    """Give the first answer; False where nobody waits for it from us. Discord's acknowledgement is the claim."""
    try:
        await first
    except discord.HTTPException as error:
        if error.code not in TAKEN:
            raise
        return False
    return True


async def deferred(interaction: Interaction, *, ephemeral: bool = False, thinking: bool = False) -> bool:
    """Acknowledge now and answer later; False where nobody waits for it from us."""
    return await acknowledged(interaction.response.defer(ephemeral=ephemeral, thinking=thinking))


async def answered(interaction: Interaction, answer: Callable[[Call], Awaitable[Answer]]) -> Answer:
    """What somebody is told, whatever happens."""

    async def told() -> Answer:
        return await answer(await called(interaction))

    return await interaction.client.worded(told())


async def called(interaction: Interaction) -> Call:
    """The use of a command that an interaction is."""
    return await interaction.client.call(said_at(interaction), interaction.user, number=interaction.id)


async def fill(interaction: Interaction, answer: Answer, *, private: bool) -> None:
    """Put an answer into the message that waits for it, or over the one that was pressed on."""
    drawn = await interaction.client.drawn(answer, _frame(interaction, private=private))
    try:
        await interaction.edit_original_response(**drawn)
    except discord.HTTPException as error:
        await _otherwise(interaction, answer, error)


async def follow(interaction: Interaction, answer: Answer, *, ephemeral: bool) -> None:
    """Answer with a message of its own."""
    private = ephemeral or said_at(interaction).private
    drawn = await interaction.client.drawn(answer, _frame(interaction, private=private))
    try:
        await interaction.followup.send(**posted(drawn), ephemeral=ephemeral)
    except discord.HTTPException as error:
        await _otherwise(interaction, answer, error)


async def whisper(interaction: Interaction, answer: Answer) -> None:
    """Answer in private where everyone sees that an answer is awaited: what was promised goes first."""
    with suppress(discord.HTTPException):  # it is gone already, or the fifteen minutes are over
        await interaction.delete_original_response()
    await follow(interaction, answer, ephemeral=True)


def hidden(interaction: Interaction, definition: Definition | None = None) -> bool:
    """Whether an answer is for one pair of eyes among others; a private chat has no others."""
    public = definition is not None and definition.visibility is Visibility.PUBLIC
    return interaction.guild_id is not None and not public


def alone(interaction: Interaction) -> bool:
    """Whether one person alone sees the message that was pressed on."""
    return said_at(interaction).private or bool(interaction.message and interaction.message.flags.ephemeral)


def said_at(interaction: Interaction) -> Place:
    """Where the interaction happened."""
    return place_of(interaction.user, interaction.channel, interaction.guild_id)


async def _otherwise(interaction: Interaction, answer: Answer, error: discord.HTTPException) -> None:
    """Where Discord does not take an answer: say it in private when it is late, else say that something broke."""
    host = interaction.client
    if error.code not in OVER:
        drawn = await host.drawn(host.broken(error), _frame(interaction, private=True))
        await interaction.followup.send(**posted(drawn), ephemeral=hidden(interaction))
        return
    try:
        messenger = DiscordMessenger(host=host)
        await messenger.post(private_place(interaction.user), answer, key=f"late:{interaction.id}")
    except (TryLater, Undeliverable) as problem:
        log.info("discord.unanswered", why=str(problem))  # what was done stands, and its card follows by delivery


def _frame(interaction: Interaction, *, private: bool) -> Frame:
    return Frame(place=said_at(interaction), private=private, limit=interaction.filesize_limit)
