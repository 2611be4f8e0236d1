"""Sheets: what people wrote stays what it is, and becomes no formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.sheet import FORMULA, inert, sheet

texts = st.text(st.characters(codec="utf-8"), max_size=12)
blanks = st.sampled_from(["", " ", "'", '"', "\t", "\ufeff", "«"])
spiked = st.builds("{}{}{}".format, blanks, st.sampled_from("=+-@＝﹢x\r"), texts)


@given(st.lists(st.lists(st.one_of(texts, spiked), min_size=2, max_size=4), max_size=5))
def test_no_cell_of_a_sheet_is_a_formula_and_all_of_it_can_be_read_back(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(sheet(rows).decode(), newline=""), strict=True))

    for cell in (cell for row in read for cell in row):
        bare = cell.lstrip(' "\ufeff«')
        assert bare[:1] not in FORMULA | {"\t", "\r"}
    assert [[_harmless(cell) for cell in row] for row in read] == rows


def _harmless(cell: str) -> str:
    """Take the apostrophe away that `inert` has put there."""
    return cell[1:] if cell.startswith("'") and inert(cell[1:]) == cell else cell


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
        ("", ""),
    ],
)
def test_what_looks_like_a_formula_gets_an_apostrophe(cell: str, written: str) -> None:
    assert inert(cell) == written
