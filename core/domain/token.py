"""Tokens: what programs of a person show instead of a session, for a part of what the person may do."""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from core.domain.account import Actor, Role
from core.domain.errors import BadValue
from core.domain.session import DEBOUNCED, HANDLE
from core.domain.value import Entity

SIGN = "lg_"  # what every secret begins with, so that scanners find one that has leaked
LENGTH = 40
PREFIX = len(SIGN) + 5
TOKENS = 20  # that one person has at a time
LONGEST = 365  # days
KEPT = timedelta(days=30)  # a token that is over is listed for so long
NAME_LENGTH = 60


class Scope(StrEnum):
    """What a token was issued for. `spend` is whatever costs: orders, generations; and redeeming vouchers.

    Without `admin`, a token of a moderator or an admin sees and does what is theirs, and nothing of others.
    """

    READ = "read"
    WRITE = "write"
    SPEND = "spend"
    ADMIN = "admin"


class Token(Entity):
    """One token. The id is the hash of the secret, `prefix` its beginning, by which people tell theirs apart."""

    account: str
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    used_at: datetime | None = None
    expires_at: datetime
    revoked_at: datetime | None = None

    @property
    def handle(self) -> str:
        """What people and programs call it by; it opens nothing."""
        return self.id[:HANDLE]

    def is_good(self, now: datetime) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None and now < self.expires_at

    def is_fresh(self, now: datetime) -> bool:
        """Whether it was used just now, so that nothing has to be written."""
        return self.used_at is not None and now - self.used_at < DEBOUNCED

    def shown_by(self, actor: Actor) -> Actor:
        """Whoever it belongs to, as what it was issued for lets them act."""
        is_staff = actor.role.covers(Role.MODERATOR)
        return actor.but(role=Role.USER) if is_staff and Scope.ADMIN not in self.scopes else actor

    def revoked(self, now: datetime) -> Self:
        """Good for nothing any more."""
        return self.but(revoked_at=self.revoked_at or now)


def checked_name(name: str) -> str:
    """The name of a token without blanks around it.

    Raises:
        BadValue: There is none, or it is too long or cannot be shown.
    """
    text = name.strip()
    if not text or len(text) > NAME_LENGTH or not text.isprintable():
        raise BadValue(what="name", value=name, why=f"say in 1 to {NAME_LENGTH} characters what the token is for")
    return text


def checked_scopes(scopes: Collection[Scope]) -> tuple[Scope, ...]:
    """Each scope once, in their order.

    Raises:
        BadValue: There is none.
    """
    if not scopes:
        raise BadValue(what="choice of scopes", value="", why=f"choose at least one of {', '.join(Scope)}")
    return tuple(scope for scope in Scope if scope in scopes)


def checked_days(days: int) -> timedelta:
    """For how long a token is good.

    Raises:
        BadValue: It is not from a day to a year.
    """
    if not 1 <= days <= LONGEST:
        raise BadValue(what="number of days", value=str(days), why=f"it takes 1 to {LONGEST}")
    return timedelta(days=days)
