"""Time and identity as arguments, so that a test can hold both still."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Protocol

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no look-alikes


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> datetime:
        """The moment in UTC, in whole milliseconds, as the database keeps it."""
        ...


class Ids(Protocol):
    """Makes names that nobody has yet."""

    def new(self) -> str:
        """A name of 12 characters that people can read out: 59 random bits."""
        ...

    def token(self) -> str:
        """A secret that nobody guesses: 96 random bits in 16 URL-safe characters."""
        ...

    def code(self) -> str:
        """A code that is as good as money, for people to type: 128 random bits in 26 characters."""
        ...

    def seed(self) -> int:
        """A seed for what is repeatable once it is known: 31 random bits."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The moment in UTC, in whole milliseconds."""
        moment = datetime.now(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class HandClock:
    """A clock that is moved by hand, for tests."""

    def __init__(self, moment: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)) -> None:
        self._moment = moment

    def now(self) -> datetime:
        """The moment that was set, in UTC."""
        return self._moment

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self._moment += by


class RandomIds:
    """The operating system's randomness."""

    def new(self) -> str:
        """A name of 12 characters."""
        return _spelled(12)

    def token(self) -> str:
        """A secret of 16 characters."""
        return secrets.token_urlsafe(12)

    def code(self) -> str:
        """A code of 26 characters."""
        return _spelled(26)

    def seed(self) -> int:
        """A seed of 31 bits."""
        return secrets.randbits(31)


def _spelled(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
