"""What the limited child of the doctor does: decode stored pictures, read stored conversations, count tokens."""

import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.domain.value import Value
from worker.adapters import conversations, media, sheets, tokens
from worker.adapters.conversations import Examined
from worker.adapters.media import PictureRefused
from worker.adapters.progress import Progressed
from worker.channel import Channel


class Glance(Value):
    """A stored picture, and where its thumbnail goes if one is wanted."""

    path: Path
    thumbnail: Path | None = None


class Pictures(Value):
    """Decode these, so many at a time."""

    glances: tuple[Glance, ...]
    threads: int = 1


class Unreadable(Value):
    """Which of them cannot be decoded."""

    paths: tuple[Path, ...]


class Parts(Value):
    """Read these parts of a dataset, and count as the tokenizer at a location does."""

    paths: tuple[Path, ...]
    tokenizer: str | None


class Texts(Value):
    """Count these by their names."""

    texts: dict[str, str]
    tokenizer: str | None


class Counted(Value):
    """The tokens of each; nothing where there is no tokenizer."""

    tokens: dict[str, int]


class Examining:
    """The object that such a child holds."""

    def look(self, task: Pictures, _channel: Channel) -> Unreadable:
        """Decode pictures, and write thumbnails of some."""
        with warnings.catch_warnings(action="ignore"), ThreadPoolExecutor(task.threads) as pool:
            are_seen = list(pool.map(seen, task.glances))
        looked = zip(task.glances, are_seen, strict=True)
        return Unreadable(paths=tuple(glance.path for glance, is_seen in looked if not is_seen))

    def read(self, task: Parts, channel: Channel) -> Examined:
        """Examine conversations."""
        return conversations.examined(told(task.paths, channel), tokens.counter(task.tokenizer))

    def count(self, task: Texts, _channel: Channel) -> Counted:
        """Count tokens."""
        counter = tokens.counter(task.tokenizer)
        counts = counter.count(list(task.texts.values())) if counter.exact else []
        return Counted(tokens=dict(zip(task.texts, counts, strict=False)))


def seen(glance: Glance) -> bool:
    """Say whether a picture can be decoded, and write its thumbnail if one is wanted."""
    try:
        picture = media.decoded(glance.path).picture
        if glance.thumbnail:
            sheets.thumbnail(picture).save(glance.thumbnail, "PNG")
    except (PictureRefused, MemoryError):
        return False
    return True


def told(paths: tuple[Path, ...], channel: Channel) -> Iterator[Path]:
    """Give one path after the other, and say how far it is."""
    for number, path in enumerate(paths, start=1):
        yield path
        channel.send(Progressed(done=number, total=len(paths)))
