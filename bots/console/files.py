"""The pictures and files of a reply, saved where somebody at a terminal can open them."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from bots.chat.reply import Reply
from core.domain.artifact import Artifact
from core.ports.blobs import Blobs

LONGEST = 60  # characters of a name that are kept
OF_HASH = 8  # hex digits of the sha256 that tell equal names apart


async def saved(reply: Reply, blobs: Blobs, *, folder: Path) -> tuple[Path, ...]:
    """Save what a reply carries, pictures first, and return where; what lies there already is left.

    Raises:
        BlobGone: The bytes are gone.
    """
    return tuple([await _saved(artifact, blobs, folder) for artifact in _carried(reply)])


def file_name(artifact: Artifact) -> str:
    """A file name that is safe, always the same for this artifact, and of no other content."""
    path = Path(re.sub(r"[^\w.-]+", "-", Path(artifact.name).name))
    stem = path.stem.strip(".-")[:LONGEST] or "file"
    return f"{stem}-{artifact.sha256[:OF_HASH]}{path.suffix[:LONGEST]}"


def _carried(reply: Reply) -> Sequence[Artifact]:
    return list(dict.fromkeys((*reply.pictures, *reply.files)))


async def _saved(artifact: Artifact, blobs: Blobs, folder: Path) -> Path:
    path = folder / file_name(artifact)
    if not await asyncio.to_thread(_complete, path, artifact.size):
        await _written(path, blobs.open(artifact.sha256))
    return path


def _complete(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


async def _written(path: Path, chunks: AsyncIterator[bytes]) -> None:
    """Write beside the path and move there, so that nobody sees half a file."""
    await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with await asyncio.to_thread(part.open, "xb") as file:
            async for chunk in chunks:
                await asyncio.to_thread(file.write, chunk)
        await asyncio.to_thread(part.replace, path)
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)
