"""Quotes: what a training would cost, kept for half an hour; accepted by ordering it."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from pydantic import Field, JsonValue

from core.domain.consent import RIGHTS, WORDS
from core.domain.cost import Estimate
from core.domain.errors import (
    Ambiguous,
    BadValue,
    BaseUnavailable,
    CharacterNotAdult,
    ConsentWithdrawn,
    DatasetEmpty,
    DatasetNotReady,
    DatasetUnfit,
    MinorsGuarded,
    ModelUnfit,
    NotAdult,
    NotFound,
    NotReviewed,
    OfferingClosed,
    OutOfBounds,
    Suspended,
    UnknownParameter,
)
from core.domain.quote import SEEDS, QuoteState
from core.services.trainings import Quoted
from web.api.route import Body, Out, route
from web.visiting import Asked

USABLE = (ConsentWithdrawn, Suspended, NotAdult, CharacterNotAdult, NotReviewed)
TRAINABLE = (*USABLE, DatasetEmpty, DatasetNotReady, DatasetUnfit, OfferingClosed, BaseUnavailable)
UNFIT = (MinorsGuarded, ModelUnfit)
LONGEST = 200  # characters of a setting that is words


class QuoteIn(Body):
    """What to train: a dataset, an offering in one of its presets (the first where none is named), other settings.

    `gpu` is one of the offering's classes, `seed` repeats a training exactly, and `from` names a model of yours to
    continue from.
    """

    dataset: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    offering: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    preset: Annotated[str, Field(max_length=LONGEST)] = ""
    settings: Annotated[Mapping[str, int | float | Annotated[str, Field(max_length=1000)]], Field(max_length=100)] = {}
    gpu: Annotated[str, Field(max_length=LONGEST)] = ""
    seed: Annotated[int | None, Field(ge=0, lt=SEEDS)] = None
    model: Annotated[str | None, Field(alias="from", min_length=1, max_length=LONGEST)] = None

    @property
    def overrides(self) -> Mapping[str, str]:
        """All that differs from the preset, as text."""
        others = {"gpu": self.gpu or None, "seed": self.seed, "from": self.model}
        return {name: str(value) for name, value in {**self.settings, **others}.items() if value is not None}


class ChoiceOut(Out):
    """The same training on another class of GPU: the price, and how many seconds it takes."""

    price: int
    takes: Estimate


class AttestOut(Out):
    """Words that the owner of a dataset has to mean; order with their version as `attested`."""

    version: str
    words: str


class QuoteOut(Out):
    """A price, what it is made of, and what you would have left.

    `ahead` is how many jobs would go before it, and it would start in `soonest` to `latest` seconds, where a worker
    that can take it is there (`manned`). `attest` is there where nobody has spoken for the files yet.
    """

    id: str
    state: QuoteState
    dataset: str
    offering: str
    preset: str
    settings: Mapping[str, JsonValue]
    seed: int | None
    gpu: str
    model: str | None
    price: int
    parts: Mapping[str, int]
    balance: int
    left: int
    takes: Estimate
    ahead: int
    soonest: float | None
    latest: float | None
    manned: bool
    choices: Mapping[str, ChoiceOut]
    attest: AttestOut | None
    created_at: datetime
    expires_at: datetime
    training: str | None


@route(
    "POST",
    "/quotes",
    status=HTTPStatus.CREATED,
    location="/quotes/{id}",
    errors=(NotFound, BadValue, UnknownParameter, OutOfBounds, Ambiguous, *TRAINABLE, *UNFIT),
)
async def quote(asked: Asked, body: QuoteIn) -> QuoteOut:
    """Ask what a training would cost; nothing is ordered."""
    services = asked.services
    dataset = await services.datasets.seen(asked.actor, body.dataset)
    offering, _ = await services.trainings.offer(body.offering)
    preset = body.preset or next(iter(offering.presets))
    quoted = await services.trainings.quote(asked.actor, dataset, offering, preset=preset, overrides=body.overrides)
    return quote_out(quoted)


@route("GET", "/quotes/{quote}", errors=(OfferingClosed, BaseUnavailable))
async def view(asked: Asked, quote: str) -> QuoteOut:
    """Show a quote again, with what you would have left by now."""
    return quote_out(await asked.services.trainings.quoted(asked.actor, quote))


def quote_out(quoted: Quoted) -> QuoteOut:
    """A quote with all that one wants to know before ordering."""
    one, asks = quoted.quote, quoted.dataset.attestation is None and quoted.dataset.owner == quoted.quote.owner
    plain = ("id", "state", "dataset", "offering", "preset", "seed", "gpu", "model", "price", "parts")
    return QuoteOut(
        **{name: getattr(one, name) for name in (*plain, "created_at", "expires_at")},
        settings=one.hyperparameters,
        balance=quoted.balance,
        left=quoted.balance - one.price,
        takes=quoted.takes,
        ahead=quoted.queue.ahead,
        soonest=quoted.queue.soonest,
        latest=quoted.queue.latest,
        manned=quoted.manned,
        choices={gpu: ChoiceOut(price=choice.price, takes=choice.takes) for gpu, choice in quoted.choices.items()},
        attest=AttestOut(version=RIGHTS, words=WORDS[RIGHTS]) if asks else None,
        training=one.job,
    )
