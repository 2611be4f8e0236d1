"""The bot's connection with the house behind it: what every interaction and message is answered with."""

import asyncio
import secrets
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import aiohttp
import discord
import structlog

from bots.chat.asking import Asking, Question
from bots.chat.dispatcher import Dispatcher
from bots.chat.parameter import Call
from bots.chat.reply import Reply
from bots.discord.carrying import Frame, packed
from bots.discord.questions import asked, keyboard
from bots.discord.rendering import buttons, embedded
from core.domain.account import Place, Platform
from core.domain.errors import DomainError
from core.ports.blobs import Blobs
from core.services import Services

CHOICES = 24  # shown by a select: Discord's 25 less one for «More…»
GUILDS = 0.2  # seconds without a further server until delivery begins: nothing here needs the list of them
LONGEST_PAUSE = 30.0  # seconds of a rate limit that are waited for; who asks learns of longer ones

Answer = Reply | Question

log = structlog.get_logger()


class Host(discord.AutoShardedClient):
    """A client without caches of people and messages: what has to last is in the store."""

    def __init__(
        self, *, services: Services, blobs: Blobs, dispatcher: Dispatcher, session: aiohttp.ClientSession
    ) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True, guild_messages=True, dm_messages=True),
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            guild_ready_timeout=GUILDS,
            max_ratelimit_timeout=LONGEST_PAUSE,
        )
        self.services, self.blobs, self.dispatcher, self.session = services, blobs, dispatcher, session
        self.asking = Asking(dispatcher=dispatcher, blobs=blobs, size=CHOICES)
        self._attended: set[asyncio.Task[Any]] = set()

    async def attend(self, work: Awaitable[None]) -> None:
        """Do what somebody waits for; nothing that breaks leaves this, and the end of the bot waits for it."""
        task = asyncio.current_task()
        self._attended |= {task} if task else set()
        try:
            await work
        except Exception as error:  # noqa: BLE001 - the edge: whatever it is, the bot goes on
            self.broken(error)
        finally:
            self._attended -= {task}

    async def attended(self, *, seconds: float) -> None:
        """Wait for what is being answered, but no longer than so."""
        if self._attended:
            await asyncio.wait(self._attended, timeout=seconds)

    def broken(self, error: BaseException) -> Reply:
        """The words for what nobody expected, with the reference under which it stands in the log."""
        reference = secrets.token_hex(4)
        log.error("discord.broke", reference=reference, exc_info=error)
        line = f"Something broke; reference {reference}. The log says more."
        return Reply(title="Not done", lines=(line,), code="broke", unavailable=True)

    async def worded(self, answer: Awaitable[Answer]) -> Answer:
        """The answer, or the words for why there is none."""
        try:
            return await answer
        except DomainError as error:
            return Reply.refused(error)
        except Exception as error:  # noqa: BLE001 - the edge: somebody waits for an answer
            return self.broken(error)

    async def call(self, place: Place, person: discord.abc.User, *, number: int) -> Call:
        """The use of a command by somebody; `number` is Discord's id of what they sent."""
        actor = await self.services.accounts.welcome(Platform.DISCORD, str(person.id), name=person.display_name)
        return Call(
            actor=actor,
            place=place,
            services=self.services,
            key=f"{Platform.DISCORD}:{number}",
            private=private_place(person),
        )

    async def drawn(self, answer: Answer, frame: Frame) -> dict[str, Any]:
        """An answer as the arguments of what edits a message; for one that is new see `posted`."""
        commands = self.dispatcher.commands
        reply, view = (asked(answer), keyboard(answer)) if isinstance(answer, Question) else (answer, None)
        parcel = await packed(reply, frame, self.blobs, link=self.services.downloads.link)
        embed = embedded(reply, commands, notes=parcel.notes)
        if parcel.image:
            embed.set_image(url=f"attachment://{parcel.image}")
        return {"embed": embed, "view": view or buttons(reply, commands), "attachments": list(parcel.files)}


def private_place(person: discord.abc.Snowflake) -> Place:
    """Somebody's own chat with the bot."""
    return Place(platform=Platform.DISCORD, chat=str(person.id))


def place_of(person: discord.abc.Snowflake, channel: Any, guild_id: int | None) -> Place:
    """Where something was said: a thread lies in its channel; adult pictures only where Discord asks for age."""
    if guild_id is None:
        return private_place(person)
    parent = getattr(channel, "parent_id", None)  # only threads have one
    return Place(
        platform=Platform.DISCORD,
        chat=str(parent or channel.id),
        thread=str(channel.id) if parent else None,
        private=False,
        community=str(guild_id),
        adult=restricted(channel),
    )


def restricted(channel: Any) -> bool:
    """Whether Discord marks a channel as age-restricted; a thread is as its channel."""
    marked = getattr(channel, "is_nsfw", None)  # not every kind of channel can be marked
    return bool(marked and marked())


def posted(drawn: dict[str, Any]) -> dict[str, Any]:
    """The same for a message that is new: it has files instead of attachments, and nothing for nothing."""
    new = {("files" if name == "attachments" else name): value for name, value in drawn.items()}
    return {name: value for name, value in new.items() if value}


def keyed(call: Call, key: str) -> Call:
    """The same use of a command under another key."""
    return replace(call, key=key)
