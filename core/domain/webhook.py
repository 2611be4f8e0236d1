"""Webhooks: programs of people that are told what happens, as Standard Webhooks 1.0.0 has it (standardwebhooks.com).

Nothing secret is kept: each secret is derived from a key of the house and the random name of the secret.
"""

import base64
import hashlib
import hmac
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Self

from core.domain.account import Place
from core.domain.address import receiver
from core.domain.errors import BadValue, NothingToDo
from core.domain.event import Event, EventType, in_order
from core.domain.notice import Notice, Topic
from core.domain.value import Entity, Value

MOST = 10  # of one account
LENGTH = 100  # characters of what its owner says of it
LISTED = 50  # posts that are shown of one webhook
SECRETS = 3  # that are valid at a time
OVERLAP = timedelta(days=1)  # in which the secret before still signs too
LEASE = timedelta(seconds=60)  # for one attempt; when it is not heard of by then, another follows
PATIENCE = timedelta(days=5)  # of nothing but failures
KEPT = timedelta(days=30)
LATEST = timedelta(days=1)  # that a receiver may put us off to
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)  # after each failure; after one more the post is given up
JITTER = 0.2  # of a wait: what failed together is not tried together
PURPOSE = "webhook"
PREFIX = "whsec_"
OWN = "you have turned it off"


class Secret(Value):
    """What a secret is derived from: its own name, and a key of the house; it may be valid `until` a moment only."""

    name: str
    key: str
    until: datetime | None = None

    def derived(self, keys: Mapping[str, bytes]) -> bytes | None:
        """The 32 bytes of it; None where the key of the house is no longer known."""
        key = keys.get(self.key)
        return hmac.new(key, f"{PURPOSE}:{self.name}".encode(), hashlib.sha256).digest() if key else None


class Webhook(Entity):
    """Where an account's events are sent: those of some types, or all.

    The first of its `secrets` is the present one. Since `failing_since` nothing has arrived. `disabled` is why nothing
    is sent any more.
    """

    account: str
    url: str
    types: tuple[EventType, ...] = ()
    note: str = ""
    secrets: tuple[Secret, ...]
    created_at: datetime
    failing_since: datetime | None = None
    disabled: str | None = None

    def wants(self, event: Event) -> bool:
        """Whether an event is to be sent here."""
        return self.disabled is None and (not self.types or event.type in self.types)

    def enabled(self) -> Self:
        """Events are sent again, as if nothing had failed."""
        return self.but(disabled=None, failing_since=None)

    def rotated(self, secret: Secret, *, now: datetime) -> Self:
        """A new secret; those before it stay valid for a while."""
        before = tuple(old.but(until=min(old.until or now + OVERLAP, now + OVERLAP)) for old in self.valid(now))
        return self.but(secrets=(secret, *before)[:SECRETS])

    def valid(self, now: datetime) -> tuple[Secret, ...]:
        """The secrets that are valid at a moment, the present one first."""
        return tuple(secret for secret in self.secrets if secret.until is None or now < secret.until)

    def answered(self, answer: "Answer", *, now: datetime) -> Self:
        """It has answered, or not: where it wants nothing any more, or for too long, it is turned off."""
        if answer.arrived:
            return self.but(failing_since=None)
        since = self.failing_since or now
        why = None
        if answer.status == HTTPStatus.GONE:
            why = "it answered that it is gone for good (410)"
        elif since + PATIENCE <= now:
            why = f"nothing has arrived there for {PATIENCE.days} days; the last time {answer.words}"
        return self.but(failing_since=since, disabled=self.disabled or why)


class Change(Value):
    """What is to be otherwise about a webhook; None stays as it is. No types are all types."""

    url: str | None = None
    types: tuple[EventType, ...] | None = None
    note: str | None = None
    enabled: bool | None = None

    def applied(self, webhook: Webhook, *, local: bool) -> Webhook:
        """The webhook as it is wished; in a `local` house it may be on the same machine.

        Raises:
            BadValue: Nothing can be sent there, or the note is too long.
        """
        url = webhook.url if self.url is None else receiver(self.url, local=local)
        types = webhook.types if self.types is None else in_order(self.types)
        note = webhook.note if self.note is None else noted(self.note)
        changed = webhook.but(url=url, types=types, note=note)
        if self.enabled is None:
            return changed
        return changed.enabled() if self.enabled else changed.but(disabled=changed.disabled or OWN)


class Answer(Value):
    """What came of an attempt: the status of the answer and when to come again, or why there was none."""

    status: int | None = None
    retry_after: str = ""
    why: str = ""

    @property
    def arrived(self) -> bool:
        """Whether the receiver has taken it."""
        return self.status is not None and HTTPStatus(200) <= self.status < HTTPStatus(300)

    @property
    def words(self) -> str:
        """Why it has not arrived, in plain words."""
        if self.status is None:
            return self.why
        try:
            phrase = f" ({HTTPStatus(self.status).phrase})"
        except ValueError:
            phrase = ""
        moved = HTTPStatus(300) <= self.status < HTTPStatus(400)
        return f"it answered {self.status}{phrase}" + ("; redirects are not followed" if moved else "")

    def pause(self, now: datetime) -> timedelta:
        """How long the receiver wants to be left alone, a day at most: seconds or a date (RFC 9110, 10.2.3)."""
        text = self.retry_after.strip()
        try:
            seconds = int(text) if text.isascii() and text.isdigit() else _until(text, now)
        except (ValueError, OverflowError):
            return timedelta()
        return timedelta(seconds=max(0, min(seconds, LATEST.total_seconds())))


class PostState(StrEnum):
    """pending → delivered | given_up, and back when its owner wants it sent again."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class Post(Entity):
    """An event on its way to a webhook, committed with what has happened (an outbox row). Its id is the message's.

    From `due_at` on anybody may send it; who does so moves that moment by a lease first.
    """

    webhook: str
    account: str
    event: Event
    state: PostState = PostState.PENDING
    attempts: int = 0
    created_at: datetime
    due_at: datetime
    tried_at: datetime | None = None
    status: int | None = None
    error: str = ""

    def claimed(self, *, now: datetime) -> Self:
        """Somebody is about to send it."""
        return self.but(attempts=self.attempts + 1, tried_at=now, due_at=now + LEASE)

    def answered(self, answer: Answer, *, now: datetime) -> Self:
        """It has arrived, or is tried again later, or given up."""
        if answer.arrived:
            return self.but(state=PostState.DELIVERED, status=answer.status, error="")
        failed = self.but(status=answer.status, error=answer.words)
        if answer.status == HTTPStatus.GONE or self.attempts > len(WAITS):
            return failed.but(state=PostState.GIVEN_UP)
        return failed.but(due_at=now + max(wait(self.attempts, self.id), answer.pause(now)))

    def given_up(self, why: str) -> Self:
        """It is not sent any more."""
        return self.but(state=PostState.GIVEN_UP, error=why)

    def resent(self, *, now: datetime) -> Self:
        """It is sent again, under the same id.

        Raises:
            NothingToDo: It is still on its way.
        """
        if self.state is PostState.PENDING:
            raise NothingToDo(why=f"It is still on its way: it is sent by itself at {self.due_at:%d %b, %H:%M} UTC.")
        return self.but(state=PostState.PENDING, attempts=0, due_at=now, status=None, error="")


def webhook_id(account: str, key: str) -> str:
    """What asking under a key makes: the same webhook however often."""
    return hashlib.sha256(f"{account}:{key}".encode()).hexdigest()[:16]


def posted(event: Event, webhook: Webhook, *, name: str) -> Post:
    """The post of an event to a webhook."""
    return Post(
        id=f"msg_{name}", webhook=webhook.id, account=webhook.account, event=event, created_at=event.at, due_at=event.at
    )


def trial(webhook: Webhook, *, now: datetime) -> Event:
    """Nothing has happened; its owner wants to see whether it arrives."""
    return Event(account=webhook.account, type=EventType.TEST, data={"webhook": webhook.id}, at=now)


def silenced(webhook: Webhook, place: Place, *, name: str, now: datetime) -> Notice:
    """What its owner is told when a webhook was turned off."""
    return Notice(
        id=f"webhook:{name}",
        account=webhook.account,
        place=place,
        topic=Topic.WEBHOOK,
        details={
            "title": "A webhook of yours was turned off",
            "text": f"{webhook.url}\n{webhook.disabled}. Mend it, turn it on again, and resend what was missed.",
        },
        created_at=now,
    )


def wait(attempts: int, name: str) -> timedelta:
    """How long to wait after so many attempts have failed; a little more for some names than for others."""
    share = int.from_bytes(hashlib.sha256(f"{name}:{attempts}".encode()).digest()[:4]) / 2**32
    waiting = WAITS[min(attempts, len(WAITS)) - 1] * (1 + JITTER * share)
    return timedelta(seconds=round(waiting.total_seconds(), 3))


def shown(secret: bytes) -> str:
    """A secret as its owner is given it."""
    return PREFIX + base64.b64encode(secret).decode()


def signature(secret: bytes, *, name: str, timestamp: int, body: bytes) -> str:
    """What proves who has sent a message, and when: HMAC-SHA256, version 1 of Standard Webhooks."""
    mac = hmac.new(secret, f"{name}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(mac.digest()).decode()}"


def headers(name: str, body: bytes, secrets: Collection[bytes], *, now: datetime) -> Mapping[str, str]:
    """The headers of a message, signed with each of the secrets."""
    timestamp = int(now.timestamp())
    signatures = (signature(secret, name=name, timestamp=timestamp, body=body) for secret in secrets)
    return {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def noted(text: str) -> str:
    """What its owner says of a webhook, in one line.

    Raises:
        BadValue: It is too long, or cannot be seen.
    """
    said = " ".join(text.split())
    if len(said) > LENGTH or not said.isprintable():
        raise BadValue(what="note", value=said, why=f"it takes up to {LENGTH} visible characters")
    return said


def _until(date: str, now: datetime) -> float:
    moment = parsedate_to_datetime(date)
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
