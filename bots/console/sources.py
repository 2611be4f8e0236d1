"""Local files as sources: paths, patterns and folders become streams that are read off the event loop."""

import asyncio
import glob
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.domain.errors import FileUnreadable

CHUNK = 2**20


@dataclass(frozen=True, kw_only=True)
class LocalFile:
    """A file of this machine on its way in; nothing is read before `open`."""

    path: Path

    @property
    def name(self) -> str:
        """What people call it: the last part of its path, as text."""
        return os.fsencode(self.path.name).decode(errors="replace")

    @property
    def size(self) -> int | None:
        """Unknown before it is read."""
        return None

    @property
    def most(self) -> int | None:
        """A terminal carries everything."""
        return None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """Its bytes, in chunks.

        Raises:
            FileUnreadable: It cannot be opened, or stops being readable on the way.
        """
        try:
            file = await asyncio.to_thread(self.path.open, "rb")
        except OSError as error:
            raise _unreadable(self.path, error) from error
        try:
            yield self._chunks(file)
        finally:
            await asyncio.to_thread(file.close)

    async def _chunks(self, file: IO[bytes]) -> AsyncIterator[bytes]:
        try:
            while chunk := await asyncio.to_thread(file.read, CHUNK):
                yield chunk
        except OSError as error:
            raise _unreadable(self.path, error) from error


async def local_files(paths: Sequence[str]) -> tuple[LocalFile, ...]:
    """The files behind what was typed, each once: `~` and patterns expanded, a folder for the files right in it.

    Raises:
        FileUnreadable: A path leads to no readable file, or a pattern to nothing.
    """
    return await asyncio.to_thread(_local_files, paths)


def _local_files(paths: Sequence[str]) -> tuple[LocalFile, ...]:
    files: dict[Path, None] = {}
    for typed in paths:
        try:
            files |= dict.fromkeys(_readable(file) for file in _expanded(typed))
        except OSError as error:
            raise _unreadable(Path(typed), error) from error
    return tuple(LocalFile(path=file) for file in files)


def _expanded(typed: str) -> list[Path]:
    path = Path(os.path.expanduser(typed))  # noqa: PTH111 - it leaves the home of nobody as it is, Path raises
    if path.is_dir():
        files = [file for file in path.iterdir() if file.is_file() and not file.name.startswith(".")]
        why = "there are no files in this folder"
    elif glob.has_magic(typed) and not path.exists():
        files = [file for file in map(Path, glob.glob(str(path), recursive=True)) if file.is_file()]  # noqa: PTH207 - patterns may be absolute, which Path.glob refuses
        why = "no file fits this pattern"
    else:
        return [path]
    if not files:
        raise FileUnreadable(name=typed, why=why)
    return sorted(files)


def _readable(path: Path) -> Path:
    if path.exists() and not path.is_file():
        raise FileUnreadable(name=str(path), why="it is no plain file")
    path.open("rb").close()
    return path


def _unreadable(path: Path, error: OSError) -> FileUnreadable:
    return FileUnreadable(name=str(path), why=(error.strerror or type(error).__name__).lower())
