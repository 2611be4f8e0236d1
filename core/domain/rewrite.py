"""Rewrites: one change of many captions at once, shown before it is made."""

import hashlib
import json
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

from core.domain.caption import caption_text, composed
from core.domain.dataset import Dataset
from core.domain.errors import BadValue
from core.domain.item import Item
from core.domain.value import Value


class Verb(StrEnum):
    """What is done to captions."""

    REPLACE = "replace"
    PREPEND = "prepend"
    APPEND = "append"
    CLEAR = "clear"


class Rewrite(Value):
    """A change of captions: `find` becomes `words`, or `words` are said first or last, or nothing is left."""

    verb: Verb
    find: str = ""
    words: str = ""

    def of(self, text: str, *, trigger: str) -> str:
        """What a caption becomes. Whole words are found in any case; what comes first comes after the trigger word.

        Raises:
            BadValue: It becomes too long.
        """
        match self.verb:
            case Verb.REPLACE:
                changed, times = _whole(self.find).subn(lambda _: self.words, text)
                new = composed("", scene=changed) if times else text
            case Verb.PREPEND:
                led = text.partition(",")[0].strip().casefold() == trigger
                new = composed(trigger if led else "", traits=[self.words], scene=text)
            case Verb.APPEND:
                new = composed("", scene=f"{text}, {self.words}")
            case Verb.CLEAR:
                new = ""
            case _:
                assert_never(self.verb)
        return caption_text(new) if new else new


class Change(Value):
    """What one caption becomes."""

    item: Item
    before: str
    after: str


class Preview(Value):
    """What a rewrite does to the captions of a dataset; the digest stands for exactly that."""

    dataset: Dataset
    changes: tuple[Change, ...]
    digest: str


def rewriting(verb: Verb, *, find: str = "", words: str = "") -> Rewrite:
    """A change of captions as somebody wishes it.

    Raises:
        BadValue: There is nothing to find, or nothing to say.
    """
    wished = Rewrite(verb=verb, find=" ".join(find.split()), words=" ".join(words.split()))
    needed = {Verb.REPLACE: wished.find, Verb.CLEAR: verb.value}.get(verb, wished.words)
    if not needed:
        raise BadValue(what="change", value=verb.value, why="say which words it is about")
    return wished


def previewed(dataset: Dataset, items: Sequence[Item], rewrite: Rewrite) -> Preview:
    """What a rewrite would do now.

    Raises:
        BadValue: A caption would become too long.
    """
    captioned = [(item, caption) for item in items if (caption := dataset.caption_of(item))]
    rewritten = [(item, caption, rewrite.of(caption.text, trigger=dataset.trigger)) for item, caption in captioned]
    changed = [(item, caption, text) for item, caption, text in rewritten if text != caption.text]
    content = json.dumps([(caption.id, text) for _, caption, text in changed])
    return Preview(
        dataset=dataset,
        changes=tuple(Change(item=item, before=caption.text, after=text) for item, caption, text in changed),
        digest=hashlib.sha256(content.encode()).hexdigest()[:16],
    )


def _whole(words: str) -> re.Pattern[str]:
    """What finds these words, but not within longer ones."""
    return re.compile(rf"(?:(?<!\w)|(?=\W)){re.escape(words)}(?:(?!\w)|(?<=\W))", re.IGNORECASE)
