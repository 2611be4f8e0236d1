"""Bytes by content: written before the transaction that refers to them, named by their sha256."""

from collections.abc import AsyncIterator
from typing import Protocol

from core.domain.artifact import Blob


class Blobs(Protocol):
    """Where bytes are kept."""

    async def put(self, chunks: AsyncIterator[bytes], *, name: str, limit: int) -> Blob:
        """Write a stream durably and return its row (references unchanged).

        Raises:
            FileTooLarge: The stream, called `name` for people, has more than `limit` bytes; nothing is kept.
            BlobGone: It took longer than a day.
        """
        ...

    def open(self, sha256: str, *, start: int = 0) -> AsyncIterator[bytes]:
        """Stream the bytes in chunks, from an offset on.

        Raises:
            BlobGone: There are none of this name, or some are missing.
        """
        ...

    async def discard(self, *names: str) -> None:
        """Remove those bytes at once that nobody refers to; whoever is about to refer to them is told BlobGone."""
        ...

    async def sweep(self) -> int:
        """Remove bytes that nobody has referred to for a day; return how many files went."""
        ...
