"""The edge: every error has a status, every answer its headers, and no log ever holds a link's secret."""

import asyncio
import re
from collections.abc import AsyncIterator
from inspect import signature
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from core.domain import errors
from core.domain.errors import DatabaseUnavailable, DomainError, PortTaken
from loraguild.composition import House
from tests.builders.attempts import awaited
from tests.builders.scenes import stored
from web.app import application, serve
from web.pages import STATIC
from web.problems import CATEGORIES, CLOSER, of

Client = TestClient[web.Request, web.Application]
LEAVES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, DomainError) and hasattr(kind, "code")
]


def test_every_category_of_the_tree_has_a_status() -> None:
    assert set(CATEGORIES) == set(DomainError.__subclasses__())
    assert sorted(CATEGORIES.values()) == [400, 403, 404, 409, 422, 503]
    assert set(CLOSER.values()) == {401, 410, 412, 413, 422, 429}


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_error_can_be_said(leaf: type[DomainError]) -> None:
    error = leaf(**{name: f"<{name}>" for name in signature(leaf).parameters})
    problem = of(error)

    assert (problem.code, problem.words) == (leaf.code, str(error))
    assert problem.status == CLOSER.get(leaf, CATEGORIES[leaf.__mro__[1]])


async def test_every_answer_carries_the_headers_that_keep_a_link_secret(
    house: House, client: Client, link: str, html: dict[str, Any]
) -> None:
    artifact = await stored(house, "a.png")
    down = house.services.downloads.link(artifact).removeprefix(house.services.downloads.address)
    answers = [
        await client.get(link, **html),
        await client.get(f"{link}/files"),
        await client.put(f"{link}/files/a", data=b"x"),
        await client.get(down),
        await client.get("/static/nothing"),
        await client.get("/healthz"),
        await client.get("/nothing", **html),
    ]

    shipped = await client.get("/static/page.css")

    assert shipped.headers["Cache-Control"] == "public, max-age=3600"
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
    for answer in (shipped, *answers):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Server"] == "LoraGuild"


async def test_the_log_says_what_was_done_and_never_by_which_link(client: Client, link: str) -> None:
    token = link.rsplit("/", 1)[1]
    with capture_logs() as lines:
        await client.get(link)
        await client.put(f"{link}/files/secret.zip", data=b"x")
        await client.put(f"{link}x/files/secret.zip", data=b"x")
        await client.post(f"{link}/confirm")
        await client.get(f"{link}/no/such/page?{token}")
        await client.get(f"/d/{token}")

    assert [(line["event"], line["method"], line["resource"], line["status"]) for line in lines] == [
        ("web.request", "GET", "/u/{token}", 200),
        ("web.request", "PUT", "/u/{token}/files/{name}", 201),
        ("web.request", "PUT", "/u/{token}/files/{name}", 403),
        ("web.request", "POST", "/u/{token}/confirm", 200),
        ("web.request", "GET", "unknown", 404),
        ("web.request", "GET", "/d/{token}", 403),
    ]
    assert not re.search(f"{token}|{token.split('.')[0]}|secret", repr(lines))


async def test_pages_that_are_not_there_are_said_in_words_and_for_programs(
    client: Client, html: dict[str, Any]
) -> None:
    page, program, method = [
        await client.get("/nothing", **html),
        await client.get("/nothing"),
        await client.post("/healthz"),
    ]

    assert (page.status, page.content_type) == (404, "text/html")
    assert "There is no such page." in await page.text()
    assert (program.status, program.content_type) == (404, "application/problem+json")
    assert await program.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such page.",
        "code": "http_404",
    }
    assert (method.status, (await method.json())["code"], method.headers["Allow"]) == (
        405,
        "http_405",
        "GET,HEAD",
    )


async def test_what_nobody_has_foreseen_gets_a_reference_into_the_log(house: House) -> None:
    async def broken(_: web.Request) -> web.Response:
        raise RuntimeError("a bug")

    async def away(_: web.Request) -> web.Response:
        raise DatabaseUnavailable(why="gone")

    app = application(services=house.services, blobs=house.blobs)
    app.router.add_get("/broken", broken)
    app.router.add_get("/away", away)
    async with TestClient(TestServer(app)) as client:
        with capture_logs() as lines:
            answer, unavailable = await client.get("/broken"), await client.get("/away")
            said = (await answer.json())["detail"]

    [broke] = [line for line in lines if line["event"] == "web.broke"]
    detail = f"Something broke; reference {broke['reference']}. The log says more."
    assert (answer.status, said) == (500, detail)
    assert (unavailable.status, unavailable.headers["Retry-After"]) == (503, "5")


async def test_the_server_listens_where_it_says_and_lets_requests_end_when_it_stops(
    house: House, link: str, capfd: pytest.CaptureFixture[str]
) -> None:
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    server = asyncio.create_task(
        serve(services=house.services, blobs=house.blobs, host="127.0.0.1", port=0, stop=stop, started=port.set_result)
    )
    address = f"http://127.0.0.1:{await port}"

    with pytest.raises(PortTaken, match="Set WEB_PORT to a free one"):
        await serve(services=house.services, blobs=house.blobs, host="127.0.0.1", port=await port, stop=stop)
    reader, writer = await asyncio.open_connection("127.0.0.1", await port)
    writer.write(f"GET {link}\x01 HTTP/1.1\r\n\r\n".encode())
    assert (await reader.read()).startswith(b"HTTP/1.0 400 Bad Request")
    writer.close()

    async def begun() -> bool:
        return bool((await house.services.uploads.view(link.rsplit("/", 1)[1])).upload.files)

    async def slow() -> AsyncIterator[bytes]:
        yield b"he"
        await awaited(begun)
        stop.set()
        await asyncio.sleep(0.05)
        yield b"re"

    async with ClientSession() as session:
        healthy = await session.get(f"{address}/healthz")
        late = await session.put(f"{address}{link}/files/a", data=slow(), headers={"Upload-Length": "4"})
        assert (await healthy.json(), late.status) == ({"status": "ok"}, 201)
    await server

    assert link.rsplit("/", 1)[1] not in "".join(capfd.readouterr())


def test_scripts_and_styles_ship_and_pages_hold_none_of_their_own() -> None:
    templates = [file.read_text(encoding="utf-8") for file in (STATIC.parent / "templates").rglob("*.html")]

    assert {file.suffix for file in STATIC.iterdir() if file.is_file()} == {".css", ".js", ".svg"}
    assert not any(re.search(r"<style|style=|<script>| on\w+=", text) for text in templates)
