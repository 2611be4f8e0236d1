"""Sheets: tables as files that spreadsheets open, without anybody's words becoming a formula there."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import takewhile

QUOTES = frozenset("\"'`´‘’“”„«»")
FORMULA = frozenset("=+-@")
BREAKS = frozenset("\t\r\n")
SPLIT = re.compile(r"(?<=[;\t\r\n])")  # where a spreadsheet of another country, or one that guesses, begins a new cell


def sheet(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows as a CSV file (RFC 4180, UTF-8), every cell inert."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows(map(inert, row) for row in rows)
    return file.getvalue().encode()


def inert(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: what could be taken for one gets an apostrophe in front.

    Blanks, quotes and what cannot be seen are passed over, and wide signs are as plain ones. Source: OWASP, «CSV
    Injection».
    """
    return "".join(map(_inert, SPLIT.split(cell)))


def _inert(cell: str) -> str:
    blank = "".join(takewhile(_passed_over, cell))
    first = unicodedata.normalize("NFKC", cell[len(blank) :][:1])[:1]
    return f"'{cell}" if first in FORMULA or not BREAKS.isdisjoint(blank) else cell


def _passed_over(sign: str) -> bool:
    return sign in QUOTES or sign.isspace() or not sign.isprintable()
