"""Censuses: counting the house, at whatever pace that is cheap."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from core.domain.census import Census, Totals
from core.domain.fleet import FORGOTTEN_AFTER
from core.ports.clock import Clock
from core.ports.store import Store

T = TypeVar("T")

LATELY = timedelta(seconds=30)  # as old as a count may be, however often it is asked for
SLOWLY = timedelta(minutes=5)  # the same for what takes long


@dataclass(kw_only=True)
class Remembered(Generic[T]):
    """What was counted last, and when."""

    good_for: timedelta
    value: T | None = None
    at: datetime | None = None

    async def or_else(self, count: Callable[[], Awaitable[T]], *, now: datetime) -> T:
        """What is remembered, or counted anew."""
        if self.value is None or self.at is None or now - self.at >= self.good_for:
            self.value, self.at = await count(), now
        return self.value


@dataclass(frozen=True, kw_only=True)
class Censuses:
    """The house, counted; who asks too often is told what was counted last."""

    store: Store
    clock: Clock
    _census: Remembered[Census] = field(default_factory=lambda: Remembered(good_for=LATELY), init=False)
    _totals: Remembered[Totals] = field(default_factory=lambda: Remembered(good_for=SLOWLY), init=False)

    async def census(self) -> Census:
        """What goes on."""
        now = self.clock.now()
        return await self._census.or_else(lambda: self._counted(now), now=now)

    async def totals(self) -> Totals:
        """What the house has come to."""
        return await self._totals.or_else(self.store.censuses.totals, now=self.clock.now())

    async def _counted(self, now: datetime) -> Census:
        censuses = self.store.censuses
        return Census(
            at=now,
            crowds=tuple(await censuses.crowds()),
            workers=tuple(await self.store.workers.seen_since(now - FORGOTTEN_AFTER)),
            backlog=await censuses.backlog(now=now),
        )
