"""Trigger words: which words may call a model, and which model a prompt calls."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Protocol, TypeVar

from core.domain.errors import BadTrigger

COMMON = frozenset(
    {
        "the", "and", "for", "with", "man", "men", "woman", "girl", "boy", "person", "people", "face", "hair", "eye",
        "eyes", "cat", "dog", "red", "green", "blue", "yellow", "purple", "orange", "white", "black", "pink", "gray",
        "grey", "brown", "circle", "square", "triangle", "star", "diamond", "cross", "photo", "picture", "image",
        "style", "art", "background", "masterpiece", "best", "quality", "lora", "default",
    }
)  # fmt: skip

SHORTEST, LONGEST = 3, 32
WORD = re.compile(r"[a-z0-9][a-z0-9_-]*")


class Called(Protocol):
    """What resolution needs to know of a model."""

    @property
    def owner(self) -> str:
        """Whose it is."""
        ...

    @property
    def trigger(self) -> str:
        """The folded word that calls it."""
        ...


M = TypeVar("M", bound=Called)


def folded(word: str) -> str:
    """The form in which trigger words are compared: NFKC, case folded."""
    return unicodedata.normalize("NFKC", word).strip().casefold()


def guarded(word: str) -> str:
    """Return the folded word if it may call a model.

    Plain ASCII letters rule out homoglyphs; ordinary words would fire in prompts that never meant them.

    Raises:
        BadTrigger: The word is too short, too long, ordinary, or has characters beyond a-z, 0-9, _ and -.
    """
    plain = folded(word)
    suggestion = (re.sub(r"[^a-z0-9]", "", plain)[:20] or "zorp") + "-x1"
    if not SHORTEST <= len(plain) <= LONGEST:
        raise BadTrigger(word=word, why=f"it must have {SHORTEST} to {LONGEST} characters", suggestion="zorp-x1")
    if not WORD.fullmatch(plain):
        raise BadTrigger(word=word, why="only a-z, 0-9, «_» and «-» can be told apart safely", suggestion=suggestion)
    if plain in COMMON:
        raise BadTrigger(word=word, why="it is an ordinary word", suggestion=suggestion)
    return plain


def words(prompt: str) -> tuple[str, ...]:
    """The words of a prompt in the form in which trigger words are compared, in order, each once."""
    return tuple(dict.fromkeys(re.findall(r"[\w-]+", folded(prompt))))


def resolved(prompt: str, models: Sequence[M], *, asker: str) -> M | None:
    """The model that a prompt calls: the first word that is somebody's trigger; the asker's own model before others'.

    `models` are those that the asker may use; among one's own the newest first, among others' the earliest
    registration first (that order is the caller's).
    """
    for word in words(prompt):
        named = [model for model in models if model.trigger == word]
        if named:
            return min(named, key=lambda model: model.owner != asker)
    return None
