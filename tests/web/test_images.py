"""Pictures in pages: shown as what they are, and nothing else is."""

from datetime import timedelta

import pytest
from aiohttp.test_utils import TestClient, TestServer

from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.scenes import stored
from tests.builders.visits import Client
from web.app import application
from web.limiting import LIMITER, Limiter


async def shown(house: House, name: str) -> str:
    """The path of a link to a picture of this name."""
    downloads = house.services.downloads
    return downloads.picture(await stored(house, name)).removeprefix(downloads.address)


async def test_a_picture_is_shown_and_can_be_nothing_else(house: House, client: Client) -> None:
    answer = await client.get(await shown(house, "zorp.png"))

    assert (answer.status, await answer.read()) == (200, b"zorp.png")
    names = ("Content-Type", "X-Content-Type-Options", "Content-Security-Policy", "Cache-Control")
    assert [answer.headers[name] for name in names] == [
        "image/png",
        "nosniff",
        "default-src 'none'; sandbox",
        "private, max-age=86400, immutable",
    ]


async def test_a_page_full_of_pictures_uses_nobodys_rate_up(house: House) -> None:
    app = application(services=house.services, blobs=house.blobs)
    app[LIMITER] = Limiter(rate=0.01, burst=1)
    path = await shown(house, "zorp.png")
    async with TestClient(TestServer(app)) as client:
        answers = [(await client.get(path)).status for _ in range(8)]

    assert answers == [200] * 8


@pytest.mark.parametrize("name", ["zorp.svg", "zorp.html", "zorp.txt", "zorp.gif", "zorp.safetensors"])
async def test_other_files_are_not_shown(house: House, client: Client, *, name: str) -> None:
    answer = await client.get(await shown(house, name))

    assert (answer.status, (await answer.json())["code"]) == (404, "not_found")


async def test_a_link_is_the_same_all_day_and_over_the_day_after_tomorrow(
    house: House, client: Client, clock: HandClock
) -> None:
    link = await shown(house, "zorp.png")
    clock.advance(timedelta(hours=11))
    later = await shown(house, "zorp.png")
    clock.advance(timedelta(hours=25))
    old = await client.get(link)

    assert later == link
    assert (old.status, (await old.json())["code"]) == (410, "link_expired")


async def test_a_link_of_one_kind_does_not_open_the_other(house: House, client: Client) -> None:
    artifact = await stored(house, "zorp.png")
    downloads = house.services.downloads
    links = [downloads.link(artifact).replace("/d/", "/i/"), downloads.picture(artifact).replace("/i/", "/d/")]
    answers = [await client.get(link.removeprefix(downloads.address)) for link in links]

    assert [(one.status, (await one.json())["code"]) for one in answers] == [(403, "bad_link")] * 2


async def test_a_picture_that_was_removed_is_gone(house: House, client: Client, database: Database) -> None:
    link = await shown(house, "zorp.png")
    await database["blobs"].delete_many({})
    answer = await client.get(link)

    assert answer.status == 410
