"""The shape of the corpus: files that nobody wants to be sent, made by code, each with what is to become of it."""

from collections.abc import Callable
from typing import NamedTuple

from core.kinds.intake import Verdict

TAKEN, REPAIRED, REFUSED = Verdict.TAKEN, Verdict.REPAIRED, Verdict.REFUSED


class Case(NamedTuple):
    """A file as it is sent, how it is made, and what is said of it and of each file in it, in order.

    The words of an outcome are how it begins. `pictures` and `conversations` are how many come out, `errors` the lines
    of which it is said that they cannot be read.
    """

    sent: str
    content: Callable[[], bytes]
    outcomes: tuple[tuple[str, Verdict, str], ...]
    pictures: int = 0
    conversations: int = 0
    errors: tuple[str, ...] = ()


def refused(sent: str, content: Callable[[], bytes], words: str) -> Case:
    """Make a case of which nothing is taken."""
    return Case(sent, content, ((sent, REFUSED, words),))


def repaired(sent: str, content: Callable[[], bytes], words: str) -> Case:
    """Make a case of one picture that is taken with changes."""
    return Case(sent, content, ((sent, REPAIRED, words),), pictures=1)
