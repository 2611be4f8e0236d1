"""Steering: what the owner of a training that runs may wish of it, and what one is worth that ends before its time."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Self

from core.domain.errors import KeyReused, NotSteerable
from core.domain.value import Value

MOST = 20  # wishes of one kind for one job


class Steer(StrEnum):
    """What can be wished: pictures, a copy of the adapter, an early end, more steps."""

    SAMPLE = "sample"
    SAVE = "save"
    STOP = "stop"
    EXTEND = "extend"


class Wish(Value):
    """One thing that somebody wished of a job, which the worker is told of until it is done.

    `number` is the epoch to keep of a training that is to stop (None: the adapter as it is then), or how many steps
    more it is to go on for.
    """

    key: str
    what: Steer
    number: int | None = None
    by: str
    at: datetime
    done_at: datetime | None = None

    def same(self, other: "Wish") -> bool:
        """Whether two ask for the same thing."""
        return (self.what, self.number, self.by) == (other.what, other.number, other.by)

    def done(self, *, now: datetime) -> Self:
        """It came true."""
        return self.but(done_at=now)


def wished(wishes: Sequence[Wish], wish: Wish) -> tuple[Wish, ...]:
    """The wishes with one more. The same key again changes nothing, nor does what is waited for already.

    Raises:
        KeyReused: The key stands for another wish.
        NotSteerable: It contradicts one that is waited for, or there were too many.
    """
    alike = [known for known in wishes if known.what is wish.what]
    for known in wishes:
        if known.key == wish.key:
            if not known.same(wish):
                raise KeyReused(key=wish.key)
            return tuple(wishes)
    waiting = next((known for known in alike if not known.done_at), None)
    if waiting and waiting.same(wish):
        return tuple(wishes)
    if waiting:
        raise NotSteerable(why=f"it has been told to {wish.what} already, in another way")
    if len(alike) >= MOST:
        raise NotSteerable(why=f"it has been told to {wish.what} {MOST} times, which is the most")
    return (*wishes, wish)


def awaited(wishes: Sequence[Wish]) -> tuple[Wish, ...]:
    """The wishes that have not come true yet, the oldest first."""
    return tuple(wish for wish in wishes if not wish.done_at)


def fulfilled(wishes: Sequence[Wish], what: Steer, *, now: datetime) -> tuple[Wish, ...]:
    """The wishes with what is waited for of one kind done: there is one of a kind at most."""
    return tuple(wish.done(now=now) if wish.what is what and not wish.done_at else wish for wish in wishes)


def prorated(price: int, *, fixed: int, done: int, steps: int) -> int:
    """What of a price is due for so many of the steps that were ordered: `fixed` in full, the rest by their share.

    It is a whole number, rounded up; never more than the price, and never falling with the steps done.
    """
    fixed = min(fixed, price)
    if done >= steps:
        return price
    return fixed + -(-(price - fixed) * max(done, 0) // steps)
