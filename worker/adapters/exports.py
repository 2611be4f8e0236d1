"""A dataset written into one file, a zip or JSON Lines: the same bytes for the same content."""

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from core.domain.export import Format

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # what a zip says of every file's time
MODE = 0o644 << 16


class Archive:
    """A zip that is being written; pictures are not compressed once more."""

    def __init__(self, opened: zipfile.ZipFile) -> None:
        self._opened = opened

    def add(self, name: str, path: Path) -> None:
        """Write a file into it."""
        with path.open("rb") as source, self._opened.open(_entry(name), "w", force_zip64=True) as target:
            shutil.copyfileobj(source, target)

    def write(self, name: str, text: str) -> None:
        """Write a text into it."""
        self._opened.writestr(_entry(name), text.encode())


@contextmanager
def archive(path: Path) -> Iterator[Archive]:
    """A new zip at `path`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as opened:
        yield Archive(opened)


def append(part: Path, lines: Path, wished: Format) -> None:
    """Append the conversations of a stored part to a file, as what they are or as OpenAI's `messages`."""
    with part.open("rb") as source, lines.open("ab") as target:
        for line in source:
            said = orjson.loads(line)
            if wished is Format.OPENAI:
                row = {"messages": said["turns"]}
            else:
                row = {"conversation_id": said["conversation_id"], "turns": said["turns"]}
            target.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, LONG_AGO)
    entry.external_attr = MODE
    return entry
