"""JSON from unknown hands, read record by record in bounded memory: JSON Lines, or one document of some megabytes."""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

LINE = 4 * 2**20
DOCUMENT = 64 * 2**20
CHUNK = 2**20
HEAD = 64 * 2**10
MARKS = {
    codecs.BOM_UTF8: ("utf-8", "left out the byte order mark"),
    codecs.BOM_UTF16_LE: ("utf-16-le", "turned UTF-16 into UTF-8"),
    codecs.BOM_UTF16_BE: ("utf-16-be", "turned UTF-16 into UTF-8"),
}
GAP = re.compile(r"[\s,]*")
TOO_LONG = f"This is longer than {LINE // 2**20} MB, which no conversation is. It was left out."
BROKEN = "From here on this is no JSON, and nothing after it was read. Maybe the file was cut off."


class FileRefused(Exception):  # noqa: N818 a past participle, as every result here
    """A file of which nothing is read; `words` say why and what to do."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Line(NamedTuple):
    """The bytes of one record and the line it begins in, counted from 1; or what is wrong with them."""

    number: int
    content: bytes
    fault: str = ""


class Text(NamedTuple):
    """A text file: its encoding, how many bytes of it are a mark of that, and what reading it repairs, if anything."""

    path: Path
    encoding: str = "utf-8"
    mark: int = 0
    repair: str = ""

    def chunks(self) -> Iterator[bytes]:
        """Its content in UTF-8. What is not text stays so, for whoever parses it to find."""
        decoder = codecs.getincrementaldecoder(self.encoding)("surrogatepass")
        with self.path.open("rb") as file:
            file.seek(self.mark)
            while chunk := file.read(CHUNK):
                yield chunk if self.encoding == "utf-8" else decoder.decode(chunk).encode(errors="surrogatepass")

    def head(self) -> bytes:
        """How it begins."""
        return next(self.chunks(), b"")[:HEAD].lstrip()


def text(path: Path) -> Text:
    """Look at how a file begins.

    Raises:
        FileRefused: It is empty, or no text.
    """
    with path.open("rb") as file:
        start = file.read(max(map(len, MARKS)))
    mark = next((mark for mark in MARKS if start.startswith(mark)), b"")
    found = Text(path, *((MARKS[mark][0], len(mark), MARKS[mark][1]) if mark else ()))
    head = found.head()
    if not head:
        raise FileRefused("There is nothing in it.")
    if b"\0" in head:
        raise FileRefused("It is no text. Save it as JSON Lines in UTF-8, one conversation in a line.")
    return found


def records(found: Text) -> Iterator[Line]:
    """The records of a file in order, blank lines included.

    Raises:
        FileRefused: It is one document of more than 64 MB.
    """
    first = found.head().partition(b"\n")[0].rstrip()
    if not first.startswith(b"[") and first != b"{":
        return lines(found.chunks())
    if found.path.stat().st_size > DOCUMENT:
        raise FileRefused(
            f"It is one JSON document of more than {DOCUMENT // 2**20} MB. Send JSON Lines: one conversation in a line."
        )
    return values(b"".join(found.chunks()).decode(errors="surrogateescape"))


def lines(chunks: Iterable[bytes]) -> Iterator[Line]:
    """Split what comes at line ends; a line that is too long is never held whole."""
    number, rest, cut = 0, b"", False
    for chunk in chunks:
        *ended, rest = (rest + chunk).split(b"\n")
        for content in ended:
            number += 1
            yield Line(number, b"", TOO_LONG) if cut or len(content) > LINE else Line(number, content)
            cut = False
        if len(rest) > LINE:
            rest, cut = b"", True
    if cut:
        yield Line(number + 1, b"", TOO_LONG)
    elif rest:
        yield Line(number + 1, rest)


def values(document: str) -> Iterator[Line]:
    """The values of one array, or those that stand one after another; they end where it is no JSON any more."""
    decoder, number, start = json.JSONDecoder(), 1, 0
    place = _after(document, 0)
    within = document.startswith("[", place)
    place += within
    while True:
        place = _after(document, place)
        number += document.count("\n", start, place)
        start = place
        if within and document.startswith("]", start):
            within, place = False, start + 1
            continue
        if start == len(document):
            if within:
                yield Line(number, b"", BROKEN)
            return
        try:
            place = decoder.raw_decode(document, start)[1]
        except (ValueError, RecursionError):
            yield Line(number, b"", BROKEN)
            return
        content = document[start:place].encode(errors="surrogateescape")
        yield Line(number, b"", TOO_LONG) if len(content) > LINE else Line(number, content)


def _after(document: str, place: int) -> int:
    """Where the next value begins."""
    gap = GAP.match(document, place)
    return gap.end() if gap else place
