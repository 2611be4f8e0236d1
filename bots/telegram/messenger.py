"""The messenger: what delivery asks of Telegram, with its refusals in delivery's words."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, RetryAfter

from bots.chat.reply import Reply
from bots.delivery.messenger import MessageGone, TryLater, Undeliverable
from bots.telegram.meeting import PLATFORM
from bots.telegram.posting import Posting
from core.domain.account import Place, Platform

PAUSE = 5.0  # seconds until a Telegram that does not answer is tried again
PACE = 1.0  # seconds between two edits in a chat
GONE = ("message to edit not found", "message can't be edited", "message_id_invalid", "message to be replied")
CLOSED = (
    "chat not found",
    "not enough rights",
    "have no rights",
    "thread not found",
    "topic_",
    "deactivated",
    "kicked",
)


@dataclass(frozen=True, kw_only=True)
class TelegramMessenger:
    """Telegram for whoever delivers."""

    posting: Posting
    _edited: dict[str, float] = field(default_factory=dict)

    @property
    def platform(self) -> Platform:
        """Which one."""
        return PLATFORM

    async def post(self, place: Place, reply: Reply, *, key: str, mention: str | None = None) -> str:
        """Post a message; Telegram knows no keys, so the same one again posts once more.

        Raises:
            Undeliverable: Nobody can be told there.
            TryLater: Not now.
        """
        with translated():
            return await self.posting.post(place, reply, mention=mention)

    async def edit(self, place: Place, message: str, reply: Reply) -> None:
        """Let a message say something else, at most once a second in a chat.

        Raises:
            MessageGone: A new one has to be posted.
            Undeliverable: Nobody can be told there.
            TryLater: Not now.
        """
        self._pace(place.chat)
        with translated():
            await self.posting.edit(place, message, reply)

    def _pace(self, chat: str) -> None:
        now = asyncio.get_running_loop().time()
        for old in [one for one, then in self._edited.items() if then + PACE <= now]:
            del self._edited[old]
        if chat in self._edited:
            raise TryLater(self._edited[chat] + PACE - now)
        self._edited[chat] = now


@contextmanager
def translated() -> Iterator[None]:
    """Turn what Telegram refuses into what is wrong with a place, a message or a moment.

    Raises:
        Undeliverable: The bot is not welcome there.
        MessageGone: The message cannot be edited.
        TryLater: Telegram wants a pause, or does not answer.
    """
    try:
        yield
    except (Forbidden, ChatMigrated) as error:
        raise Undeliverable(str(error)) from error
    except RetryAfter as error:
        pause = error.retry_after
        raise TryLater(pause.total_seconds() if isinstance(pause, timedelta) else pause) from error
    except BadRequest as error:
        words = str(error).casefold()
        if any(one in words for one in GONE):
            raise MessageGone(str(error)) from error
        if any(one in words for one in CLOSED):
            raise Undeliverable(str(error)) from error
        raise
    except NetworkError as error:
        raise TryLater(PAUSE) from error
