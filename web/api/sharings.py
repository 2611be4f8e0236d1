"""Sharings: who may use a dataset besides its owner."""

from core.domain.dataset import Access
from core.domain.errors import Ambiguous, NotThem
from web.api.datasets import WholeDatasetOut, whole
from web.api.models import ReaderOut, UserIn
from web.api.route import Body, Listed, route
from web.people import person
from web.visiting import Asked


class AccessIn(Body):
    """Who may use a dataset besides those whom it is shared with: nobody, who knows its id, or everyone."""

    access: Access


@route("PUT", "/datasets/{dataset}/access")
async def open_(asked: Asked, dataset: str, body: AccessIn) -> WholeDatasetOut:
    """Open a dataset for everyone, or keep it to yourself again."""
    return whole(asked, await asked.services.sharings.open(asked.actor, dataset, body.access))


@route("GET", "/datasets/{dataset}/readers")
async def readers(asked: Asked, dataset: str) -> Listed[ReaderOut]:
    """List whom a dataset of yours is shared with."""
    return await _readers(asked, dataset)


@route("POST", "/datasets/{dataset}/share", errors=(Ambiguous, NotThem))
async def share(asked: Asked, dataset: str, body: UserIn) -> Listed[ReaderOut]:
    """Let somebody look at a dataset of yours, review its captions and train on it."""
    await asked.services.sharings.share(asked.actor, dataset, await person(asked.services, body.user))
    return await _readers(asked, dataset)


@route("POST", "/datasets/{dataset}/unshare", errors=(Ambiguous,))
async def unshare(asked: Asked, dataset: str, body: UserIn) -> Listed[ReaderOut]:
    """Take a dataset of yours back from somebody."""
    await asked.services.sharings.unshare(asked.actor, dataset, await person(asked.services, body.user))
    return await _readers(asked, dataset)


async def _readers(asked: Asked, dataset: str) -> Listed[ReaderOut]:
    found = await asked.services.sharings.readers(asked.actor, dataset)
    return Listed[ReaderOut](items=tuple(ReaderOut(id=one.id, name=one.name) for one in found))
