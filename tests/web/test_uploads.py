"""The upload page and the raw PUT over real sockets: every status, resuming, and what a broken line leaves."""

import asyncio
import base64
import hashlib
import tracemalloc
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from core.domain.account import Actor
from core.domain.dataset import Dataset
from core.domain.upload import FIRST_BYTE, LIMIT
from core.kinds.intake import Payload
from core.ports.clock import HandClock
from core.services import uploads as module
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.attempts import awaited
from tests.builders.entities import HOME
from tests.builders.scenes import a_ready_dataset, somebody
from web import bodies
from web.bodies import AT_A_TIME, SHARE, SLOTS
from web.visiting import UNDERWAY

Client = TestClient[web.Request, web.Application]
CONTENT = bytes(range(256)) * 100


async def files(client: Client, link: str) -> list[tuple[str, int, int]]:
    body = await (await client.get(f"{link}/files")).json()
    return [(file["name"], file["size"], file["offset"]) for file in body["files"]]


async def idle(client: Client) -> bool:
    """Whether no request is under way."""
    return not client.app[UNDERWAY]


async def test_a_plain_put_and_a_post_are_all_it_takes(house: House, client: Client, link: str) -> None:
    put = await client.put(f"{link}/files/a%20b%2B%C3%A9.zip", data=CONTENT)
    done = await client.post(f"{link}/confirm")
    again = await client.post(f"{link}/confirm")

    assert (put.status, put.headers["Upload-Offset"]) == (201, str(len(CONTENT)))
    assert await put.json() == {"name": "a b+é.zip", "size": len(CONTENT), "offset": len(CONTENT)}
    answer = await done.json()
    assert (done.status, answer["title"], answer["state"]) == (200, "<b>zorp</b> & «co» · 1 file coming in", "queued")
    assert await again.json() == answer
    [file] = Payload.model_validate((await house.store.jobs.get(answer["job"])).payload).files
    assert (file.name, file.sha256) == ("a b+é.zip", hashlib.sha256(CONTENT).hexdigest())


async def test_a_file_comes_in_pieces_each_where_the_last_one_ended(client: Client, link: str) -> None:
    path, half = f"{link}/files/a.zip", len(CONTENT) // 2
    length = {"Upload-Length": str(len(CONTENT))}

    unknown = await client.head(path)
    first = await client.put(path, data=CONTENT[:half], headers=length)
    head = await client.head(path)
    wrong = await client.put(path, data=CONTENT, headers=length)
    second = await client.put(path, data=CONTENT[half:], headers={"Upload-Offset": str(half)})

    assert [answer.status for answer in (unknown, first, head, wrong, second)] == [404, 200, 200, 409, 201]
    assert [answer.headers["Upload-Offset"] for answer in (first, head, wrong)] == [str(half)] * 3
    assert (head.headers["Upload-Length"], await wrong.json()) == (
        str(len(CONTENT)),
        {
            "type": "about:blank",
            "title": "Conflict",
            "status": 409,
            "detail": f"The file has {half} bytes here. Go on from there.",
            "code": "wrong_offset",
        },
    )
    assert await files(client, link) == [("a.zip", len(CONTENT), len(CONTENT))]


async def test_a_stream_of_unknown_length_says_its_length_in_a_header(client: Client, link: str) -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield CONTENT[:1000]
        yield CONTENT[1000:]

    without = await client.put(f"{link}/files/a.zip", data=stream())
    given = await client.put(f"{link}/files/a.zip", data=stream(), headers={"Upload-Length": str(len(CONTENT))})

    assert (without.status, (await without.json())["detail"]) == (
        400,
        "«a.zip» is not a valid upload: say how many bytes it has: `Upload-Length: BYTES`.",
    )
    assert given.status == 201


@pytest.mark.parametrize("broken", ["connection", "silence"])
async def test_what_a_broken_line_has_not_brought_whole_is_dropped(
    house: House, client: Client, link: str, database: Database, monkeypatch: pytest.MonkeyPatch, *, broken: str
) -> None:
    monkeypatch.setattr(module, "PIECE", 5000)
    reader, writer = await asyncio.open_connection(client.host, client.port)
    head = f"PUT {link}/files/a.zip HTTP/1.1\r\nHost: x\r\nContent-Length: {len(CONTENT)}\r\n\r\n"
    if broken == "connection":
        writer.write(head.encode() + CONTENT[:12_500])
        await awaited(lambda: files(client, link))
        writer.transport.abort()
    else:
        with monkeypatch.context() as hasty:
            hasty.setattr(bodies, "IDLE", 0.1)
            writer.write(head.encode() + CONTENT[:12_500])
            assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
        writer.close()
    await awaited(lambda: idle(client))

    async def told() -> bool:  # a commit that was on its way when the line broke comes to its end by itself
        [(_, _, offset)] = await files(client, link)
        return offset % 5000 == 0 and await database["blobs"].count_documents({"references": 1}) == offset // 5000

    await awaited(told)
    [(_, _, offset)] = await files(client, link)
    rest = await client.put(f"{link}/files/a.zip", data=CONTENT[offset:], headers={"Upload-Offset": str(offset)})
    job = await (await client.post(f"{link}/confirm")).json()
    [file] = Payload.model_validate((await house.store.jobs.get(job["job"])).payload).files
    assert (rest.status, file.sha256) == (201, hashlib.sha256(CONTENT).hexdigest())


@pytest.mark.parametrize("written", [hashlib.sha256(CONTENT).hexdigest(), "base64"])
async def test_a_hash_is_checked_at_the_end(client: Client, link: str, *, written: str) -> None:
    digest = hashlib.sha256(CONTENT).digest()
    text = base64.b64encode(digest).decode() if written == "base64" else written
    headers = {"Upload-Checksum": f"sha256 {text}"}

    await client.put(f"{link}/files/good.zip", data=CONTENT, headers=headers)
    await client.put(f"{link}/files/bad.zip", data=CONTENT[::-1], headers=headers)
    refused = await client.post(f"{link}/confirm")

    assert (refused.status, (await refused.json())["code"]) == (400, "wrong_hash")
    assert await files(client, link) == [("good.zip", 25600, 25600), ("bad.zip", 25600, 0)]


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"Upload-Offset": "-1"}, "Upload-Offset"),
        ({"Upload-Offset": "x"}, "Upload-Offset"),
        ({"Upload-Length": "9" * 16}, "Upload-Length"),
        ({"Upload-Length": "²"}, "Upload-Length"),
        ({"Upload-Checksum": "md5 00"}, "Upload-Checksum"),
        ({"Upload-Checksum": "sha256 00"}, "Upload-Checksum"),
        ({"Upload-Checksum": "sha256 " + "x" * 64}, "Upload-Checksum"),
        ({"Upload-Checksum": "sha256"}, "Upload-Checksum"),
    ],
)
async def test_headers_that_make_no_sense_are_named(
    client: Client, link: str, *, headers: dict[str, str], named: str
) -> None:
    answer = await client.put(f"{link}/files/a.zip", data=b"x", headers=headers)
    body = await answer.json()

    assert (answer.status, body["code"]) == (400, "bad_value")
    assert f"is not a valid {named}: " in body["detail"]
    assert await files(client, link) == []


@pytest.mark.parametrize("name", ["a%2Fb", "%00", "a%0Ab", "%20", "x" * 201, "%5C"])
async def test_names_that_cannot_be_kept_are_refused(client: Client, link: str, *, name: str) -> None:
    answer = await client.put(f"{link}/files/{name}", data=b"x")

    assert (answer.status, (await answer.json())["code"]) == (400, "bad_value")


async def test_what_is_too_large_is_refused_before_it_is_sent(client: Client, link: str) -> None:
    alone = await client.put(f"{link}/files/a.zip", data=b"x", headers={"Upload-Length": str(LIMIT + 1)})
    first = await client.put(f"{link}/files/b.zip", data=b"x", headers={"Upload-Length": str(LIMIT)})
    together = await client.put(f"{link}/files/c.zip", data=b"x")

    codes = [(answer.status, (await answer.json()).get("code")) for answer in (alone, first, together)]
    assert codes == [(413, "file_too_large"), (200, None), (413, "upload_full")]


async def test_what_its_owner_has_no_room_for_is_refused_before_it_is_sent(
    house: House, client: Client, dataset: Dataset, link: str
) -> None:
    full = house.settings.quota_mb * 2**20
    await house.store.datasets.save((await house.store.datasets.get(dataset.id)).but(bytes=full - 5))
    over = await client.put(f"{link}/files/a.zip", data=b"123456")
    fits = await client.put(f"{link}/files/b.zip", data=b"12345")

    codes = [(answer.status, (await answer.json()).get("code")) for answer in (over, fits)]
    assert codes == [(422, "quota_full"), (201, None)]


async def test_a_file_can_be_let_go(client: Client, link: str) -> None:
    await client.put(f"{link}/files/a.zip", data=CONTENT)
    gone = await client.delete(f"{link}/files/a.zip")

    assert (gone.status, await files(client, link)) == (204, [])


async def test_a_tampered_link_is_forbidden_and_an_old_one_gone(client: Client, link: str, clock: HandClock) -> None:
    async def codes(path: str) -> set[tuple[int, str]]:
        answers = [
            await client.get(path),
            await client.get(f"{path}/files"),
            await client.put(f"{path}/files/a", data=b"x"),
            await client.delete(f"{path}/files/a"),
            await client.post(f"{path}/confirm"),
        ]
        return {(answer.status, (await answer.json())["code"]) for answer in answers}

    assert await codes(f"{link}x") == {(403, "bad_link")}
    clock.advance(FIRST_BYTE + timedelta(seconds=1))
    assert await codes(link) == {(410, "upload_closed")}


async def test_the_page_escapes_what_people_called_things_and_shows_the_commands(
    client: Client, link: str, html: dict[str, Any]
) -> None:
    answer = await client.get(link, **html)
    text = await answer.text()

    assert (answer.status, answer.content_type) == (200, "text/html")
    assert "&lt;b&gt;zorp&lt;/b&gt; &amp; «co»" in text
    assert "<b>" not in text
    assert f"link='http://127.0.0.1:8642{link}'" in text
    assert 'curl -T zorp.zip "$link/files/"' in text
    assert 'curl -X POST "$link/confirm"' in text
    assert "<script>" not in text
    assert " style=" not in text


async def test_the_page_says_when_everything_was_received(client: Client, link: str, html: dict[str, Any]) -> None:
    await client.put(f"{link}/files/a.zip", data=CONTENT)
    await client.post(f"{link}/confirm")
    page = await (await client.get(link, **html)).text()
    state = await (await client.get(f"{link}/files")).json()

    assert "<h1>Received: 1 file</h1>" in page
    assert "The bot tells you in the chat what became of each." in page
    assert state["state"] == "confirmed"


async def test_a_link_whose_dataset_is_gone_says_so_on_a_page(
    house: House, client: Client, dataset: Dataset, link: str, html: dict[str, Any]
) -> None:
    await house.services.datasets.delete(await somebody(house), dataset)
    answer = await client.get(link, **html)

    assert (answer.status, answer.content_type) == (404, "text/html")
    assert "There is no dataset «&lt;b&gt;zorp&lt;/b&gt; &amp; «co»»" in await answer.text()


async def test_everybody_has_a_share_of_what_goes_at_a_time_and_the_others_are_told_to_come_back(
    house: House, client: Client, ann: Actor, link: str
) -> None:
    bob, stuck = await somebody(house, "bob"), asyncio.Event()
    opened = await house.services.uploads.open(bob, await a_ready_dataset(house, bob), place=HOME)
    bobs = opened.removeprefix(house.services.uploads.address)

    async def stalled() -> AsyncIterator[bytes]:
        yield CONTENT
        await stuck.wait()

    async def sending(path: str) -> None:
        await client.put(path, data=stalled(), headers={"Upload-Length": str(len(CONTENT))})

    async def full() -> bool:
        return client.app[SLOTS] == SHARE * [ann.account]

    async def said(path: str) -> tuple[int, str | None, str | None]:
        answer = await client.put(path, data=CONTENT)
        return answer.status, answer.headers.get("Retry-After"), (await answer.json()).get("code")

    async with asyncio.TaskGroup() as tasks:
        for number in range(SHARE):
            tasks.create_task(sending(f"{link}/files/{number}.zip"))
        await awaited(full)
        answers = [await said(f"{link}/files/a.zip"), await said(f"{bobs}/files/a.zip")]
        client.app[SLOTS].extend(map(str, range(AT_A_TIME - SHARE)))
        answers.append(await said(f"{bobs}/files/b.zip"))
        stuck.set()

    busy = (503, "5", "uploads_busy")
    assert answers == [busy, (201, None, None), busy]
    assert len(client.app[SLOTS]) == AT_A_TIME - SHARE


async def test_memory_stays_flat_while_much_comes_in(client: Client, link: str) -> None:
    """64 MB of the same zeros, which the database keeps once: only what the server holds of them would add up."""
    megabyte, count = bytes(2**20), 64

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield megabyte

    tracemalloc.start()
    answer = await client.put(f"{link}/files/a.zip", data=stream(), headers={"Upload-Length": str(count * 2**20)})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert answer.status == 201
    assert peak < 16 * 2**20
