"""Local files as sources: paths, patterns and folders become streams that are read off the event loop."""

import asyncio
import glob
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.domain.errors import FileTooLarge, FileUnreadable
from core.domain.upload import LIMIT

CHUNK = 2**20
MOST = 10_000  # files in one folder


@dataclass(frozen=True, kw_only=True)
class LocalFile:
    """A file of this machine on its way in, called `name` from here on; nothing is read before `open`."""

    path: Path
    name: str
    size: int

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
    """The files behind what was typed, each once: `~` and patterns expanded, a folder for all that lies in it.

    What comes out of a folder is named from the folder on, as in a zip of it: `pictures/10_zorp woman/a.png`.

    Raises:
        FileUnreadable: A path leads to no readable file, a pattern or folder to none, or a folder to too many.
        FileTooLarge: A file is larger than any that is taken.
    """
    return await asyncio.to_thread(_local_files, paths)


def _local_files(paths: Sequence[str]) -> tuple[LocalFile, ...]:
    files: dict[Path, LocalFile] = {}
    for typed in paths:
        try:
            for path, name in _expanded(typed):
                files.setdefault(path, _readable(path, name))
        except OSError as error:
            raise _unreadable(Path(typed), error) from error
    return tuple(files.values())


def _expanded(typed: str) -> list[tuple[Path, str]]:
    """The paths behind what was typed, and what people call each."""
    path = Path(os.path.expanduser(typed))  # noqa: PTH111 - it leaves the home of nobody as it is, Path raises
    if path.is_dir():
        above = Path(os.path.abspath(path)).parent  # noqa: PTH100 - a link to a folder keeps its own name
        files = [(file, _text(Path(os.path.abspath(file)).relative_to(above))) for file in _inside(path)]  # noqa: PTH100 - the same
        why = "there are no files in this folder"
    elif glob.has_magic(typed) and not path.exists():
        found = [file for file in map(Path, glob.glob(str(path), recursive=True)) if file.is_file()]  # noqa: PTH207 - patterns may be absolute, which Path.glob refuses
        files = [(file, _text(Path(file.name))) for file in found]
        why = "no file fits this pattern"
    else:
        return [(path, _text(Path(path.name)))]
    if not files:
        raise FileUnreadable(name=typed, why=why)
    return sorted(files)


def _inside(folder: Path) -> list[Path]:
    """Every file in a folder and the folders in it, but what is hidden; links to folders are not followed."""
    files: list[Path] = []
    for path, folders, names in os.walk(folder, onerror=_refused):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(path, name) for name in names if not name.startswith(".") and Path(path, name).is_file()]
        if len(files) > MOST:
            why = f"there are more than {MOST:,} files in this folder; add some of them at a time"
            raise FileUnreadable(name=str(folder), why=why)
    return files


def _readable(path: Path, name: str) -> LocalFile:
    if path.exists() and not path.is_file():
        raise FileUnreadable(name=str(path), why="it is no plain file")
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
    if size > LIMIT:
        raise FileTooLarge(name=name, limit=LIMIT // 2**20)
    return LocalFile(path=path, name=name, size=size)


def _text(path: Path) -> str:
    return os.fsencode(path.as_posix()).decode(errors="replace")


def _refused(error: OSError) -> None:
    raise _unreadable(Path(error.filename), error)


def _unreadable(path: Path, error: OSError) -> FileUnreadable:
    return FileUnreadable(name=str(path), why=(error.strerror or type(error).__name__).lower())
