"""Words of replies: numbers with their nouns, how far a job is, commands in running text as each chat spells them."""

import re
from collections.abc import Callable, Collection
from math import ceil

from core.domain.job import Progress

MINUTE = 60
UNITS = ((3600, "h"), (MINUTE, "min"), (1, "s"))
CODE = re.compile(r"`([^`\n]+)`")


def number(count: int, noun: str) -> str:
    """So many of something: «1 file», «12 files»."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def are(count: int, noun: str) -> str:
    """So many of something, and their verb: «1 file is», «12 files are»."""
    return f"{number(count, noun)} {'is' if count == 1 else 'are'}"


def pace(progress: Progress) -> str:
    """How far a job is: `120/200 · 14 s left · training`."""
    left = f"{duration(progress.eta)} left" if progress.eta is not None and progress.step < progress.total else ""
    return " · ".join(part for part in (f"{progress.step}/{progress.total}", left, progress.doing) if part)


def respelled(text: str, paths: Collection[str], spell: Callable[[str], str]) -> str:
    """The text with every command in backticks, such as «`dataset add zorp`», spelled by `spell(path)`.

    What follows the path stays; backticks around anything else stay as they are.
    """

    def shown(match: re.Match[str]) -> str:
        words = match[1].split(" ")
        for length in range(min(2, len(words)), 0, -1):
            path = " ".join(words[:length])
            if path in paths:
                return f"`{' '.join([spell(path), *words[length:]])}`"
        return match[0]

    return CODE.sub(shown, text)


def duration(seconds: float) -> str:
    """About how long: «90 s», «5 min»."""
    whole = round(seconds)
    return f"{whole} s" if whole < 2 * MINUTE else f"{whole // MINUTE} min"


def between(low: float, high: float) -> str:
    """A range of seconds, in whole units of the size of its upper end: «40-90 s», «20-30 min», «2-5 h»."""
    unit, word = next((unit, word) for unit, word in UNITS if high >= 2 * unit or unit == 1)
    first, last = round(low / unit), ceil(high / unit)
    return f"{first}-{last} {word}" if first < last else f"{last} {word}"
