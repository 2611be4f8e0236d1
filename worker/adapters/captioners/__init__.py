"""Captioners: whoever looks at a picture and says what is on it. A module here is one, known by the module's name."""

import importlib
import pkgutil
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol, cast

from config.settings import Settings
from worker.channel import TaskFailed

LONGEST = 600  # characters of a description that anybody can mean


class CaptionerFailed(TaskFailed):
    """The captioner describes no picture as it is: it cannot be reached, or does not let us in."""

    code = "captioner_failed"


class NotDescribed(Exception):  # noqa: N818 - a past participle, as every result here
    """One picture could not be described; the words are for its owner, and the next picture may be."""


class Captioner(Protocol):
    """Describes pictures, up to `concurrency` at a time."""

    @property
    def concurrency(self) -> int:
        """How many pictures it describes at a time, at most."""
        ...

    async def check(self) -> None:
        """Find out whether it can describe pictures at all.

        Raises:
            CaptionerFailed: It cannot; the words say why.
        """
        ...

    async def caption(self, picture: Path) -> str:
        """Return the scene of a clean picture in a few words, without trigger word and traits.

        Raises:
            NotDescribed: This picture could not be described.
            CaptionerFailed: No other will be, either.
        """
        ...


def names() -> tuple[str, ...]:
    """Return the names of all captioners, importing none of them."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def captioner(name: str, settings: Settings) -> AbstractAsyncContextManager[Captioner]:
    """Return the captioner of that name, which its module's `opened(settings)` makes, for as long as it is needed.

    Raises:
        LookupError: There is none.
        CaptionerFailed: The settings of this worker do not provide it; raised on entering.
    """
    if name not in names():
        raise LookupError(f"there is no captioner {name!r}; there are: {', '.join(names())}")
    module = importlib.import_module(f"{__name__}.{name}")
    return cast("AbstractAsyncContextManager[Captioner]", module.opened(settings))


def scene_of(text: str) -> str:
    """Return what a model said as the scene of a caption: one line, without quotes around it or a dot behind it.

    Raises:
        NotDescribed: It is no description.
    """
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(printable.split()).strip("\"'«»“” ").rstrip(".")
    if not line:
        raise NotDescribed("It was answered without a word. Try it again, or write its caption by hand.")
    if len(line) > LONGEST:
        raise NotDescribed(f"The answer has {len(line)} characters; {LONGEST} are the most that a caption can use.")
    if line.startswith(("<", "{")):
        raise NotDescribed("The answer is no description, but markup or data.")
    return line
