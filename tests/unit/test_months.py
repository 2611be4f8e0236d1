"""Months in addresses: what is one, and what comes before and after."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import BadValue
from web.months import before, following, month_of


@given(st.dates())
def test_a_month_is_read_as_it_is_written_and_its_neighbours_are_each_others(day: date) -> None:
    first = day.replace(day=1)
    earlier, later = before(first), following(first)

    assert month_of(f"{first.year:04}-{first.month:02}") == first
    assert earlier is None or following(earlier) == first
    assert later is None or before(later) == first


@given(st.text())
def test_anything_else_is_refused(text: str) -> None:
    try:
        found = month_of(text)
    except BadValue:
        return
    assert f"{found.year:04}-{found.month:02}" == text


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "0000-01", "٢٠٢٦-01", "2026-01\n", " 2026-01"])
def test_what_looks_like_one_is_none(text: str) -> None:
    with pytest.raises(BadValue):
        month_of(text)
