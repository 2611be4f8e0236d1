"""Steerings: what owners tell their trainings while they run, and once more when they have ended."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from core.domain.errors import (
    BadValue,
    BaseUnavailable,
    JobEnded,
    NotEnoughPoints,
    NotFound,
    NothingToDo,
    NotSteerable,
    OfferingClosed,
    Outdated,
    OutOfBounds,
    QueueFull,
)
from core.domain.steering import Steer
from core.domain.token import Scope
from core.services.retries import Wanted
from web.api.jobs import JobOut, job_out
from web.api.quotes import USABLE
from web.api.route import Body, Out, Query, route
from web.api.trainings import TrainingOut, shown
from web.visiting import Asked

STEERABLE = (NotFound, NotSteerable, JobEnded)
EXTENSIBLE = (*STEERABLE, BadValue, OutOfBounds, OfferingClosed)
REPEATABLE = (NothingToDo, QueueFull, OfferingClosed, BaseUnavailable, *USABLE)


class EndingOut(Out):
    """What it would mean to stop now: which epoch is kept (none: the model as it is then), and about what is due."""

    epoch: int | None
    others: tuple[int, ...]
    due: int
    price: int


class ExtensionOut(Out):
    """What more steps would cost, up to which step it would go, and how many points there are."""

    steps: int
    until: int
    price: int
    balance: int


class WishedOut(Out):
    """What to ask a new quote for."""

    dataset: str
    offering: str
    preset: str
    settings: Mapping[str, str]


class RetryOut(Out):
    """The same training once more at no charge; or, where the fault was not the house's, what to ask a quote for."""

    training: JobOut | None
    wanted: WishedOut | None


class SteerIn(Body):
    """What to wish: a sample, a copy (`save`), an early end (`stop`, perhaps with an `epoch` to keep), or more steps.

    To extend takes the number of `steps` and the `price` that was shown for them.
    """

    what: Steer
    epoch: Annotated[int | None, Field(ge=0, le=10**6)] = None
    steps: Annotated[int | None, Field(ge=1, le=10**6)] = None
    price: Annotated[int | None, Field(ge=0, le=10**9)] = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        more = {"steps": self.steps, "price": self.price}
        if self.what is Steer.EXTEND and None in more.values():
            raise ValueError("to extend takes steps and the price that was shown for them")
        if self.what is not Steer.EXTEND and any(value is not None for value in more.values()):
            raise ValueError("only to extend takes steps and a price")
        if self.what is not Steer.STOP and self.epoch is not None:
            raise ValueError("only to stop takes an epoch to keep")
        return self


class Kept(Query):
    """Which epoch to keep; else the model as it is then."""

    epoch: Annotated[int | None, Field(ge=0, le=10**6)] = None


class More(Query):
    """How many steps more."""

    steps: Annotated[int, Field(ge=1, le=10**6)]


@route("GET", "/trainings/{training}/ending", errors=STEERABLE)
async def ending(asked: Asked, training: str, query: Kept) -> EndingOut:
    """Show what it would mean to stop a running training now."""
    found = await asked.services.steerings.ending(asked.actor, training, number=query.epoch)
    epoch = found.epoch.number if found.epoch else None
    return EndingOut(epoch=epoch, others=found.others, due=found.due, price=found.job.price)


@route("GET", "/trainings/{training}/extension", errors=EXTENSIBLE)
async def extension(asked: Asked, training: str, query: More) -> ExtensionOut:
    """Show what it would cost to let a running training go on for more steps."""
    more = await asked.services.steerings.extension(asked.actor, training, query.steps)
    until = more.run.steps + more.steps
    return ExtensionOut(steps=more.steps, until=until, price=more.price, balance=more.balance)


@route(
    "POST",
    "/trainings/{training}/steer",
    scope=Scope.SPEND,
    idempotent=True,
    errors=(*EXTENSIBLE, Outdated, NotEnoughPoints),
)
async def steer(asked: Asked, training: str, body: SteerIn) -> TrainingOut:
    """Tell a running training something; it hears of it in a moment, and its `wishes` say when it was done."""
    steerings = asked.services.steerings
    if body.what is Steer.EXTEND and body.steps is not None and body.price is not None:
        job = await steerings.extend(asked.actor, training, body.steps, price=body.price, key=asked.key)
    else:
        job = await steerings.wish(asked.actor, training, body.what, key=asked.key, number=body.epoch)
    return await shown(asked, job)


@route("POST", "/trainings/{training}/retry", scope=Scope.SPEND, errors=REPEATABLE)
async def retry(asked: Asked, training: str) -> RetryOut:
    """Train the same once more: at no charge where the house has failed it, else see what to ask a quote for."""
    found = await asked.services.retries.retry(asked.actor, training, place=asked.place)
    if isinstance(found, Wanted):
        return RetryOut(training=None, wanted=WishedOut(**dict(found)))
    return RetryOut(training=job_out(found), wanted=None)
