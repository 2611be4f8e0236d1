"""Sheets: what people wrote stays what it is, and becomes no formula."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.sheet import FORMULA, inert, sheet

texts = st.text(st.characters(codec="utf-8"), max_size=12)
blanks = st.sampled_from(["", " ", "'", '"', "\t", "\ufeff", "«"])
spiked = st.builds("{}{}{}".format, blanks, st.sampled_from("=+-@＝﹢x\r"), texts)

split = st.builds("{}{}{}".format, texts, st.sampled_from(";\t\n"), spiked)


@given(st.lists(st.lists(st.one_of(texts, spiked), min_size=2, max_size=4), max_size=5))
def test_no_cell_of_a_sheet_is_a_formula_and_all_of_it_can_be_read_back(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(sheet(rows).decode(), newline=""), strict=True))

    for cell in (cell for row in read for cell in row):
        bare = cell.lstrip(' "\ufeff«')
        assert bare[:1] not in FORMULA | {"\t", "\r"}
    assert [[_harmless(cell) for cell in row] for row in read] == rows


@given(st.lists(st.lists(st.one_of(texts, spiked, split), min_size=2, max_size=4), max_size=5))
def test_a_spreadsheet_that_splits_elsewhere_finds_no_formula_either(rows: list[list[str]]) -> None:
    for cell in re.split("[;\t\r\n]", sheet(rows).decode()):
        assert cell.lstrip(' "\ufeff«')[:1] not in FORMULA


def _harmless(cell: str) -> str:
    """Take the apostrophes away that `inert` has put there."""
    pieces = re.split(r"(?<=[;\t\r\n])", cell)
    return "".join(one[1:] if one.startswith("'") and inert(one[1:]) == one else one for one in pieces)


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        (" @SUM(A1)", "' @SUM(A1)"),
        ('"-2', "'\"-2"),
        ("'=1", "''=1"),
        ("＋49 30", "'＋49 30"),
        ("\u200b=1", "'\u200b=1"),
        ("\tx", "'\tx"),
        ("DE02 1203", "DE02 1203"),
        ("a=b", "a=b"),
        ("a;=1+1", "a;'=1+1"),
        ("a;b; -2;c", "a;b;' -2;c"),
        ('";@SUM(A1)', "\";'@SUM(A1)"),
        ("a\t=1", "a\t'=1"),
        ("a\n=1", "a\n'=1"),
        ("", ""),
    ],
)
def test_what_looks_like_a_formula_gets_an_apostrophe(cell: str, written: str) -> None:
    assert inert(cell) == written
