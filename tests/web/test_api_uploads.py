"""Files by the API: in one form, from links, or piece by piece; all of a form or nothing of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient, TestServer

from core.domain.account import Actor
from core.domain.dataset import Dataset, Status
from core.domain.quota import Quota
from core.kinds.intake import Payload
from core.services import intakes
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.attempts import awaited
from tests.builders.programs import Program, a_program, told
from tests.builders.visits import bearing
from web import bodies
from web.api.route import PREFIX
from web.app import application
from web.visiting import UNDERWAY

Client = TestClient[web.Request, web.Application]
EDGE = "edge-of-a-part"


@pytest.fixture
async def anns(house: House, client: Client, ann: Actor) -> Program:
    return await a_program(house, client, ann)


def form(**files: bytes) -> FormData:
    data = FormData()
    for name, content in files.items():
        data.add_field("files", BytesIO(content), filename=name.replace("_", "."))
    return data


def raw(*parts: tuple[str, bytes], end: bool = True) -> bytes:
    """The bytes of a form, each part with its headers."""
    body = b"".join(f"--{EDGE}\r\n{head}\r\n\r\n".encode() + content + b"\r\n" for head, content in parts)
    return body + (f"--{EDGE}--\r\n".encode() if end else b"")


async def sent(anns: Program, dataset: Dataset, data: object, **headers: str) -> tuple[int, object]:
    path = f"{PREFIX}/datasets/{dataset.id}/images"
    return await told(await anns.client.post(path, data=data, headers={**anns.headers, **headers}))


async def nothing_is_kept(house: House, database: Database, dataset: Dataset) -> None:
    """Prove that no byte and no row tells of what was sent, once what cleans up has come to its end."""

    async def nothing() -> bool:
        rows = [await database[name].count_documents({}) for name in ("blobs", "files.files", "files.chunks", "jobs")]
        return rows == [0, 0, 0, 0]

    await awaited(nothing)
    assert await house.store.datasets.get(dataset.id) == dataset


async def test_a_form_with_files_is_one_job(
    house: House, client: Client, anns: Program, dataset: Dataset, database: Database
) -> None:
    path = f"{PREFIX}/datasets/{dataset.id}/images"
    answer = await client.post(path, data=form(a_png=b"picture" * 100_000, a_txt=b"zorp"), headers=anns.headers)
    status, job = await told(answer)
    payload = Payload.model_validate((await house.store.jobs.get(job["id"])).payload)

    assert (status, answer.headers["Location"].endswith(f"/jobs/{job['id']}")) == (202, True)
    assert (job["kind"], job["title"]) == ("intake", f"{dataset.name} · 2 files coming in")
    assert [(file.name, file.size) for file in payload.files] == [("a.png", 700_000), ("a.txt", 4)]
    assert b"".join([chunk async for chunk in house.blobs.open(payload.files[1].sha256)]) == b"zorp"
    assert await database["blobs"].count_documents({"references": 1}) == 2
    assert (await house.store.datasets.get(dataset.id)).status is Status.UPLOADING


async def begun(client: Client, anns: Program, dataset: Dataset) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send one file of a form, and half of another."""
    body = raw(
        ('Content-Disposition: form-data; name="files"; filename="a.png"', b"whole" * 1000),
        ('Content-Disposition: form-data; name="files"; filename="b.png"', b"half" * 100_000),
        end=False,
    )
    reader, writer = await asyncio.open_connection(client.host, client.port)
    named = "".join(f"{name}: {value}\r\n" for name, value in anns.headers.items())
    head = f"POST {PREFIX}/datasets/{dataset.id}/images HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) + 1000}\r\n"
    writer.write(f"{head}Content-Type: multipart/form-data; boundary={EDGE}\r\n{named}\r\n".encode() + body)
    return reader, writer


async def test_a_form_whose_line_breaks_leaves_nothing(
    house: House, client: Client, anns: Program, dataset: Dataset, database: Database
) -> None:
    async def second_has_begun() -> bool:
        rows = await database["blobs"].find().to_list()
        return {row["size"] for row in rows} == {0, 5000} and len({row["file"] for row in rows}) == len(rows)

    async def idle() -> bool:
        return not client.app[UNDERWAY]

    _, writer = await begun(client, anns, dataset)
    await awaited(second_has_begun)
    writer.transport.abort()
    await awaited(idle)
    await nothing_is_kept(house, database, dataset)


async def test_a_form_that_falls_silent_leaves_nothing(
    *,
    house: House,
    client: Client,
    anns: Program,
    dataset: Dataset,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "IDLE", 0.2)
    reader, writer = await begun(client, anns, dataset)

    assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
    writer.close()
    await nothing_is_kept(house, database, dataset)


async def test_what_is_no_form_with_files_leaves_nothing(
    house: House, anns: Program, dataset: Dataset, database: Database
) -> None:
    kind = {"Content-Type": f"multipart/form-data; boundary={EDGE}"}
    file = 'Content-Disposition: form-data; name="files"; filename="a.png"', b"whole"
    nested = "Content-Type: multipart/mixed; boundary=inner", b"--inner--"
    long = "\r\n".join(f"X-{number}: x" for number in range(200)), b""
    answers = [
        await sent(anns, dataset, b"{}", **{"Content-Type": "application/json"}),
        await sent(anns, dataset, raw(file), **{"Content-Type": "multipart/form-data"}),
        await sent(anns, dataset, raw(file, end=False), **kind),
        await sent(anns, dataset, raw(file, ('Content-Disposition: form-data; name="note"', b"words")), **kind),
        await sent(anns, dataset, raw(file, ("", b"words")), **kind),
        await sent(anns, dataset, raw(file, nested), **kind),
        await sent(anns, dataset, raw(file, long), **kind),
        await sent(anns, dataset, raw(file, (file[0].replace("a.png", "../a.png"), b"x")), **kind),
        await sent(anns, dataset, b"", **kind),
        await sent(anns, dataset, raw(), **kind),
    ]

    assert answers == [(415, "http_415"), *[(400, "bad_value")] * 8, (422, "nothing_to_do")]
    await nothing_is_kept(house, database, dataset)


async def test_what_does_not_fit_leaves_nothing(
    house: House, anns: Program, dataset: Dataset, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intakes, "LIMIT", 1000)
    monkeypatch.setattr(intakes, "FILES", 2)
    answers = [
        await sent(anns, dataset, form(a_png=b"x" * 1001)),
        await sent(anns, dataset, form(a_png=b"x" * 600, b_png=b"y" * 600)),
        await sent(anns, dataset, form(a_png=b"x", b_png=b"y", c_png=b"z")),
    ]

    assert answers == [(413, "file_too_large"), (413, "upload_full"), (400, "bad_value")]
    await nothing_is_kept(house, database, dataset)


async def test_nobody_sends_more_than_they_may_store(
    house: House, ann: Actor, dataset: Dataset, database: Database
) -> None:
    tight = replace(house.services.intakes, quota=Quota(bytes=3000, items=10))
    app = application(services=replace(house.services, intakes=tight), blobs=house.blobs)

    async def stream() -> AsyncIterator[bytes]:
        yield raw(('Content-Disposition: form-data; name="files"; filename="a.png"', b"x" * 3001))

    async with TestClient(TestServer(app)) as client:
        anns = Program(client=client, headers=await bearing(house, ann))
        known = await sent(anns, dataset, form(a_png=b"x" * 3000))
        unknown = await sent(anns, dataset, stream(), **{"Content-Type": f"multipart/form-data; boundary={EDGE}"})

    assert (known, unknown) == ((422, "quota_full"), (422, "quota_full"))
    await nothing_is_kept(house, database, dataset)


async def test_links_are_fetched_once(house: House, anns: Program, dataset: Dataset) -> None:
    path, urls = f"/datasets/{dataset.id}/urls", ["https://a.example/x.png", "https://b.example/y.zip"]
    first = await told(await anns.send("POST", path, {"urls": urls}, key="1"))
    again = await told(await anns.send("POST", path, {"urls": urls}, key="1"))
    wrong = await told(await anns.send("POST", path, {"urls": ["ftp://a.example/x"]}, key="2"))
    none = await told(await anns.send("POST", path, {"urls": []}, key="3"))

    assert (first[0], again, wrong, none) == (202, first, (400, "bad_value"), (400, "malformed"))
    payload = Payload.model_validate((await house.store.jobs.get(first[1]["id"])).payload)
    assert payload.links == tuple(urls)


async def test_an_upload_goes_on_where_it_broke_and_is_confirmed_once(
    house: House, client: Client, anns: Program, dataset: Dataset
) -> None:
    assert await told(await anns.send("POST", f"/datasets/{dataset.id}/confirm")) == (422, "nothing_to_do")
    status, upload = await told(await anns.send("POST", "/uploads", {"dataset": dataset.id}, key="1"))
    again = await told(await anns.send("POST", "/uploads", {"dataset": dataset.id}, key="1"))
    assert (status, again, upload["received"]) == (201, (201, upload), [])

    file = f"{upload['files'].removeprefix(house.services.uploads.address)}/a.zip"
    assert (await client.put(file, data=b"12345", headers={"Upload-Length": "10"})).status == 200
    late = await client.put(file, data=b"12345", headers={"Upload-Offset": "3"})
    assert (late.status, late.headers["Upload-Offset"]) == (409, "5")
    assert await told(await anns.send("POST", f"/datasets/{dataset.id}/confirm")) == (400, "bad_value")
    _, seen = await told(await anns.get(f"/uploads/{upload['id']}"))
    assert seen == {**upload, "received": [{"name": "a.zip", "size": 10, "offset": 5}]}

    assert (await client.put(file, data=b"67890", headers={"Upload-Offset": "5"})).status == 201
    status, jobs = await told(await anns.send("POST", f"/datasets/{dataset.id}/confirm"))
    payload = Payload.model_validate((await house.store.jobs.get(jobs["items"][0]["id"])).payload)
    assert (status, [(one.name, one.size) for one in payload.files]) == (202, [("a.zip", 10)])
    assert await told(await anns.send("POST", f"/datasets/{dataset.id}/confirm")) == (422, "nothing_to_do")
    assert await told(await anns.get(f"/uploads/{upload['id']}")) == (410, "upload_closed")
    assert await told(await anns.get("/uploads/other")) == (404, "not_found")
