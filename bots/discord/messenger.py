"""Discord for whoever delivers: messages that are posted once, edited while they can be, and errors in plain terms."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord
from discord.utils import DEFAULT_FILE_SIZE_LIMIT_BYTES

from bots.chat.reply import Reply
from bots.delivery.messenger import MessageGone, TryLater, Undeliverable
from bots.discord.carrying import Frame
from bots.discord.host import Answer, Host, posted, restricted
from core.domain.account import Place, Platform
from core.domain.rating import Rating

PAUSE = 5.0  # seconds, where Discord does not say how long
CALM = 60.0  # the same where it refuses without a word: its front has had enough of us
GONE = {10008, 30046}  # deleted, or edited so often when it was old that it takes no more edits for now
SERVER_ERROR = 500
TOO_MANY = 429


@dataclass(frozen=True, kw_only=True)
class DiscordMessenger:
    """Posts and edits over the bot's connection."""

    host: Host

    @property
    def platform(self) -> Platform:
        """Discord."""
        return Platform.DISCORD

    async def post(self, place: Place, reply: Answer, *, key: str, mention: str | None = None) -> str:
        """Post a message. Discord knows a key that came a few minutes ago, and answers with the message of then.

        Raises:
            Undeliverable, TryLater: As `Messenger` says.
        """
        with translated():
            channel = await self._channel(place)
            drawn = posted(await self._drawn(place, reply))
            called = [discord.Object(id=int(mention))] if mention else []
            message = await channel.send(
                content=f"<@{mention}>" if mention else None,
                nonce=_nonce(key),
                allowed_mentions=discord.AllowedMentions(everyone=False, roles=False, users=called),
                **drawn,
            )
        return str(message.id)

    async def edit(self, place: Place, message: str, reply: Reply) -> None:
        """Let a message say something else.

        Raises:
            MessageGone, Undeliverable, TryLater: As `Messenger` says.
        """
        with translated():
            channel = await self._channel(place)
            await channel.get_partial_message(int(message)).edit(**await self._drawn(place, reply))

    async def _channel(self, place: Place) -> Any:
        if place.private:
            return await self.host.create_dm(discord.Object(id=int(place.chat)))
        return self.host.get_partial_messageable(int(place.thread or place.chat))

    async def _drawn(self, place: Place, reply: Answer) -> dict[str, Any]:
        for_adults = isinstance(reply, Reply) and reply.rating is Rating.NSFW
        adult = place.adult and (not for_adults or await self._restricted(place))
        guild = self.host.get_guild(int(place.community)) if place.community else None
        limit = guild.filesize_limit if guild else DEFAULT_FILE_SIZE_LIMIT_BYTES
        frame = Frame(place=place.but(adult=adult), private=place.private, limit=limit)
        return await self.host.drawn(reply, frame)

    async def _restricted(self, place: Place) -> bool:
        """Whether the channel is age-restricted now: it may have been changed since the order."""
        number = int(place.thread or place.chat)
        channel = self.host.get_channel(number) or await self.host.fetch_channel(number)
        return restricted(channel)


@contextmanager
def translated() -> Iterator[None]:
    """Discord's errors as delivery understands them; one that only a mistake of ours explains stays as it is."""
    try:
        yield
    except discord.RateLimited as error:
        raise TryLater(error.retry_after) from error
    except discord.HTTPException as error:
        raise _meaning(error) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise TryLater(PAUSE) from error


def _meaning(error: discord.HTTPException) -> Exception:
    if error.code in GONE:
        return MessageGone(error.text)
    if isinstance(error, discord.Forbidden | discord.NotFound):
        return Undeliverable(error.text)
    if error.status == TOO_MANY:
        return TryLater(CALM)
    return TryLater(PAUSE) if error.status >= SERVER_ERROR else error


def _nonce(key: str) -> str:
    """A key of any length as one that Discord takes: up to 25 characters."""
    return hashlib.blake2b(key.encode(), digest_size=12).hexdigest()
