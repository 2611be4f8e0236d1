"""Generations: a prompt with its price and what its words call, the pictures, and what to do with them."""

import asyncio
from collections.abc import Mapping

from aiohttp import web

from core.domain.account import Role
from core.domain.errors import BadValue, DomainError, NotFound, NoTrigger, OfferingClosed, WrongFamily
from core.domain.generation import MOST_STARS
from core.domain.model import Search
from core.domain.prompt import Precedence, replaced
from core.services.generations import Unclear, Wish
from web.sandbox.page import Look, page
from web.sandbox.trainings import Fault

SHOWN = 12  # generations on a page of the gallery
WORDS = 24  # models whose trigger words are offered
STRENGTH = 60  # percent of a picture that a variation may change
FIELDS = {"prompt": "text", "number of pictures": "count", "number of steps": "steps", "negative prompt": "negative"}
WHY = {
    Precedence.NAMED: "it was called by its name",
    Precedence.OWN: "one's own newest model comes first",
    Precedence.SHARED: "models that are shared with one come before public ones",
    Precedence.PINNED: "this community has pinned it to the word",
    Precedence.PUBLIC: "of the public models it has had the word the longest",
    Precedence.FAMILY: "it does not fit the base model",
}


async def _form(look: Look) -> web.StreamResponse:
    services, actor, number = look.services, look.actor, look.page_number()
    models, found, balance, planned = await asyncio.gather(
        services.models.list(actor, Search(adult=actor.adult), limit=WORDS),
        services.generations.list(actor, limit=number * SHOWN + 1),
        services.wallets.view(actor),
        _planned(look),
    )
    gallery = found[(number - 1) * SHOWN :][:SHOWN]
    return look.shown(
        "generations/form.html",
        text=_text(look),
        models=[model for model in models if not model.talks],
        bases=[one for one in services.trainings.offerings.values() if one.generation],
        gallery=[await services.generations.view(actor, one.id) for one in gallery],
        number=number,
        more=len(found) > number * SHOWN,
        balance=balance,
        why=WHY,
        **planned,
    )


form = page("GET", "/generate")(_form)
again_with = page("POST", "/generate/form", role=Role.VIEWER)(_form)  # what was typed, for browsers without scripts


@page("POST", "/generate/price", role=Role.VIEWER)
async def price(look: Look) -> web.StreamResponse:
    """What is typed so far: its price, and which words call which models, as a part of the form."""
    return look.shown("generations/price.html", text=_text(look), why=WHY, **await _planned(look))


@page("POST", "/generate", refused=form)
async def order(look: Look) -> web.StreamResponse:
    """Order pictures; a word that means several models is asked about first."""
    ordered = await look.services.generations.order(look.actor, _wish(look), place=look.place, key=look.key)
    if not isinstance(ordered, Unclear):
        look.leads(f"/generate/{ordered.job.id}")
    return await form.run(look)


@page("GET", "/generate/{job}")
async def view(look: Look) -> web.StreamResponse:
    """The pictures, or how far they are; how they were made, and what to do with them."""
    services, actor = look.services, look.actor
    seen = await services.generations.view(actor, look.path("job"))
    offering = services.trainings.offerings.get(seen.generation.offering)
    sight = await services.watches.sight(actor, seen.job.id)
    return look.shown(
        "generations/view.html",
        sight=sight,
        job=seen.job,
        made=seen.generation,
        mine=seen.generation.owner == actor.account,
        price=offering.drawing.cost(seen.generation.width, seen.generation.height, 1) if offering else None,
        strength=STRENGTH,
        stars=range(1, MOST_STARS + 1),
        why=WHY,
    )


@page("POST", "/generate/{job}/again", refused=view)
async def again(look: Look) -> web.StreamResponse:
    """Draw the same once more, with another seed."""
    ordered = await look.services.generations.again(look.actor, look.path("job"), place=look.place, key=look.key)
    look.leads(f"/generate/{ordered.job.id}")


@page("POST", "/generate/{job}/vary", refused=view)
async def vary(look: Look) -> web.StreamResponse:
    """Draw one picture once more, changed by so many percent."""
    picture, strength = look.number("picture") or 1, look.number("strength") or STRENGTH
    key = f"{look.key}:{picture}"  # the page has a form for each picture
    ordered = await look.services.generations.vary(
        look.actor, look.path("job"), picture=picture, strength=strength, place=look.place, key=key
    )
    look.leads(f"/generate/{ordered.job.id}")


@page("POST", "/generate/{job}/rate", refused=view)
async def rate(look: Look) -> web.StreamResponse:
    """Say how good the pictures are."""
    stars, words = look.number("stars") or 0, look.field("words")
    made = await look.services.generations.rate(look.actor, look.path("job"), stars=stars, words=words)
    look.leads(f"/generate/{made.id}", said="Thank you: that is noted.")


@page("POST", "/generate/{job}/delete", refused=view)
async def delete(look: Look) -> web.StreamResponse:
    """Let the pictures go; what they cost stays on the receipt."""
    gone = await look.services.generations.delete(look.actor, look.path("job"))
    look.leads("/generate", said=f"The pictures of «{gone.title}» are deleted.")


async def _planned(look: Look) -> Mapping[str, object]:
    """What is typed so far would draw and cost this, or is unclear, or does not work."""
    facts: dict[str, object] = dict.fromkeys(("planned", "unclear", "fault"))
    if not _text(look):
        return facts
    try:
        planned = await look.services.generations.plan(look.actor, _wish(look), place=look.place)
    except DomainError as error:
        return facts | {"fault": Fault(field=_field(error), words=str(error))}
    return facts | {"unclear" if isinstance(planned, Unclear) else "planned": planned}


def _text(look: Look) -> str:
    """The prompt, in which a model may have been chosen for a word: `meant` is its id, a blank, and the word."""
    text, (model, _, said) = look.field("text") or look.query.get("text", ""), look.field("meant").partition(" ")
    return replaced(text, said, model) if said else text


def _wish(look: Look) -> Wish:
    """What was typed into the form.

    Raises:
        BadValue: A number is none.
    """
    guidance = look.field("guidance")
    try:
        closely = float(guidance) if guidance else None
    except ValueError as error:
        raise BadValue(what="guidance", value=guidance, why="it takes a number such as 7.5") from error
    return Wish(
        text=_text(look),
        negative=look.field("negative"),
        count=look.number("count") or 1,
        seed=look.number("seed"),
        width=look.number("width"),
        height=look.number("height"),
        steps=look.number("steps"),
        guidance=closely,
        offering=look.field("base") or None,
    )


def _field(error: DomainError) -> str:
    """Which field of the form an error is about."""
    match error:
        case BadValue():
            return FIELDS.get(error.what, error.what)
        case OfferingClosed():
            return "base"
        case NotFound() | NoTrigger() | WrongFamily():
            return "text"
    return ""
