"""The inbox: what a platform sent, kept until it is dealt with; and the lease of the one process that deals with it."""

from datetime import datetime, timedelta
from typing import Self

from core.domain.value import Entity

LEAD = timedelta(seconds=10)  # a leader that is not heard of for so long is replaced: within 15 seconds, all told
KEPT = timedelta(days=2)  # so long a repeated delivery is known for what it is


class Update(Entity):
    """One thing that a platform sent, as it came (JSON); the id is `platform:number`, so a repeated one is no news."""

    platform: str
    number: int
    body: str
    received_at: datetime
    done: bool = False


class Lead(Entity):
    """Who does what only one process may do (the id); another may when `until` has passed."""

    holder: str
    until: datetime

    def taken(self, holder: str, *, now: datetime) -> Self | None:
        """The lead in somebody's hands, or None where another one holds it."""
        if self.holder != holder and self.until > now:
            return None
        return self.but(holder=holder, until=now + LEAD)
