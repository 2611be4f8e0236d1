"""Disputes: somebody wants back what a job has cost, and an admin answers."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from core.domain.errors import BadValue, DisputeClosed
from core.domain.value import Entity

LENGTH = 500  # characters of a complaint, and of an answer
OPEN_FOR = timedelta(days=30)  # after the end of a job


class DisputeState(StrEnum):
    """open → refunded | declined; a declined one is over."""

    OPEN = "open"
    REFUNDED = "refunded"
    DECLINED = "declined"


class Dispute(Entity):
    """One complaint about one job; the id is the job's, so that there is one."""

    owner: str
    title: str
    why: str
    state: DisputeState = DisputeState.OPEN
    answer: str = ""
    opened_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None

    def refunded(self, why: str, *, by: str, now: datetime) -> Self:
        """Something was paid back, which ends it.

        Raises:
            DisputeClosed: It was answered before.
        """
        return self._closed(DisputeState.REFUNDED, why, by=by, now=now)

    def declined(self, answer: str, *, by: str, now: datetime) -> Self:
        """Nothing is paid back for it.

        Raises:
            DisputeClosed: It was answered before.
        """
        return self._closed(DisputeState.DECLINED, answer, by=by, now=now)

    def _closed(self, state: DisputeState, answer: str, *, by: str, now: datetime) -> Self:
        if self.state is not DisputeState.OPEN:
            raise DisputeClosed(why=f"this dispute is {self.state} already")
        return self.but(state=state, answer=answer, closed_by=by, closed_at=now)


def said(text: str) -> str:
    """The words of a complaint or an answer, in one line.

    Raises:
        BadValue: There are none, or too many.
    """
    line = " ".join(text.split())
    if not 0 < len(line) <= LENGTH:
        raise BadValue(what="text", value=line[:40], why=f"it takes 1 to {LENGTH} characters")
    return line


def objection(known: Dispute | None, *, paid: int, ended_at: datetime | None, now: datetime) -> str | None:
    """Why a job cannot be disputed (any more); None where it can. `paid` is what has not gone back."""
    if known:
        return f"this job was disputed before, and that is {known.state}"
    if not paid or ended_at is None:
        return "nothing was taken for this job, or all of it has gone back"
    if ended_at + OPEN_FOR <= now:
        return f"this job ended more than {OPEN_FOR.days} days ago"
    return None
