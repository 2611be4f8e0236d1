"""Captions: the text of one picture, every state of it kept as a version with author and source."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Self

from core.domain.errors import BadValue
from core.domain.value import Entity

MAIN = "main"  # the caption set that every dataset begins with
SETS, KEPT = 5, 20  # of one dataset: in use, and with those that were let go
LENGTH, NOTE_LENGTH = 1000, 200  # characters
SET = re.compile(r"[a-z0-9-]{1,30}")
UNSEEN = {"Cc", "Cs"}  # controls, and halves of a letter, which no database stores
TOKEN = re.compile(r"\s*(?:[^\s,]+|,)")  # a word or a comma, with the blanks before it

CONSTRAINT_LENGTH, CONSTRAINTS = 100, 10  # characters of one, of one dataset


class CaptionSource(StrEnum):
    """How a caption came to be."""

    UPLOAD = "upload"
    AUTOMATIC = "automatic"
    HAND = "hand"
    BULK = "bulk"
    UNDO = "undo"


class CaptionMode(StrEnum):
    """What automatic captioning does where a caption stands already."""

    IGNORE = "ignore"
    APPEND = "append"
    OVERWRITE = "overwrite"


class CaptionReview(StrEnum):
    """What somebody says of a caption version; a new version is pending."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    NEEDS_EDIT = "needs_edit"


class CaptionVersion(Entity):
    """One state of the text of one item in one caption set; its id is `item:set:version`, an empty text is a deletion.

    `job` is the captioning that wrote it, `restored` the version that an undo went back to, `tokens` how many a
    tokenizer counted (None: nobody has).
    """

    item: str
    set: str = MAIN
    version: int
    text: str
    author: str
    source: CaptionSource
    at: datetime
    job: str | None = None
    restored: int | None = None
    tokens: int | None = None
    review: CaptionReview = CaptionReview.PENDING
    note: str = ""
    reviewer: str | None = None

    def reviewed(self, review: CaptionReview, *, note: str, by: str) -> Self:
        """Somebody has said what they think of it.

        Raises:
            BadValue: The note is very long.
        """
        words = " ".join(note.split())
        if len(words) > NOTE_LENGTH:
            raise BadValue(what="note", value=words[:40], why=f"it takes at most {NOTE_LENGTH} characters")
        return self.but(review=review, note=words, reviewer=by)


class Scene(Entity):
    """What a captioner said of one item while its job goes on, or why it failed; the id is `job:item`."""

    job: str
    item: str
    text: str = ""
    failure: str = ""


def succeeding(
    old: CaptionVersion | None,
    *,
    item: str,
    text: str,
    author: str,
    source: CaptionSource,
    now: datetime,
    set: str = MAIN,  # noqa: A002 - the word of the domain
    job: str | None = None,
    restored: int | None = None,
) -> CaptionVersion:
    """The version of an item's caption that comes after the old one, or the first."""
    number = old.version + 1 if old else 1
    return CaptionVersion(
        id=f"{item}:{set}:{number}",
        item=item,
        set=set,
        version=number,
        text=text,
        author=author,
        source=source,
        at=now,
        job=job,
        restored=restored,
    )


def caption_text(text: str) -> str:
    """A caption as it may be stored: one line, 1 to 1000 characters; those that control a terminal are left out.

    Raises:
        BadValue: Nothing is left, or too much.
    """
    shown = "".join(" " if unicodedata.category(letter) in UNSEEN else letter for letter in text)
    line = " ".join(shown.split())
    if not line or len(line) > LENGTH:
        raise BadValue(what="caption", value=line[:40], why=f"it takes 1 to {LENGTH} characters")
    return line


def set_name(text: str) -> str:
    """The name of a caption set.

    Raises:
        BadValue: It cannot be one.
    """
    name = text.strip().lower()
    if not SET.fullmatch(name):
        raise BadValue(what="caption set", value=text, why="it takes 1 to 30 letters a-z, digits and dashes")
    return name


def before(versions: Sequence[CaptionVersion]) -> CaptionVersion | None:
    """The version that an undo goes back to, of all versions of one caption; None where there is no earlier one.

    What was undone is left behind: undoing again goes back further.
    """
    known = {version.version: version for version in versions}
    present = versions[-1]
    while present.restored:
        present = known[present.restored]
    return known.get(present.version - 1)


def diffed(old: str, new: str) -> str:
    """What became of a caption, word by word: `zorp, [-red-] {+blue+} hat`."""
    parts = []
    for same, went, comes in compared(old, new):
        gone, came = _marked(went, "[-{}-]"), _marked(comes, "{{+{}+}}")
        parts += [same, gone, " " if gone and came and not came.startswith(" ") else "", came]
    return "".join(parts).strip()


def compared(old: str, new: str) -> Iterator[tuple[str, str, str]]:
    """What stays of a caption, or else what goes and what comes in its place, in order."""
    was, now = TOKEN.findall(old), TOKEN.findall(new)
    for what, first, last, begin, end in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        went, comes = "".join(was[first:last]), "".join(now[begin:end])
        yield (comes, "", "") if what == "equal" else ("", went, comes)


def composed(trigger: str, *, traits: Sequence[str] = (), scene: str = "") -> str:
    """Put a caption together: `trigger, traits, scene`; empty parts are left out, none is said twice."""
    parts = [part.strip() for text in (trigger, *traits, scene) for part in text.split(",")]
    said: dict[str, str] = {}
    for part in filter(None, parts):
        said.setdefault(part.casefold(), part)
    return ", ".join(said.values())


def distinctive(scenes: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Leave out of each scene the parts that all scenes share, and return what is left and what was shared.

    A word that stands in every caption takes the blame for what every picture has in common, and the trigger word
    learns nothing: the usual pruning of tags before a character is trained. A single scene stays whole.
    """
    parts = {item: [part.strip() for part in scene.split(",") if part.strip()] for item, scene in scenes.items()}
    first = next(iter(parts.values()), [])
    shared = [part for part in first if all(part in others for others in parts.values())] if len(parts) > 1 else []
    left = {item: ", ".join(part for part in own if part not in shared) for item, own in parts.items()}
    return left, tuple(shared)


def merged(trigger: str, old: str | None, scene: str, mode: CaptionMode, *, traits: Sequence[str] = ()) -> str | None:
    """The text that automatic captioning leaves, or None where it leaves the old one alone."""
    if not old or mode is CaptionMode.OVERWRITE:
        return composed(trigger, traits=traits, scene=scene)
    if mode is CaptionMode.IGNORE or scene in old:
        return None
    return f"{old}, {scene}"


def _marked(text: str, marks: str) -> str:
    blank = " " if text[:1].isspace() else ""
    return blank + marks.format(text.strip()) if text else ""


def constrained(phrases: Iterable[str]) -> tuple[str, ...]:
    """What every caption shall say, as it may be stored: short phrases without commas, each once.

    Raises:
        BadValue: There are more than 10, or one is too long or has other characters.
    """
    lines = tuple(dict.fromkeys(filter(None, (" ".join(phrase.split()) for phrase in phrases))))
    if wrong := [line for line in lines if len(line) > CONSTRAINT_LENGTH or not line.isprintable() or "," in line]:
        why = f"it takes up to {CONSTRAINT_LENGTH} printable characters and no comma"
        raise BadValue(what="constraint", value=wrong[0], why=why)
    if len(lines) > CONSTRAINTS:
        raise BadValue(what="list of constraints", value=", ".join(lines), why=f"there may be up to {CONSTRAINTS}")
    return lines
