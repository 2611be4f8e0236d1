"""Speech: what in a prompt may call a model, and where it stands: words, names with a slash in them, and tags."""

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from core.domain.errors import BadValue
from core.domain.trigger import folded

FULL, STRONGEST = 100, 200  # percent

# A word may touch letters of scripts that put no blanks between words, but no other letter and no accent.
SPACELESS = "\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
LETTER, ACCENT = rf"[^\W_{SPACELESS}]", "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
PART = rf"{LETTER}(?:{LETTER}++|{ACCENT}++)*+"
WORD = rf"{PART}(?:[-_]++{PART})*+"
WEIGHT = rf"[-+.,0-9]*[0-9](?!{LETTER}|{ACCENT}|[-_]++{LETTER})"
SAID = re.compile(rf"<lora:([^<>]*)>|(({WORD})(?:/({WORD}))?)(?::({WEIGHT}))?")  # tag; whole, first, second, weight
ID = re.compile(r"[2-9a-z]{12}")
NUMBER = re.compile(r"[0-9]*\.?[0-9]+")
GONE = "<lora:>"  # what is left of a tag until the blanks and commas around it are put right
SEAM = re.compile(rf"(?<![\s,])[\s,]*+(?:{GONE}[\s,]*+)+")


class Said(NamedTuple):
    """A tag, a name or a word: where it stands with its weight, how it was typed (a word without), its folded form.

    `slug` is the slug or the id in it, if it may be a name.
    """

    start: int
    end: int
    text: str
    key: str
    slug: str | None
    weight: str | None
    tag: bool = False

    @property
    def percent(self) -> int | None:
        """The weight in percent.

        Raises:
            BadValue: It is no number from 0 to 2.
        """
        if self.weight is None:
            return None
        if NUMBER.fullmatch(self.weight) and (percent := Decimal(self.weight) * FULL) <= STRONGEST:
            return int(percent.to_integral_value())
        said = self.text if self.tag else f"{self.text}:{self.weight}"
        raise BadValue(what="weight", value=said, why="it takes 0 (off) to 2, as in zorp:0.8 or <lora:zorp:0.8>")

    @property
    def word(self) -> str | None:
        """The trigger word that it may be."""
        return None if self.tag or "/" in self.key else self.key


def heard(prompt: str) -> Iterator[tuple[Said, ...]]:
    """What may call a model, in order: a tag; a word; or two words that a slash joins, followed by each of the two.

    The time is linear in the prompt, whatever stands there.
    """
    for found in SAID.finditer(_plain(prompt)):
        start, end = found.span()
        tag, whole, first, second, weight = found.groups()
        if tag is not None:
            name, colon, weight = tag.partition(":")
            key = keyed(name)
            slug = key.rpartition("/")[2]
            yield (Said(start, end, prompt[start:end], key, slug, weight.strip() if colon else None, tag=True),)
        elif second is None:
            yield (_word(prompt, start, end, whole, weight),)
        else:
            middle = start + len(first)
            parts = _word(prompt, start, middle, first, None), _word(prompt, middle + 1, end, second, weight)
            yield Said(start, end, prompt[start : start + len(whole)], folded(whole), folded(second), weight), *parts


def redrawn(prompt: str, changes: Iterable[tuple[Said, str]]) -> str:
    """A prompt without its tags, and with something else in the place of each thing that was said, in order."""
    pieces, end = [], 0
    for said, text in changes:
        pieces += [prompt[end : said.start], GONE if said.tag else text]
        end = said.end
    return " ".join(SEAM.sub(_seam, "".join(pieces) + prompt[end:]).split())


def keyed(name: str) -> str:
    """The form in which names are compared."""
    return " ".join(folded(name).split())


def _word(prompt: str, start: int, end: int, word: str, weight: str | None) -> Said:
    key = folded(word)
    return Said(start, end, prompt[start : start + len(word)], key, key if ID.fullmatch(key) else None, weight)


def _plain(text: str) -> str:
    """A text folded letter by letter, so that everything in it stays in its place."""
    if text.isascii():
        return text.lower()
    return "".join(plain if len(plain := folded(letter)) == 1 else letter for letter in text)


def _seam(found: re.Match[str]) -> str:
    """What joins the text around tags: nothing at its ends and inside of brackets, else a comma or a blank."""
    start, end = found.span()
    if found.string[start - 1 : start] in {"", *"([{"} or found.string[end : end + 1] in {"", *")]}"}:
        return ""
    return ", " if "," in found[0] else " "
