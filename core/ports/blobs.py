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
        """
        ...

    def open(self, sha256: str) -> AsyncIterator[bytes]:
        """Stream the bytes in chunks.

        Raises:
            BlobGone: There are none of this name.
        """
        ...

    async def sweep(self) -> int:
        """Remove bytes that nobody has referred to for a day; return how many files went."""
        ...
