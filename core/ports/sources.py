"""Files on their way in, from wherever: nothing is read before somebody opens one."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from core.domain.artifact import Artifact
from core.domain.errors import FileUnreadable
from core.ports.blobs import Blobs


class Source(Protocol):
    """A file on its way in: nothing is read before `open`."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def size(self) -> int | None:
        """How many bytes it says it has, where that is known."""
        ...

    @property
    def most(self) -> int | None:
        """How many bytes can come this way, where the way is narrow: a chat carries only so much."""
        ...

    def open(self) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Its bytes, once."""
        ...


@dataclass(frozen=True, kw_only=True)
class Absent:
    """A source that cannot come this way: only its measures are known."""

    name: str
    size: int | None
    most: int | None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """Nothing.

        Raises:
            FileUnreadable: Always.
        """
        raise FileUnreadable(name=self.name, why="it is too large to come this way")
        yield  # what makes this a context


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A source whose bytes are here already, durably and referred to."""

    artifact: Artifact
    blobs: Blobs

    @property
    def name(self) -> str:
        """What people call it."""
        return self.artifact.name

    @property
    def size(self) -> int | None:
        """Its bytes."""
        return self.artifact.size

    @property
    def most(self) -> int | None:
        """As many as there are."""
        return None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """Its bytes, once."""
        yield self.blobs.open(self.artifact.sha256)


class Cut:
    """A stream that is read in pieces."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    async def more(self) -> bool:
        """Whether anything is left."""
        while not self._rest:
            try:
                self._rest = await anext(self._chunks)
            except StopAsyncIteration:
                return False
        return True

    async def piece(self, size: int) -> AsyncIterator[bytes]:
        """The next bytes, at most so many."""
        while size and await self.more():
            chunk, self._rest = self._rest[:size], self._rest[size:]
            size -= len(chunk)
            yield chunk
