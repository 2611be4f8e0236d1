"""The fleet: who works where, on what, and was seen when."""

from datetime import datetime, timedelta

from core.domain.value import Entity

STALE_AFTER = timedelta(seconds=45)


class Worker(Entity):
    """One polling process."""

    host: str
    pid: int
    device: str
    kinds: tuple[str, ...]
    labels: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    started_at: datetime
    seen_at: datetime

    def live(self, *, now: datetime) -> bool:
        """Whether it was heard of lately."""
        return now - self.seen_at < STALE_AFTER
