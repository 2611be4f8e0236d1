"""Trainings: a form made of what is on offer, its price while somebody types, the quote and the order."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from core.domain.account import Role
from core.domain.consent import RIGHTS, WORDS
from core.domain.dataset import Dataset, Scope
from core.domain.errors import (
    Ambiguous,
    BadValue,
    BaseUnavailable,
    DomainError,
    ModelUnfit,
    NotFound,
    OfferingClosed,
    OutOfBounds,
    UnknownParameter,
)
from core.domain.model import Scope as Whose
from core.domain.model import Search
from core.domain.offering import NOUNS, Number, Offering
from core.domain.quote import QuoteState
from core.domain.recipes import hyperparameters
from core.domain.retry import overrides
from core.domain.value import Value
from core.services.trainings import Quoted
from web.sandbox.page import Look, page

MANY = 200  # datasets, and models, to choose from
BESIDE = ("seed", "gpu", "from")  # what may be wished for besides the settings of the recipe


class Setting(Value):
    """One hyper-parameter as a field: a number within bounds, or words whose length is; `usual` is the preset's."""

    name: str
    description: str
    kind: str
    low: Number
    high: Number
    step: str
    usual: Any


class Wanted(Value):
    """What the form asks for so far; `changed` are the settings that are not left as they are in the preset."""

    dataset: Dataset | None
    offering: Offering
    preset: str
    changed: Mapping[str, str]


class Fault(Value):
    """What does not fit, and the field that it is about: none where it is about several."""

    field: str
    words: str


async def _form(look: Look) -> web.StreamResponse:
    services, actor = look.services, look.actor
    wanted = await _wanted(look)
    offered, mine, shared, models, balance = await asyncio.gather(
        services.trainings.offered(),
        services.datasets.list(actor, limit=MANY),
        services.datasets.list(actor, scope=Scope.SHARED, limit=MANY),
        services.models.list(actor, Search(scope=Whose.MINE), limit=MANY),
        services.wallets.view(actor),
    )
    chosen = [wanted.dataset] if wanted.dataset else []
    outcome = await _priced(look, wanted)
    return look.shown(
        "trainings/form.html",
        wanted=wanted,
        given=_said(look),
        settings=settings(wanted.offering, wanted.preset),
        offered=offered,
        datasets=list({one.id: one for one in (*mine, *shared, *chosen)}.values()),
        models=[one for one in models if one.family == wanted.offering.base.family and one.usable],
        balance=balance,
        nouns=NOUNS,
        price_of=price_of,
        **_shown(outcome),
    )


form = page("GET", "/train")(_form)
again = page("POST", "/train", role=Role.VIEWER)(_form)  # the same with what was typed, for browsers without scripts


@page("POST", "/train/price", role=Role.VIEWER)
async def price(look: Look) -> web.StreamResponse:
    """The price of what is typed so far, as a part of the form."""
    return look.shown("trainings/price.html", **_shown(await _priced(look, await _wanted(look))))


@page("POST", "/train/quote", refused=form)
async def quote(look: Look) -> web.StreamResponse:
    """Keep the price for half an hour, and show what it is made of."""
    wanted = await _wanted(look)
    if wanted.dataset is None:
        raise BadValue(what="dataset", value="", why="choose what to train on")
    quoted = await look.services.trainings.quote(
        look.actor, wanted.dataset, wanted.offering, preset=wanted.preset, overrides=wanted.changed
    )
    look.leads(f"/train/quotes/{quoted.quote.id}")


@page("GET", "/train/quotes/{quote}")
async def quoted(look: Look) -> web.StreamResponse:
    """A quote: what it is made of, what would be left, when it would be done."""
    found = await look.services.trainings.quoted(look.actor, look.path("quote"))
    if found.quote.state is QuoteState.ACCEPTED:
        look.leads(f"/jobs/{found.quote.job}")
    asks = found.dataset.attestation is None and found.dataset.owner == look.actor.account
    changed = overrides(found.quote, found.offering)
    return look.shown(
        "trainings/quote.html",
        quoted=found,
        changed=changed,
        again={"dataset": found.dataset.id, "offering": found.offering.id, "preset": found.quote.preset, **changed},
        words={RIGHTS: WORDS[RIGHTS]} if asks else {},
        expired=look.services.trainings.clock.now() >= found.quote.expires_at,
    )


@page("POST", "/train/quotes/{quote}", refused=quoted)
async def order(look: Look) -> web.StreamResponse:
    """Order by a quote; once more leads to the same job."""
    attested = look.field("attested") or None
    job = await look.services.trainings.order(look.actor, look.path("quote"), place=look.place, attested=attested)
    look.leads(f"/jobs/{job.id}", said=f"«{job.title}» is ordered: you are told when it is done.")


def settings(offering: Offering, preset: str) -> Sequence[Setting]:
    """The fields of an offering's hyper-parameters, in its order."""
    schema, usual = hyperparameters(offering.recipe).model_fields, offering.settled(preset, {})
    fields = []
    for name, (low, high) in offering.bounds.items():
        whole = isinstance(low, int) and isinstance(high, int)
        fields.append(
            Setting(
                name=name,
                description=schema[name].description or "",
                kind="text" if schema[name].annotation is str else "number",
                low=low,
                high=high,
                step="1" if whole else "any",
                usual=usual[name],
            )
        )
    return fields


def price_of(offering: Offering, preset: str) -> int:
    """What a preset costs as it is, on the usual class of GPU."""
    return sum(offering.cost(offering.settled(preset, {}), gpu=offering.gpu()).values())


def fault(error: DomainError) -> Fault:
    """Which field of the form an error is about."""
    match error:
        case BadValue():
            field = error.what
        case OutOfBounds() | UnknownParameter():
            field = error.name
        case Ambiguous() | ModelUnfit():
            field = "from"
        case NotFound():
            field = "from" if error.noun.startswith("model") else "dataset"
        case OfferingClosed() | BaseUnavailable():
            field = "offering"
        case _:
            field = "dataset"
    return Fault(field=field, words=str(error))


async def _wanted(look: Look) -> Wanted:
    """What is chosen, as far as there is such a thing: else the first that is on offer.

    Raises:
        NotFound: There is no such dataset for whoever looks.
        OfferingClosed: Nothing is ever on offer here.
    """
    said, services = _said(look), look.services
    dataset = await services.datasets.seen(look.actor, said["dataset"]) if "dataset" in said else None
    offerings = services.trainings.offerings
    if not offerings:
        raise OfferingClosed(offering="Training", why="the configuration has no offering")
    on = [one for one, is_on in await services.trainings.offered() if is_on] or list(offerings.values())
    fitting = [one for one in on if dataset is None or one.takes is dataset.kind] or on
    offering = offerings.get(said.get("offering", ""), fitting[0])
    preset = said.get("preset", "")
    return Wanted(
        dataset=dataset,
        offering=offering,
        preset=preset if preset in offering.presets else next(iter(offering.presets)),
        changed={name: said[name] for name in (*offering.bounds, *BESIDE) if name in said},
    )


async def _priced(look: Look, wanted: Wanted) -> Quoted | Fault | None:
    """The price, or why there is none; nothing where no dataset is chosen."""
    if wanted.dataset is None:
        return None
    try:
        return await look.services.trainings.estimate(
            look.actor, wanted.dataset, wanted.offering, preset=wanted.preset, overrides=wanted.changed
        )
    except DomainError as error:
        return fault(error)


def _shown(outcome: Quoted | Fault | None) -> Mapping[str, object]:
    return {
        "quoted": outcome if isinstance(outcome, Quoted) else None,
        "fault": outcome if isinstance(outcome, Fault) else None,
    }


def _said(look: Look) -> Mapping[str, str]:
    """What was typed or chosen, here or behind the question mark; a field that was left empty says nothing."""
    said = {name: look.field(name) for name in look.typed} or dict(look.query)
    return {name: text.strip() for name, text in said.items() if text.strip()}
