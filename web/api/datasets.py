"""Datasets: opened, listed, looked at, described, checked, deleted and brought back."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, ClassVar

from pydantic import Field

from core.domain.account import Role
from core.domain.dataset import Access, Dataset, Kind, Review, Scope, Status
from core.domain.errors import (
    BadTrigger,
    BadValue,
    CharacterInactive,
    CharacterNotAdult,
    DatasetEmpty,
    KeyReused,
    MinorsGuarded,
    NameTaken,
    NotAdult,
    NotAsSeen,
    QueueFull,
    RatingKept,
    Suspended,
)
from core.domain.finding import LineError, Statistics
from core.domain.rating import Rating
from web.api.jobs import FileOut, JobOut, files, job_out
from web.api.route import Body, Listed, Out, Paging, require_match, route
from web.visiting import Asked

UNFIT = (BadValue, NameTaken, MinorsGuarded, NotAdult, CharacterNotAdult)


class DatasetOut(Out):
    """A dataset as lists show it; `count` is how many pictures or conversations it holds."""

    id: str
    name: str
    mine: bool
    trigger: str
    kind: Kind | None
    status: Status
    rating: Rating
    access: Access
    description: str
    tags: tuple[str, ...]
    count: int
    bytes: int
    created_at: datetime
    updated_at: datetime
    validated_at: datetime | None
    deleted_at: datetime | None


class WholeDatasetOut(DatasetOut):
    """A dataset with what the doctor has counted and read.

    `errors` are the first of `error_count` lines that did not come in, `faults` are wrong in lines that did, `samples`
    the first conversations. `review` is that of a moderator, of a dataset for adults. `providers` are third parties
    that may see its pictures. `sheets` show them at a glance.
    """

    fleeting: ClassVar[frozenset[str]] = frozenset({"sheets"})
    character: str | None
    constraints: tuple[str, ...]
    sets: tuple[str, ...]
    default_set: str
    source_format: str
    source_name: str
    providers: tuple[str, ...]
    statistics: Statistics
    errors: tuple[LineError, ...]
    error_count: int
    faults: tuple[LineError, ...]
    samples: tuple[str, ...]
    review: Review | None
    attested_at: datetime | None
    revoked_at: datetime | None
    suspended: bool
    sheets: tuple[FileOut, ...]


class DatasetsOut(Listed[DatasetOut]):
    """A page of datasets, and how many there are on all pages."""

    total: int


class StorageOut(Out):
    """How much you may store, and how much you do; what lies in the bin, or was announced, counts too."""

    bytes: int
    items: int
    used_bytes: int
    used_items: int


class Wanted(Paging):
    """Which datasets: by page number, or from after a name on."""

    page: Annotated[int, Field(ge=1, le=10_000)] = 1
    status: Status | None = None
    search: Annotated[str, Field(max_length=100, description="A part of the name")] = ""
    tag: Annotated[str | None, Field(max_length=100)] = None
    scope: Scope = Scope.MINE


class NewDatasetIn(Body):
    """A new dataset: what it is called, and the word that will call the model."""

    name: str
    trigger: str
    rating: Rating = Rating.SFW


class DatasetIn(Body):
    """What is to be otherwise; what is left out, or null, stays as it is."""

    name: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    constraints: tuple[str, ...] | None = Field(default=None, description="What every caption shall say")
    rating: Rating | None = None


@route("GET", "/datasets")
async def list_(asked: Asked, query: Wanted) -> DatasetsOut:
    """List datasets: yours, those shared with you, those for everyone, or your bin.

    Yours and those shared with you come by name, the others the latest first. Turn pages by number, or go on after
    the name in `next`, which your own have.
    """
    narrowed: dict[str, Any] = {"scope": query.scope, "text": query.search, "status": query.status, "tag": query.tag}
    datasets, adult = asked.services.datasets, asked.actor.adult
    first = (query.page - 1) * query.limit
    found = await datasets.list(
        asked.actor, **narrowed, adult=adult, after=query.after, skip=first, limit=query.limit + 1
    )
    is_more = query.scope is Scope.MINE and len(found) > query.limit
    page = found[: query.limit]
    is_last = not query.after and 0 < len(found) <= query.limit
    return DatasetsOut(
        items=tuple(dataset_out(asked, one) for one in page),
        next=page[-1].name if is_more else None,
        total=first + len(found) if is_last else await datasets.count(asked.actor, **narrowed, adult=adult),
    )


@route(
    "POST",
    "/datasets",
    status=HTTPStatus.CREATED,
    idempotent=True,
    location="/datasets/{id}",
    errors=(*UNFIT, BadTrigger, CharacterInactive),
)
async def create(asked: Asked, body: NewDatasetIn) -> WholeDatasetOut:
    """Open a dataset for pictures of one subject, or for conversations: the first files decide."""
    made = asked.services.datasets.create(asked.actor, name=body.name, trigger=body.trigger, rating=body.rating)
    return whole(asked, await made)


@route("GET", "/datasets/{dataset}", errors=(NotAdult,))
async def view(asked: Asked, dataset: str) -> WholeDatasetOut:
    """Show a dataset, with the statistics and the errors that the doctor has found."""
    return whole(asked, await visible(asked, dataset))


@route("PATCH", "/datasets/{dataset}", errors=(*UNFIT, RatingKept, NotAsSeen))
async def edit(asked: Asked, dataset: str, body: DatasetIn) -> WholeDatasetOut:
    """Call, describe or rate a dataset otherwise; with `If-Match`, only as it was when you fetched it."""
    edited = await asked.services.datasets.edit(
        asked.actor, dataset, **dict(body), expecting=lambda found: require_match(asked, whole(asked, found))
    )
    return whole(asked, edited)


@route("DELETE", "/datasets/{dataset}")
async def delete(asked: Asked, dataset: str) -> None:
    """Put a dataset into your bin; trainings that were ordered go on."""
    await asked.services.datasets.delete(asked.actor, await asked.services.datasets.seen(asked.actor, dataset))


@route("POST", "/datasets/{dataset}/restore")
async def restore(asked: Asked, dataset: str) -> WholeDatasetOut:
    """Take a dataset out of your bin; where another has its name by now, it gets a number."""
    return whole(asked, await asked.services.purges.restore(asked.actor, dataset))


@route("POST", "/datasets/{dataset}/purge", errors=(Suspended,))
async def purge(asked: Asked, dataset: str) -> None:
    """Let go of a dataset in your bin for good, which makes room; it cannot be brought back."""
    await asked.services.purges.purge(asked.actor, dataset)


@route(
    "POST",
    "/datasets/{dataset}/validate",
    status=HTTPStatus.ACCEPTED,
    idempotent=True,
    location="/jobs/{id}",
    errors=(DatasetEmpty, KeyReused, QueueFull),
)
async def validate(asked: Asked, dataset: str) -> JobOut:
    """Let the doctor read everything again."""
    found = await asked.services.datasets.seen(asked.actor, dataset)
    return job_out(await asked.services.datasets.check(asked.actor, found, place=asked.place, key=asked.key))


@route("GET", "/storage")
async def storage(asked: Asked) -> StorageOut:
    """Show how much you may store, and how much you do."""
    used, quota = await asked.services.datasets.usage(asked.actor), asked.services.datasets.quota
    return StorageOut(bytes=quota.bytes, items=quota.items, used_bytes=used.bytes, used_items=used.items)


async def visible(asked: Asked, dataset: str) -> Dataset:
    """A dataset, for whoever may look at what is in it.

    Raises:
        NotFound: There is no such dataset for whoever asks.
        NotAdult: It is somebody else's, for adults, and no moderator has verified whoever asks.
    """
    found = await asked.services.datasets.seen(asked.actor, dataset)
    if not (found.owner == asked.actor.account or asked.actor.role.covers(Role.MODERATOR)):
        asked.actor.require_adult(found.rating)
    return found


def dataset_out(asked: Asked, dataset: Dataset) -> DatasetOut:
    """A dataset in a list."""
    own = {name: getattr(dataset, name) for name in DatasetOut.model_fields if name != "mine"}
    return DatasetOut(**own, mine=dataset.owner == asked.actor.account)


def whole(asked: Asked, dataset: Dataset) -> WholeDatasetOut:
    """A dataset by itself; whom its owner trusts with the pictures is nobody else's business."""
    mine = dataset.owner == asked.actor.account
    same = WholeDatasetOut.model_fields.keys() & Dataset.model_fields.keys()
    own = {name: getattr(dataset, name) for name in same}
    given = dataset.attestation
    more = {
        "mine": mine,
        "providers": dataset.providers if mine else (),
        "review": dataset.review if dataset.rating is Rating.NSFW else None,
        "attested_at": given.at if given else None,
        "suspended": dataset.suspended is not None,
        "sheets": files(dataset.sheets, asked.services.downloads),
    }
    return WholeDatasetOut(**(own | more))
