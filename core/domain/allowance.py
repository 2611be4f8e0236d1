"""Allowances: how often somebody may do something, counted in fixed windows."""

import math
from datetime import datetime, timedelta

from core.domain.errors import TooOften
from core.domain.value import Entity, Value


class Limit(Value):
    """So many times in so long."""

    times: int
    per: timedelta


class Allowance(Entity):
    """How often something was done in one window; the id names both."""

    count: int = 0
    expires_at: datetime


def window(what: str, limit: Limit, *, now: datetime) -> Allowance:
    """The window that a moment lies in, with nothing done in it yet."""
    seconds = int(limit.per.total_seconds())
    number = int(now.timestamp()) // seconds
    return Allowance(id=f"{what}:{number}", expires_at=datetime.fromtimestamp((number + 1) * seconds, tz=now.tzinfo))


def counted(found: Allowance, limit: Limit, *, now: datetime) -> Allowance:
    """Once more.

    Raises:
        TooOften: The window is full; the words say how long to wait.
    """
    if found.count >= limit.times:
        raise TooOften(seconds=math.ceil((found.expires_at - now).total_seconds()))
    return found.but(count=found.count + 1)
