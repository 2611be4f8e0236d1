"""Months as addresses name them: `2026-11`."""

import re
from datetime import date, timedelta

from core.domain.errors import BadValue

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
LONGEST = timedelta(days=31)


def month_of(text: str) -> date:
    """The first day of a month.

    Raises:
        BadValue: It is none.
    """
    found = MONTH.fullmatch(text)
    if found is None or found[1] == "0000":
        raise BadValue(what="month", value=text, why="give year and month such as 2026-11")
    return date(int(found[1]), int(found[2]), 1)


def before(month: date) -> date | None:
    """The first day of the month before; nothing before the first there is."""
    return (month - timedelta(days=1)).replace(day=1) if month > date.min else None


def following(month: date) -> date | None:
    """The first day of the month after; nothing after the last there is."""
    return (month + LONGEST).replace(day=1) if (month.year, month.month) < (date.max.year, date.max.month) else None
