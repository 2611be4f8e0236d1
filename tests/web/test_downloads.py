"""Downloads over real sockets: whole, in part, resumed, gone."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from core.ports.clock import HandClock
from loraguild.composition import House
from storage.blobs import CHUNK
from storage.repositories.entities import Database
from tests.builders.scenes import stored

Client = TestClient[web.Request, web.Application]
CONTENT = bytes(number % 251 for number in range(2 * CHUNK + 100))
SIZE = len(CONTENT)


@pytest.fixture
async def link(house: House) -> str:
    """The path of a download link."""
    artifact = await stored(house, 'zorp – "é".safetensors', CONTENT)
    return house.services.downloads.link(artifact).removeprefix(house.services.downloads.address)


@pytest.fixture
async def tag(house: House) -> str:
    return f'"{(await stored(house, "x", CONTENT)).sha256}"'


async def test_a_file_comes_whole_as_an_attachment(client: Client, link: str, tag: str) -> None:
    answer = await client.get(link)

    assert (answer.status, await answer.read()) == (200, CONTENT)
    names = ("Content-Length", "Content-Type", "Accept-Ranges", "ETag", "Content-Disposition", "X-Content-Type-Options")
    assert [answer.headers[name] for name in names] == [
        str(SIZE),
        "application/octet-stream",
        "bytes",
        tag,
        "attachment; filename=\"zorp _ ___.safetensors\"; filename*=UTF-8''zorp%20%E2%80%93%20%22%C3%A9%22.safetensors",
        "nosniff",
    ]


async def test_a_head_says_the_same_without_the_bytes(client: Client, link: str, tag: str) -> None:
    answer = await client.head(link)

    assert (answer.status, answer.headers["Content-Length"], answer.headers["ETag"]) == (200, str(SIZE), tag)
    assert await answer.read() == b""


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        (f"bytes={CHUNK - 1}-{CHUNK}", CHUNK - 1, CHUNK + 1),
        (f"bytes={2 * CHUNK}-", 2 * CHUNK, SIZE),
        ("bytes=0-", 0, SIZE),
        ("bytes=-7", SIZE - 7, SIZE),
        (f"bytes=10-{SIZE * 2}", 10, SIZE),
    ],
)
async def test_a_part_comes_as_it_is_asked_for(
    client: Client, link: str, *, wanted: str, start: int, stop: int
) -> None:
    answer = await client.get(link, headers={"Range": wanted})

    assert (answer.status, answer.headers["Content-Range"]) == (206, f"bytes {start}-{stop - 1}/{SIZE}")
    assert await answer.read() == CONTENT[start:stop]


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}"])
async def test_what_lies_behind_the_end_cannot_be_served(client: Client, link: str, *, wanted: str) -> None:
    answer = await client.get(link, headers={"Range": wanted})

    assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{SIZE}")
    assert (await answer.json())["code"] == "http_416"


@pytest.mark.parametrize(
    "headers",
    [
        {"Range": "bytes=0-1,5-9"},
        {"Range": "lines=1-2"},
        {"Range": "bytes=9-5"},
        {"Range": "bytes=5-9", "If-Range": '"another"'},
    ],
)
async def test_other_ranges_are_answered_with_the_whole(
    client: Client, link: str, *, headers: Mapping[str, str]
) -> None:
    answer = await client.get(link, headers=headers)

    assert (answer.status, await answer.read()) == (200, CONTENT)


async def test_a_download_of_the_same_file_goes_on(client: Client, link: str, tag: str) -> None:
    answer = await client.get(link, headers={"Range": "bytes=100-", "If-Range": tag})

    assert (answer.status, await answer.read()) == (206, CONTENT[100:])


async def test_a_tampered_link_is_forbidden_and_an_old_one_gone(
    client: Client, link: str, clock: HandClock, html: dict[str, Any]
) -> None:
    tampered = await client.get(f"{link}x")
    clock.advance(timedelta(days=7))
    old = await client.get(link, **html)

    assert (tampered.status, (await tampered.json())["code"]) == (403, "bad_link")
    assert (old.status, old.content_type) == (410, "text/html")
    assert "This link is over." in await old.text()


async def test_a_file_that_was_removed_is_gone(client: Client, link: str, database: Database) -> None:
    await database["blobs"].delete_many({})
    answer = await client.get(link)

    assert (answer.status, (await answer.json())["code"]) == (410, "link_expired")


async def test_a_file_that_breaks_off_ends_too_early_and_not_with_other_words(
    client: Client, link: str, database: Database
) -> None:
    await database["files.chunks"].delete_many({"n": {"$gt": 0}})
    answer = await client.get(link)

    with pytest.raises(Exception, match="payload"):
        await answer.read()
