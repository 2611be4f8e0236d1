"""Exports by the API: ordered once, made by a job, fetched by a link for a week."""

import pytest

from core.domain.account import Actor
from core.domain.export import KEPT
from core.kinds import export
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.programs import Client, Program, a_program, told
from tests.builders.scenes import a_ready_dataset, finished, somebody, stored


@pytest.fixture
async def anns(house: House, client: Client, ann: Actor) -> Program:
    return await a_program(house, client, ann)


async def test_a_dataset_leaves_as_one_file(
    *, house: House, client: Client, clock: HandClock, ann: Actor, anns: Program
) -> None:
    dataset = await a_ready_dataset(house, ann)
    path = f"/datasets/{dataset.id}/export"
    ordered = await anns.send("POST", path, {"format": "kohya"}, key="1")
    status, job = await told(ordered)
    where = ordered.headers["Location"].removeprefix(f"{house.services.uploads.address}/api/v1")
    assert (status, job["kind"], where) == (202, "export", f"/exports/{job['id']}")
    assert await told(await anns.get(where)) == (404, "not_found")
    again = await told(await anns.send("POST", path, {"format": "kohya"}, key="1"))
    assert again[1]["id"] == job["id"]

    made = export.Result(artifact=await stored(house, "zorp.zip"), count=3)
    await finished(house, await house.store.jobs.get(job["id"]), made)
    status, seen = await told(await anns.get(where))
    assert (status, seen["format"], seen["file"]["name"]) == (200, "kohya", "zorp.zip")
    link = seen["file"]["link"].removeprefix(house.services.downloads.address)
    assert await (await client.get(link)).read() == b"zorp.zip"

    bobs = await a_program(house, client, await somebody(house, "bob"))
    assert await told(await bobs.get(where)) == (404, "not_found")
    clock.advance(KEPT)
    later = await a_program(house, client, ann)
    assert await told(await later.get(where)) == (404, "not_found")


async def test_what_cannot_leave_says_why(house: House, ann: Actor, anns: Program) -> None:
    empty = await house.services.datasets.create(ann, name="empty", trigger="emptyx")
    ready = await a_ready_dataset(house, ann)
    answers = [
        await anns.send("POST", f"/datasets/{empty.id}/export", {}, key="1"),
        await anns.send("POST", f"/datasets/{ready.id}/export", {"format": "openai"}, key="2"),
        await anns.send("POST", f"/datasets/{ready.id}/export", {"provider": "dropbox"}, key="3"),
        await anns.send("POST", f"/datasets/{ready.id}/export", {"format": "rar"}, key="4"),
        await anns.send("POST", "/datasets/other/export", {}, key="5"),
        await anns.send("POST", f"/datasets/{ready.id}/export", {}),
    ]

    assert [await told(answer) for answer in answers] == [
        (422, "dataset_empty"),
        (400, "bad_value"),
        (422, "not_connected"),
        (400, "malformed"),
        (404, "not_found"),
        (400, "key_missing"),
    ]
