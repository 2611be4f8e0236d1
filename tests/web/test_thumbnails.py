"""Where many pictures are shown they are small; a picture's own page has it as it is. Both to the same people alone."""

from collections.abc import Sequence

from core.domain.account import Actor
from core.domain.dataset import Access, Dataset
from core.domain.item import Item
from core.domain.rating import Rating
from loraguild.composition import House
from tests.builders.api import Api
from tests.builders.forms import read
from tests.builders.scenes import a_ready_dataset, somebody, stored
from tests.builders.visits import Client, bearing, entered

MANY = ("", "/captions", "/captions/rewrite?verb=append&words=waving", "/doctor/drop_exact")


async def opened(house: House, ann: Actor) -> tuple[Dataset, Sequence[Item]]:
    """A dataset for everyone: the first picture came in before there were thumbnails, and the last are copies."""
    dataset = await a_ready_dataset(house, ann, pictures=4)
    await house.services.sharings.open(ann, dataset.id, Access.PUBLIC)
    items = [
        item.but(thumbnail=await stored(house, f"thumbnail {item.position}.png") if item.position else None)
        for item in await house.store.items.of(dataset.id)
    ]
    items[3] = items[3].but(artifact=items[2].artifact)
    for item in items:
        await house.store.items.save(item)
    return await house.store.datasets.get(dataset.id), items


async def shown(house: House, client: Client, path: str) -> list[str]:
    """The names of the pictures on a page."""
    links = [link for link in (await read(client, path)).pictures if link.startswith("/i/")]
    return [house.services.downloads.shown(link.removeprefix("/i/")).name for link in links]


async def test_lists_show_thumbnails_and_the_page_of_a_picture_the_picture(
    house: House, client: Client, ann: Actor
) -> None:
    dataset, items = await opened(house, ann)
    await entered(house, client, ann)
    path = f"/datasets/{dataset.id}"
    small = [item.small.name for item in items]

    assert [await shown(house, client, path + many) for many in MANY] == [small, small, small, small[3:]]
    assert [await shown(house, client, f"{path}/captions/{item.id}") for item in items] == [
        [item.artifact.name] for item in items
    ]
    assert small == ["zorp 0.png", "thumbnail 1.png", "thumbnail 2.png", "thumbnail 3.png"]


async def test_a_thumbnail_is_shown_to_whom_the_picture_is(house: House, client: Client, ann: Actor) -> None:
    dataset, items = await opened(house, ann)
    bob = await somebody(house, "bob")
    api = Api(client, await bearing(house, bob))
    await house.services.consents.withdraw(ann, dataset.id, items[1], key="k")
    await entered(house, client, bob)
    path = f"/datasets/{dataset.id}"
    pages = (path, f"{path}/captions", f"{path}/captions/{items[1].id}")

    _, listed = await api.get(f"{path}/images")
    seen = [await shown(house, client, one) for one in pages]
    await house.store.datasets.save((await house.store.datasets.get(dataset.id)).but(rating=Rating.NSFW))
    refused, problem = await api.get(f"{path}/images")

    rest = [item.small.name for item in items if item != items[1]]
    links = [one["thumbnail"] and one["thumbnail"].rpartition("/")[2] for one in listed["items"]]
    assert [link and house.services.downloads.shown(link).name for link in links] == [rest[0], None, *rest[1:]]
    assert seen == [rest, rest, []]
    assert (refused, problem["code"]) == (422, "not_adult")
    assert [await shown(house, client, one) for one in pages] == [[], [], []]
