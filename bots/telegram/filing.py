"""Filing: files that people send, streamed from Telegram and never whole in memory; what they are too large for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import telegram
from telegram.error import TelegramError

from core.domain.errors import FileUnreadable

MIB = 2**20
CHUNK = MIB // 4
PHOTO = 10 * MIB  # a larger picture goes as a document
PATIENCE = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
AGAIN = "Telegram does not hand it out; send it again"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many bytes of one file come in and go out."""

    down: int
    up: int


THEIRS = Limits(down=20 * MIB, up=50 * MIB)
OURS = Limits(down=2000 * MIB, up=2000 * MIB)  # a Bot API server of one's own


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A file that somebody sent; nothing is fetched before `open`. Its address holds the token: no error shows it."""

    name: str
    size: int | None
    most: int
    id: str
    bot: telegram.Bot
    session: aiohttp.ClientSession

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """Its bytes, in chunks.

        Raises:
            FileUnreadable: Telegram does not hand it out.
        """
        try:
            path = (await self.bot.get_file(self.id)).file_path or ""
            if not path.startswith(("http://", "https://")):
                yield _read(Path(path))  # a server of one's own in local mode tells where the file lies
                return
            async with self.session.get(path, timeout=PATIENCE, raise_for_status=True) as response:
                yield response.content.iter_chunked(CHUNK)
        except (TelegramError, aiohttp.ClientError, TimeoutError, OSError):
            raise FileUnreadable(name=self.name, why=AGAIN) from None


@dataclass(frozen=True, kw_only=True)
class Filing:
    """Makes sources of messages."""

    bot: telegram.Bot
    session: aiohttp.ClientSession
    limits: Limits

    def source(self, message: telegram.Message) -> Sent | None:
        """The file of a message: a document as it is, a picture in its largest size."""
        match message:
            case telegram.Message(document=telegram.Document() as document):
                name = document.file_name or document.file_unique_id
                return self._sent(document.file_id, name, document.file_size)
            case telegram.Message(photo=(*_, photo)):
                return self._sent(photo.file_id, f"photo-{message.message_id}.jpg", photo.file_size)
        return None

    def _sent(self, file_id: str, name: str, size: int | None) -> Sent:
        most = self.limits.down
        return Sent(name=name, size=size, most=most, id=file_id, bot=self.bot, session=self.session)


async def _read(path: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(path.open, "rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk
