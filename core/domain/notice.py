"""Notices and cards: what to tell a user later, and the message about a job that is kept up to date."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from core.domain.account import Place
from core.domain.value import Entity

DELIVERY = timedelta(seconds=60)  # a front end that claimed a notice has so long before another may try


class NoticeState(StrEnum):
    """A notice is delivered once, or given up."""

    PENDING = "pending"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"


class Topic(StrEnum):
    """What a notice is about; the faces find the words."""

    JOB_SUCCEEDED = "job_succeeded"
    JOB_FAILED = "job_failed"
    JOB_CANCELLED = "job_cancelled"
    GRANTED = "granted"
    REFUNDED = "refunded"
    LINK_ASKED = "link_asked"
    LINKED = "linked"
    REVIEWED = "reviewed"
    BROADCAST = "broadcast"


class Notice(Entity):
    """Something to tell, committed with the change it tells of (an outbox row)."""

    account: str
    place: Place
    topic: Topic
    job: str | None = None
    details: Mapping[str, str] = {}
    state: NoticeState = NoticeState.PENDING
    created_at: datetime
    claimed_until: datetime | None = None
    not_before: datetime | None = None
    tries: int = 0

    def claimed(self, *, now: datetime) -> Self:
        """A front end is about to deliver it."""
        return self.but(claimed_until=now + DELIVERY, tries=self.tries + 1)

    def delivered(self) -> Self:
        """It stands in the chat."""
        return self.but(state=NoticeState.DELIVERED, claimed_until=None)

    def undeliverable(self) -> Self:
        """Nobody can be told there: blocked, or the chat is gone."""
        return self.but(state=NoticeState.UNDELIVERABLE, claimed_until=None)

    def postponed(self, until: datetime) -> Self:
        """The platform wants a pause, or failed: another try later."""
        return self.but(claimed_until=None, not_before=until)


class Card(Entity):
    """The message about one job in one place.

    `message` is the platform's id of it, `posted_at` when that was posted (an old message is hard to edit), `shown` a
    digest of what it last said, `next_at` when it may be looked at again, `claimed_until` a front end's time to do so.
    """

    job: str
    account: str
    place: Place
    created_at: datetime
    message: str | None = None
    posted_at: datetime | None = None
    shown: str | None = None
    next_at: datetime | None = None
    claimed_until: datetime | None = None
    closed: bool = False


def card_id(job: str, place: Place) -> str:
    """One card per job and place."""
    return f"{job}:{place.platform}:{place.chat}:{place.thread or ''}"
