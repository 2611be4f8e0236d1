"""Quotes: a priced proposal with an expiry. Its id is the idempotency key of the order made from it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from pydantic import JsonValue

from core.domain.errors import QuoteExpired
from core.domain.value import Entity

OPEN_FOR = timedelta(minutes=30)


class QuoteState(StrEnum):
    """A quote is accepted at most once."""

    OPEN = "open"
    ACCEPTED = "accepted"
    EXPIRED = "expired"


class Quote(Entity):
    """What a training would cost, what the price is made of, and about how long it would take in seconds.

    `seed` is set where somebody wants to repeat a training exactly.
    """

    owner: str
    dataset: str
    offering: str
    offering_version: str
    preset: str
    hyperparameters: Mapping[str, JsonValue]
    parts: Mapping[str, int]
    seconds: float
    created_at: datetime
    expires_at: datetime
    state: QuoteState = QuoteState.OPEN
    job: str | None = None
    seed: int | None = None

    @property
    def price(self) -> int:
        """The sum of the parts."""
        return sum(self.parts.values())

    def accepted(self, *, job: str, offering_version: str, now: datetime) -> Self:
        """The order is made.

        Raises:
            QuoteExpired: Too late, or the offering changed meanwhile.
        """
        if self.state is not QuoteState.OPEN or now >= self.expires_at or offering_version != self.offering_version:
            raise QuoteExpired
        return self.but(state=QuoteState.ACCEPTED, job=job)
