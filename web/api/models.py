"""Models: one's own, those that are shared with one, and those for everyone."""

from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, ClassVar

from pydantic import Field

from core.domain.account import Role
from core.domain.errors import (
    Ambiguous,
    BadValue,
    MinorsGuarded,
    NameTaken,
    NotAdult,
    NotAsSeen,
    NotThem,
)
from core.domain.model import (
    DESCRIPTION_LENGTH,
    NAME_LENGTH,
    TAGS,
    Licence,
    Model,
    Scope,
    Search,
    Visibility,
)
from core.domain.rating import Rating
from web.api.jobs import FileOut, files
from web.api.route import MOST, Body, Listed, Out, Query, require_match, route
from web.people import person
from web.visiting import Asked

DEEPEST = 10_000  # models into a list
WORD = 100  # characters


class ModelOut(Out):
    """A model: who made it, what calls it, who may use it, how it presents itself.

    `standing` is who may use it, or why nobody may. `run` is its training, told to its owner only.
    """

    fleeting: ClassVar[frozenset[str]] = frozenset({"thumbnail", "downloads"})
    id: str
    name: str
    owner: str
    slug: str
    names: tuple[str, ...]
    mine: bool
    trigger: str
    family: str
    base: str
    offering: str
    run: str | None
    step: int | None
    file: str
    size: int
    weights: str | None
    rating: Rating
    visibility: Visibility
    standing: str
    description: str
    licence: Licence
    tags: tuple[str, ...]
    downloads: int
    thumbnail: str | None
    created_at: datetime
    published_at: datetime | None


class ModelDetailsOut(ModelOut):
    """A model from close by: how often others have used it, and who keeps its trigger word instead, if anybody does."""

    fleeting: ClassVar[frozenset[str]] = frozenset({"thumbnail", "downloads", "uses", "keeper", "pictures"})
    uses: int
    keeper: str | None
    pictures: tuple[FileOut, ...]


class StatsOut(Out):
    """How often others have used a model, and how many of them; `earned` is in hundredths of a qoint, for its owner."""

    uses: int
    people: int
    run_uses: int
    earned: int | None


class ReaderOut(Out):
    """Somebody whom a model is shared with."""

    id: str
    name: str


class Wanted(Query):
    """Which models; `adult` also shows those of others that are for adults, to whoever is verified."""

    scope: Scope | None = None
    base: Annotated[str, Field(max_length=WORD)] = ""
    tag: Annotated[str, Field(max_length=WORD)] = ""
    search: Annotated[str, Field(max_length=WORD)] = ""
    adult: bool = False
    after: Annotated[str, Field(pattern=r"^[0-9]{0,4}$", description="`next` of the page before")] = ""
    limit: Annotated[int, Field(ge=1, le=MOST, description="How many at most")] = 25


class EditIn(Body):
    """What is to be changed; what is left out stays."""

    description: Annotated[str | None, Field(max_length=DESCRIPTION_LENGTH)] = None
    licence: Licence | None = None
    tags: Annotated[tuple[Annotated[str, Field(max_length=WORD)], ...] | None, Field(max_length=TAGS)] = None


class NameIn(Body):
    """What to call it; its old names stay its own, and lead to it."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]


class UserIn(Body):
    """Somebody, by an id, a login such as `discord:1234`, or a name."""

    user: Annotated[str, Field(min_length=1, max_length=WORD)]


@route("GET", "/models")
async def list_(asked: Asked, query: Wanted) -> Listed[ModelOut]:
    """List models, the latest first: yours, those that are shared with you, those for everyone.

    `after` is a position: where models come or go meanwhile, one may be told twice or not at all.
    """
    search = Search(
        scope=query.scope,
        base=query.base or None,
        tag=query.tag or None,
        text=query.search,
        adult=query.adult and asked.actor.adult,
    )
    skip = int(query.after or 0)
    found = await asked.services.models.list(asked.actor, search, skip=skip, limit=query.limit + 1)
    further = str(skip + query.limit) if len(found) > query.limit and skip + query.limit < DEEPEST else None
    return Listed[ModelOut](items=tuple(model_out(asked, one) for one in found[: query.limit]), next=further)


@route("GET", "/models/{model}", errors=(NotAdult,))
async def view(asked: Asked, model: str) -> ModelDetailsOut:
    """Show a model."""
    return await shown(asked, model)


@route("PATCH", "/models/{model}", errors=(BadValue, MinorsGuarded, NotAsSeen))
async def edit(asked: Asked, model: str, body: EditIn) -> ModelDetailsOut:
    """Change how a model of yours presents itself; `If-Match` refuses that where it has changed since you looked."""
    await asked.services.models.edit(asked.actor, model, **dict(body), expecting=_expecting(asked))
    return await shown(asked, model)


@route("DELETE", "/models/{model}", status=HTTPStatus.NO_CONTENT, errors=(NotAsSeen,))
async def delete(asked: Asked, model: str) -> None:
    """Delete a model of yours; pictures that were ordered are still drawn, what it earned stays."""
    await asked.services.models.delete(asked.actor, model, expecting=_expecting(asked))


@route("POST", "/models/{model}/rename", errors=(BadValue, MinorsGuarded, NameTaken, NotAsSeen))
async def rename(asked: Asked, model: str, body: NameIn) -> ModelDetailsOut:
    """Call a model of yours otherwise."""
    await asked.services.models.rename(asked.actor, model, body.name, expecting=_expecting(asked))
    return await shown(asked, model)


@route("GET", "/models/{model}/readers")
async def readers(asked: Asked, model: str) -> Listed[ReaderOut]:
    """List whom a model of yours is shared with."""
    return await _readers(asked, model)


@route("POST", "/models/{model}/share", errors=(Ambiguous, NotThem))
async def share(asked: Asked, model: str, body: UserIn) -> Listed[ReaderOut]:
    """Let somebody use a model of yours."""
    await asked.services.models.share(asked.actor, model, await person(asked.services, body.user))
    return await _readers(asked, model)


@route("POST", "/models/{model}/unshare", errors=(Ambiguous,))
async def unshare(asked: Asked, model: str, body: UserIn) -> Listed[ReaderOut]:
    """Take a model of yours back from somebody."""
    await asked.services.models.unshare(asked.actor, model, await person(asked.services, body.user))
    return await _readers(asked, model)


@route("GET", "/models/{model}/stats")
async def stats(asked: Asked, model: str) -> StatsOut:
    """Show how much a model is used, and to its owner what it has earned."""
    found = await asked.services.models.stats(asked.actor, model)
    return StatsOut(uses=found.uses, people=found.people, run_uses=found.run_uses, earned=found.earned)


def model_out(asked: Asked, model: Model) -> ModelOut:
    """A model as the actor is shown it."""
    return ModelOut(**_facts(asked, model))


def _facts(asked: Asked, model: Model) -> Mapping[str, object]:
    mine = model.owner == asked.actor.account
    told = {
        "owner": model.owner_name,
        "mine": mine,
        "names": model.names if mine else (model.slug,),
        "run": model.run if mine else None,
        "file": model.file.name,
        "size": model.artifact.size,
        "thumbnail": asked.services.downloads.picture(model.thumbnail) if model.thumbnail else None,
    }
    return {name: getattr(model, name) for name in ModelOut.model_fields if name not in told} | told


async def shown(asked: Asked, model: str) -> ModelDetailsOut:
    """A model from close by, for whoever may look at what it shows.

    Raises:
        NotFound: There is no such model for this actor.
        NotAdult: It is somebody else's, for adults, and no moderator has verified whoever asks.
    """
    seen = await asked.services.models.view(asked.actor, model)
    require_fit(asked, seen.model)
    return _details(asked, seen.model, uses=seen.uses, keeper=seen.keeper.name if seen.keeper else None)


def require_fit(asked: Asked, model: Model) -> None:
    """Let a model be shown to its owner, to moderators, and where it is for adults to them.

    Raises:
        NotAdult: It is for adults, and no moderator has verified whoever asks.
    """
    if not (model.owner == asked.actor.account or asked.actor.role.covers(Role.MODERATOR)):
        asked.actor.require_adult(model.rating)


def _details(asked: Asked, model: Model, *, uses: int = 0, keeper: str | None = None) -> ModelDetailsOut:
    pictures = files(model.samples, asked.services.downloads)
    return ModelDetailsOut(**_facts(asked, model), uses=uses, keeper=keeper, pictures=pictures)


def _expecting(asked: Asked) -> Callable[[Model], None]:
    return lambda found: require_match(asked, _details(asked, found))


async def _readers(asked: Asked, model: str) -> Listed[ReaderOut]:
    found = await asked.services.models.readers(asked.actor, model)
    return Listed[ReaderOut](items=tuple(ReaderOut(id=one.id, name=one.name) for one in found))
