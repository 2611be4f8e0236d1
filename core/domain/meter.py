"""Meters: how long a job has kept devices busy, and what was agreed about them when it was ordered."""

from datetime import datetime
from typing import Self

from core.domain.value import Value


class Meter(Value):
    """Device seconds of a job over all its attempts, also of those that were lost, as far as they were heard of.

    `gpu` is the class of GPU that was ordered, `rate` what an hour of it costs the house in hundredths of a point, and
    `weight` how many usual steps one step of it is. `since` is the moment up to which the present attempt is counted.
    """

    gpu: str = ""
    rate: int = 0
    weight: float = 1.0
    seconds: float = 0.0
    since: datetime | None = None

    def started(self, now: datetime | None) -> Self:
        """An attempt begins; without a moment, one that is not counted."""
        return self.but(since=now)

    def read(self, now: datetime) -> Self:
        """Counted up to a moment; one before that was counted already changes nothing."""
        if self.since is None or now <= self.since:
            return self
        return self.but(seconds=self.seconds + (now - self.since).total_seconds(), since=now)
