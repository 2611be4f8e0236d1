"""Attachments as sources: Discord's CDN is read in chunks, and only when somebody opens one."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp

from core.domain.errors import FileUnreadable

CHUNK = 2**16  # bytes
PATIENCE = aiohttp.ClientTimeout(total=None, connect=30, sock_read=30)  # seconds; a zip may take long as a whole


@dataclass(frozen=True, kw_only=True)
class Attached:
    """A file that Discord keeps for somebody, behind a signed address that expires within a day."""

    id: str
    name: str
    size: int
    url: str = field(repr=False)
    session: aiohttp.ClientSession = field(repr=False, compare=False)

    @classmethod
    def of(cls, payload: Mapping[str, Any], session: aiohttp.ClientSession) -> Self:
        """The source of an attachment as Discord describes it."""
        return cls(
            id=str(payload["id"]),
            name=payload["filename"],
            size=payload["size"],
            url=payload["url"],
            session=session,
        )

    @property
    def most(self) -> int | None:
        """Discord has taken it already."""
        return None

    @property
    def origin(self) -> str:
        """The same for every delivery of this attachment."""
        return f"discord:{self.id}"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """Its bytes, in chunks.

        Raises:
            FileUnreadable: Discord does not give it, or stops on the way.
        """
        try:
            async with self.session.get(self.url, timeout=PATIENCE, raise_for_status=True) as response:
                yield response.content.iter_chunked(CHUNK)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise FileUnreadable(name=self.name, why="Discord does not give it; send it again") from error
