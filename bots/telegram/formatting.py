"""Formatting: text as Telegram takes it. What people wrote is data: escaped, cut where Telegram counts, never empty."""

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

TEXT, CAPTION, LABEL = 4096, 1024, 64  # UTF-16 units
CODE = re.compile(r"`([^`\n]+)`")
CALLING = re.compile(r"@(?=\w)")
UNSEEN = {"\ufffc", "\u2800", "\u3164", "\u115f", "\u1160", "\uffa0"}  # letters and signs that show nothing
END = "…"


@dataclass(frozen=True)
class Span:
    """Some text under one tag of Telegram's HTML, or under none; `href` makes it a link."""

    text: str
    tag: str = ""
    href: str = ""

    @property
    def html(self) -> str:
        """As Telegram reads it."""
        escaped = html.escape(self.text, quote=False)
        if self.href:
            return f'<a href="{html.escape(self.href)}">{escaped}</a>'
        return f"<{self.tag}>{escaped}</{self.tag}>" if self.tag else escaped


def plain(text: str) -> str:
    """A text without characters that are none, and without names that Telegram would call."""
    seen = "".join("�" if unicodedata.category(one) in {"Cc", "Cs"} and one not in "\n\t" else one for one in text)
    return CALLING.sub("@\u2060", seen)


def worded(text: str) -> list[Span]:
    """A line with what stands in backticks as code."""
    parts = CODE.split(plain(text))
    return [Span(part, "code" if number % 2 else "") for number, part in enumerate(parts) if part]


def joined(spans: Sequence[Span], *, most: int, behind: Sequence[Span] = ()) -> str:
    """HTML of at most so many units of text; what is `behind` is never cut, what is before it where it has to be."""
    kept = cut(spans, most - sum(units(span.text) for span in behind))
    shown = "".join(span.text for span in (*kept, *behind))
    return "".join(span.html for span in (*kept, *behind)) if seen(shown) else END


def cut(spans: Iterable[Span], most: int) -> list[Span]:
    """The spans up to so many units."""
    kept: list[Span] = []
    left = most
    for span in spans:
        if units(span.text) > left:
            return [*kept, Span(shortened(span.text, left), span.tag, span.href)]
        kept.append(span)
        left -= units(span.text)
    return kept


def shortened(text: str, most: int) -> str:
    """A text of at most so many units, with a sign where something is missing."""
    if units(text) <= most:
        return text
    left = most - units(END)
    end = 0
    for letter in text:
        left -= units(letter)
        if left < 0:
            break
        end += 1
    return text[:end] + END if most > 0 else ""


def label(text: str) -> str:
    """The words on a button."""
    words = shortened(plain(text).replace("\n", " "), LABEL)
    return words if seen(words) else END


def units(text: str) -> int:
    """How long Telegram takes a text to be: UTF-16 units."""
    return len(text) + sum(one > "\uffff" for one in text)


def seen(text: str) -> bool:
    """Whether anybody would see anything of a text."""
    return any(unicodedata.category(one)[0] not in "ZC" and one not in UNSEEN for one in text)
