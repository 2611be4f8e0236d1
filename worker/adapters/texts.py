"""Small texts from unknown hands: captions and tables beside pictures, lists of links."""

import codecs
from pathlib import Path
from typing import NamedTuple

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class TextRefused(Exception):  # noqa: N818 a past participle, as every result here
    """A file that holds no readable text; `words` say why, as the end of a sentence that begins with «it»."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Text(NamedTuple):
    """What a file says, and whether it said so in UTF-16."""

    content: str
    was_utf_16: bool


def read(path: Path, *, limit: int) -> Text:
    """Return the text in a file of at most `limit` bytes: UTF-8, with or without a byte order mark, or marked UTF-16.

    Raises:
        TextRefused: It is larger, or something else.
    """
    with path.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise TextRefused(f"is longer than {limit // 2**10:,} KB")
    was_utf_16 = content.startswith(UTF_16)
    try:
        text = content.decode("utf-16" if was_utf_16 else "utf-8-sig")
    except UnicodeDecodeError:
        raise TextRefused("is not UTF-8 text") from None
    if "\0" in text:
        raise TextRefused("is not UTF-8 text")
    return Text(text, was_utf_16)


def on_one_line(text: str) -> str | None:
    """Return a text with every run of white space as one space, or None when nothing else is in it."""
    return " ".join(text.split()) or None
