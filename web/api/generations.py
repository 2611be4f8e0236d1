"""Generations: pictures from a prompt that calls models by trigger word or name, and what becomes of them."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, ClassVar

from pydantic import Field

from core.domain.errors import (
    BadValue,
    KeyReused,
    MinorsGuarded,
    NotAdult,
    NotEnoughPoints,
    NotFound,
    NotHere,
    NothingToDo,
    NoTrigger,
    OfferingClosed,
    PromptUnclear,
    QueueFull,
    WrongFamily,
)
from core.domain.generation import FEEDBACK_LENGTH, FULL, MOST_STARS, PROMPT_LENGTH, Generation
from core.domain.job import Failure, JobState
from core.domain.prompt import Step
from core.domain.rating import Rating
from core.domain.token import Scope
from core.services.generations import Ordered, Unclear, Wish
from web.api.jobs import FileOut, files
from web.api.route import Body, Listed, Out, Paging, route
from web.visiting import Asked

LONGEST = 200  # characters of an id
ORDERED = (NotFound, BadValue, NotHere, NotAdult, MinorsGuarded, OfferingClosed, NotEnoughPoints, QueueFull, KeyReused)


class AdapterOut(Out):
    """A model that draws along, and at how many percent."""

    model: str
    name: str
    percent: int


class GenerationOut(Out):
    """Pictures from a prompt: what was asked for, how it was understood, and what came of it.

    `prompt` is what of the text is drawn, `trace` why it called which models. The n-th picture has the seed `seed` + n.
    """

    fleeting: ClassVar[frozenset[str]] = frozenset({"pictures"})
    id: str
    text: str
    prompt: str
    negative: str
    offering: str
    adapters: tuple[AdapterOut, ...]
    trace: tuple[Step, ...]
    seed: int
    steps: int
    guidance: float
    width: int
    height: int
    count: int
    strength: int
    rating: Rating
    stars: int | None
    feedback: str
    pictures: tuple[FileOut, ...]
    created_at: datetime


class OrderedOut(GenerationOut):
    """A generation with how its job stands: `price` is set aside, and `due` is owed by now."""

    state: JobState
    failure: Failure | None
    price: int
    due: int


class PromptIn(Body):
    """What to draw; what is left out is as the offering has it.

    The prompt calls models by trigger word or by `owner/name`. `offering` names the base to draw on, where that is not
    the first model's.
    """

    text: Annotated[str, Field(min_length=1, max_length=PROMPT_LENGTH)]
    negative: Annotated[str, Field(max_length=PROMPT_LENGTH)] = ""
    count: Annotated[int, Field(ge=1, le=64)] = 1
    seed: Annotated[int | None, Field(ge=0, lt=2**32)] = None
    width: Annotated[int | None, Field(ge=1, le=2**16)] = None
    height: Annotated[int | None, Field(ge=1, le=2**16)] = None
    steps: Annotated[int | None, Field(ge=1, le=1000)] = None
    guidance: Annotated[float | None, Field(ge=0, le=1000)] = None
    offering: Annotated[str | None, Field(min_length=1, max_length=LONGEST)] = None


class VaryIn(Body):
    """Which picture to change (from 1 on), and by how many percent."""

    picture: Annotated[int, Field(ge=1, le=64)] = 1
    strength: Annotated[int, Field(ge=1, le=FULL)] = 50


class RateIn(Body):
    """What you think of it."""

    stars: Annotated[int, Field(ge=1, le=MOST_STARS)]
    words: Annotated[str, Field(max_length=FEEDBACK_LENGTH)] = ""


@route(
    "POST",
    "/generations",
    status=HTTPStatus.CREATED,
    scope=Scope.SPEND,
    idempotent=True,
    location="/generations/{id}",
    errors=(*ORDERED, NoTrigger, WrongFamily, PromptUnclear),
)
async def order(asked: Asked, body: PromptIn) -> OrderedOut:
    """Order pictures; the price is set aside at once, and paid by success.

    Where a word calls several models with equal right, nothing is ordered, and the problem's `errors` name them.
    """
    ordered = await asked.services.generations.order(asked.actor, Wish(**dict(body)), place=asked.place, key=asked.key)
    if isinstance(ordered, Unclear):
        names = [model.name for model in ordered.models]
        faults = tuple((ordered.said, name) for name in names)
        raise PromptUnclear(said=ordered.said, candidates=", ".join(names), faults=faults)
    return ordered_out(asked, ordered)


@route("GET", "/generations", errors=(NotFound,))
async def list_(asked: Asked, query: Paging) -> Listed[GenerationOut]:
    """List your pictures, newest first."""
    found = await asked.services.generations.list(asked.actor, after=query.after, limit=query.limit + 1)
    items = [generation_out(asked, made) for made in found]
    return Listed[GenerationOut].of(items, limit=query.limit, name=lambda one: one.id)


@route("GET", "/generations/{generation}")
async def view(asked: Asked, generation: str) -> OrderedOut:
    """Show pictures, and how their job stands."""
    return ordered_out(asked, await asked.services.generations.view(asked.actor, generation))


@route(
    "POST",
    "/generations/{generation}/again",
    status=HTTPStatus.CREATED,
    scope=Scope.SPEND,
    idempotent=True,
    location="/generations/{id}",
    errors=ORDERED,
)
async def again(asked: Asked, generation: str) -> OrderedOut:
    """Order the same again with a new seed, at the price of now."""
    ordered = await asked.services.generations.again(asked.actor, generation, place=asked.place, key=asked.key)
    return ordered_out(asked, ordered)


@route(
    "POST",
    "/generations/{generation}/vary",
    status=HTTPStatus.CREATED,
    scope=Scope.SPEND,
    idempotent=True,
    location="/generations/{id}",
    errors=(*ORDERED, NothingToDo),
)
async def vary(asked: Asked, generation: str, body: VaryIn) -> OrderedOut:
    """Order one of the pictures once more, changed."""
    ordered = await asked.services.generations.vary(
        asked.actor, generation, picture=body.picture, strength=body.strength, place=asked.place, key=asked.key
    )
    return ordered_out(asked, ordered)


@route("POST", "/generations/{generation}/rate", errors=(BadValue, NothingToDo))
async def rate(asked: Asked, generation: str, body: RateIn) -> GenerationOut:
    """Note what you think of your pictures; said again, that counts."""
    rated = await asked.services.generations.rate(asked.actor, generation, stars=body.stars, words=body.words)
    return generation_out(asked, rated)


@route("DELETE", "/generations/{generation}", status=HTTPStatus.NO_CONTENT, errors=(NothingToDo,))
async def delete(asked: Asked, generation: str) -> None:
    """Delete your pictures; what was paid for them stays in your receipts."""
    await asked.services.generations.delete(asked.actor, generation)


def generation_out(asked: Asked, made: Generation) -> GenerationOut:
    """A generation without its job."""
    adapters = (AdapterOut(model=one.model, name=one.name, percent=one.percent) for one in made.adapters)
    own = {name: getattr(made, name) for name in GenerationOut.model_fields if name not in {"adapters", "pictures"}}
    return GenerationOut(**own, adapters=tuple(adapters), pictures=files(made.pictures, asked.services.downloads))


def ordered_out(asked: Asked, ordered: Ordered) -> OrderedOut:
    """A generation with how its job stands."""
    job = ordered.job
    facts = {"state": job.state, "failure": job.failure, "price": job.price, "due": job.due}
    return OrderedOut(**dict(generation_out(asked, ordered.generation)), **facts)
