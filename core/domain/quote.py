"""Quotes: a priced proposal with an expiry. Its id is the idempotency key of the order made from it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from pydantic import JsonValue

from core.domain.errors import BadValue, QuoteExpired
from core.domain.value import Entity, Value

OPEN_FOR = timedelta(minutes=30)
SEEDS = 2**31


class QuoteState(StrEnum):
    """A quote is accepted at most once."""

    OPEN = "open"
    ACCEPTED = "accepted"
    EXPIRED = "expired"


class Wishes(Value):
    """What somebody wants of a training: `settings` of its recipe as text, and what belongs to no recipe.

    `seed` repeats a training exactly, `gpu` is a class of the offering, and `model` names the model to continue from.
    """

    settings: Mapping[str, str]
    seed: int | None = None
    gpu: str = ""
    model: str | None = None


class Quote(Entity):
    """What a training would cost, what the price is made of, and about how many seconds of a worker it would take.

    `seed`, `gpu` and `model`, by its id, are as they were wished.
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
    gpu: str = ""
    model: str | None = None

    @property
    def price(self) -> int:
        """The sum of the parts."""
        return sum(self.parts.values())

    @property
    def words(self) -> tuple[str, ...]:
        """The settings that are words."""
        return tuple(value for value in self.hyperparameters.values() if isinstance(value, str))

    def accepted(self, *, job: str, offering_version: str, now: datetime) -> Self:
        """The order is made.

        Raises:
            QuoteExpired: Too late, or the offering changed meanwhile.
        """
        if self.state is not QuoteState.OPEN or now >= self.expires_at or offering_version != self.offering_version:
            raise QuoteExpired
        return self.but(state=QuoteState.ACCEPTED, job=job)


def wished(overrides: Mapping[str, str]) -> Wishes:
    """What somebody's words of the form `name=value` ask for.

    Raises:
        BadValue: The seed is none.
    """
    seed = overrides.get("seed")
    if seed is not None and not (seed.isascii() and seed.isdigit() and int(seed) < SEEDS):
        raise BadValue(what="seed", value=seed, why=f"it takes a whole number below {SEEDS}")
    return Wishes(
        settings={name: value for name, value in overrides.items() if name not in {"seed", "gpu", "from"}},
        seed=None if seed is None else int(seed),
        gpu=overrides.get("gpu", ""),
        model=overrides.get("from"),
    )
