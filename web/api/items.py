"""What is in datasets: pictures with their captions, and the parts of conversations."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from core.domain.account import Role
from core.domain.conversation import PartFacts
from core.domain.dataset import Dataset
from core.domain.errors import NotAdult
from core.domain.item import Item
from web.api.datasets import visible
from web.api.jobs import FileOut, files
from web.api.route import MOST, Listed, Out, Query, route
from web.visiting import Asked


class ItemOut(Out):
    """A picture: its place from 1 on, its size in pixels, its caption in the set that is in use.

    `thumbnail` is where a page finds it small, or as it is where it is small itself. One whose consent was withdrawn
    has neither that nor a file, but for its owner and moderators.
    """

    fleeting: ClassVar[frozenset[str]] = frozenset({"file", "thumbnail"})
    id: str
    number: int
    width: int
    height: int
    caption: str | None
    version: int | None
    metadata: Mapping[str, str]
    withdrawn_at: datetime | None
    file: FileOut | None
    thumbnail: str | None


class PartOut(Out):
    """Some conversations that are stored together, as JSON Lines."""

    id: str
    number: int
    count: int
    facts: PartFacts
    file: FileOut


class Wanted(Query):
    """Which pictures: those after a number."""

    after: Annotated[int, Field(ge=0, le=1_000_000, description="`next` of the page before")] = 0
    limit: Annotated[int, Field(ge=1, le=MOST, description="How many at most")] = 25


@route("GET", "/datasets/{dataset}/images", errors=(NotAdult,))
async def list_(asked: Asked, dataset: str, query: Wanted) -> Listed[ItemOut]:
    """List the pictures of a dataset in order, with links to fetch them."""
    found = await visible(asked, dataset)
    items = await asked.services.items.list(asked.actor, dataset, after=query.after - 1, limit=query.limit + 1)
    shown = [item_out(asked, found, item) for item in items]
    return Listed[ItemOut].of(shown, limit=query.limit, name=lambda item: str(item.number))


@route("GET", "/datasets/{dataset}/images/{image}", errors=(NotAdult,))
async def view(asked: Asked, dataset: str, image: str) -> ItemOut:
    """Show one picture."""
    found = await visible(asked, dataset)
    return item_out(asked, found, await asked.services.items.view(asked.actor, dataset, image))


@route("DELETE", "/datasets/{dataset}/images/{image}")
async def delete(asked: Asked, dataset: str, image: str) -> None:
    """Take a picture out of a dataset for good; the doctor looks at the rest. One that is gone stays so."""
    await asked.services.purges.remove(asked.actor, dataset, [image], place=asked.place, key=asked.key)


@route("GET", "/datasets/{dataset}/parts", errors=(NotAdult,))
async def parts(asked: Asked, dataset: str) -> Listed[PartOut]:
    """List the parts that the conversations of a dataset are stored in, with links to fetch them."""
    await visible(asked, dataset)
    found, downloads = await asked.services.items.parts(asked.actor, dataset), asked.services.downloads
    return Listed(
        items=tuple(
            PartOut(
                id=part.id,
                number=part.position + 1,
                count=part.count,
                facts=part.facts,
                file=files([part.artifact], downloads)[0],
            )
            for part in found
        )
    )


def item_out(asked: Asked, dataset: Dataset, item: Item) -> ItemOut:
    """A picture as whoever may see its dataset is shown it."""
    caption, actor = dataset.caption_of(item), asked.actor
    mine = dataset.owner == actor.account or actor.role.covers(Role.MODERATOR)
    shown, downloads = mine or not item.withdrawn_at, asked.services.downloads
    return ItemOut(
        id=item.id,
        number=item.position + 1,
        width=item.width,
        height=item.height,
        caption=caption.text if caption else None,
        version=caption.version if caption else None,
        metadata=item.metadata,
        withdrawn_at=item.withdrawn_at,
        file=files([item.artifact], downloads)[0] if shown else None,
        thumbnail=downloads.picture(item.small) if shown else None,
    )
