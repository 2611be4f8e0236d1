"""Notices and cards: what to tell a user later, and the message about a job that is kept up to date."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from core.domain.account import Place
from core.domain.job import Job, JobState
from core.domain.value import Entity

DELIVERY = timedelta(seconds=60)  # a front end that claimed a notice or a card has so long before another may try
TRIES = 8  # that may fail; with the waits between them about an hour
STALE = timedelta(days=1)  # nobody wants to hear it any more
FIRST = timedelta(seconds=2)  # what has ended by then needs no card on the way
PACE = timedelta(seconds=12)  # between two looks at a card: the newest state wins
FRESH = timedelta(minutes=50)  # platforms make it hard to edit what is older than an hour


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
    PAYOUT = "payout"
    DISPUTED = "disputed"
    ANSWERED = "answered"
    CONSENT = "consent"
    REPORTED = "reported"
    VERIFIED = "verified"
    STEERED = "steered"
    PUBLICATION = "publication"
    WEBHOOK = "webhook"


TOPICS = {
    JobState.SUCCEEDED: Topic.JOB_SUCCEEDED,
    JobState.FAILED: Topic.JOB_FAILED,
    JobState.CANCELLED: Topic.JOB_CANCELLED,
}


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

    @property
    def final(self) -> bool:
        """Whether it is the last word about a job."""
        return self.topic in TOPICS.values()

    def claimed(self, *, now: datetime) -> Self:
        """A front end is about to deliver it."""
        return self.but(claimed_until=now + DELIVERY)

    def delivered(self) -> Self:
        """It stands in the chat."""
        return self.but(state=NoticeState.DELIVERED, claimed_until=None)

    def undeliverable(self) -> Self:
        """Nobody can be told there: blocked, or the chat is gone."""
        return self.but(state=NoticeState.UNDELIVERABLE, claimed_until=None)

    def postponed(self, *, now: datetime, pause: timedelta) -> Self:
        """The platform wants a pause: that is no failure, and counts only when it has gone on for a day."""
        if self.created_at + STALE <= now:
            return self.undeliverable()
        return self.but(claimed_until=None, not_before=now + pause)

    def failed(self, *, now: datetime) -> Self:
        """Another try after 3, 9, 27 … seconds; after the last it is given up."""
        tries = self.tries + 1
        if tries >= TRIES:
            return self.but(tries=tries).undeliverable()
        return self.but(claimed_until=None, tries=tries, not_before=now + timedelta(seconds=3**tries))


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

    def claimed(self, *, now: datetime) -> Self:
        """A front end looks after it."""
        return self.but(claimed_until=now + DELIVERY)

    def says(self, digest: str, *, message: str, now: datetime) -> Self:
        """Its message, perhaps a new one, says something else."""
        posted_at = self.posted_at if message == self.message else now
        return self.but(message=message, posted_at=posted_at, shown=digest).rested(now=now, pause=PACE)

    def rested(self, *, now: datetime, pause: timedelta) -> Self:
        """It is left alone for a while."""
        return self.but(claimed_until=None, next_at=now + pause)

    def wanted(self, *, now: datetime) -> Self:
        """Somebody wants to see it here, again perhaps: then it comes anew, below what was said meanwhile."""
        return self.but(closed=False, posted_at=None, shown=None, next_at=now + FIRST)

    def over(self) -> Self:
        """It says nothing new any more."""
        return self.but(closed=True, claimed_until=None)

    def old(self, *, now: datetime) -> bool:
        """Whether its message had better be followed by a fresh one."""
        return self.posted_at is None or self.posted_at + FRESH <= now


def card_id(job: str, place: Place) -> str:
    """One card per job and place."""
    return f"{job}:{place.platform}:{place.chat}:{place.thread or ''}"


def opened(job: str, *, account: str, place: Place, now: datetime) -> Card:
    """A new card for whoever looks at a job in a place; its message follows."""
    return Card(id=card_id(job, place), job=job, account=account, place=place, created_at=now, next_at=now + FIRST)


def steered(card: Card, *, step: int, key: str, now: datetime) -> Notice:
    """What was wished of a running training has come, in the place of a card: after which step."""
    return Notice(
        id=f"{key}:{card.id}",
        account=card.account,
        place=card.place,
        topic=Topic.STEERED,
        job=card.job,
        details={"step": str(step)},
        created_at=now,
    )


def final(job: Job, card: Card, *, now: datetime) -> Notice:
    """The last word about a job that has ended, in the place of a card."""
    return Notice(
        id=f"{job.state}:{card.id}",
        account=card.account,
        place=card.place,
        topic=TOPICS[job.state],
        job=job.id,
        created_at=now,
    )
