"""Captions by the API: one at a time with its history, all at once as previewed, by captioners, in sets, reviewed."""

import asyncio

import pytest

from core.domain.account import Actor
from core.domain.dataset import Dataset
from loraguild.composition import House
from tests.builders.programs import Client, Program, a_program, told
from tests.builders.scenes import a_ready_dataset, finished


@pytest.fixture
async def anns(house: House, client: Client, ann: Actor) -> Program:
    return await a_program(house, client, ann)


@pytest.fixture
async def ready(house: House, ann: Actor) -> Dataset:
    return await a_ready_dataset(house, ann)


async def texts(anns: Program, dataset: Dataset) -> list[str]:
    _, page = await told(await anns.get(f"/datasets/{dataset.id}/captions"))
    return [one["text"] for one in page["items"]]


async def test_a_caption_is_written_taken_away_and_brought_back(anns: Program, ready: Dataset) -> None:
    _, page = await told(await anns.get(f"/datasets/{ready.id}/captions?limit=1"))
    [first], path = page["items"], f"/datasets/{ready.id}/images/{page['items'][0]['image']}/caption"
    assert (page["next"], first["text"], first["version"], first["source"]) == ("1", "zorp number 0", 1, "upload")

    status, written = await told(await anns.send("PUT", path, {"text": "zorp, on  white"}))
    assert (status, written["text"], written["version"], written["source"]) == (200, "zorp, on white", 2, "hand")
    assert await told(await anns.get(path)) == (200, written)
    assert await told(await anns.send("PUT", path, {"text": " "})) == (400, "bad_value")
    assert [(await told(await anns.send("DELETE", path)))[0] for _ in range(2)] == [204, 422]
    assert (await told(await anns.get(path)))[1]["text"] == ""

    assert (await told(await anns.send("POST", f"{path}/undo", {})))[1]["text"] == "zorp, on white"
    assert (await told(await anns.send("POST", f"{path}/undo", {"version": 1})))[1]["text"] == "zorp number 0"
    assert await told(await anns.send("POST", f"{path}/undo", {"version": 9})) == (404, "not_found")
    _, history = await told(await anns.get(f"{path}/history"))
    assert [(one["version"], one["source"], one["author"], one["restored"]) for one in history["items"]] == [
        (5, "undo", "ann", 1),
        (4, "undo", "ann", 2),
        (3, "hand", "ann", None),
        (2, "hand", "ann", None),
        (1, "upload", "ann", None),
    ]


async def test_of_two_writers_over_one_caption_one_wins(anns: Program, ready: Dataset) -> None:
    _, page = await told(await anns.get(f"/datasets/{ready.id}/captions"))
    path = f"/datasets/{ready.id}/images/{page['items'][0]['image']}/caption"
    tag = (await anns.get(path)).headers["ETag"]
    answers = await asyncio.gather(*(anns.send("PUT", path, {"text": words}, If_Match=tag) for words in ("one", "two")))
    [won] = [answer for answer in answers if answer.status == 200]

    assert sorted(answer.status for answer in answers) == [200, 412]
    assert await told(await anns.get(path)) == (200, await won.json())


async def test_all_captions_change_exactly_as_previewed(anns: Program, ready: Dataset) -> None:
    path, wish = f"/datasets/{ready.id}/captions", {"verb": "replace", "find": "number", "words": "no."}
    status, seen = await told(await anns.send("POST", f"{path}/preview", wish))
    assert (status, [one["after"] for one in seen["changes"]]) == (200, ["zorp no. 0", "zorp no. 1", "zorp no. 2"])
    assert await texts(anns, ready) == [one["before"] for one in seen["changes"]]

    image = seen["changes"][0]["image"]
    await anns.send("PUT", f"/datasets/{ready.id}/images/{image}/caption", {"text": "zorp, other"})
    late = await anns.send("POST", f"{path}/replace", {**wish, "digest": seen["digest"]})
    assert await told(late) == (409, "outdated")
    _, anew = await told(await anns.send("POST", f"{path}/preview", wish))
    done = await anns.send("POST", f"{path}/replace", {**wish, "digest": anew["digest"]})
    assert await told(done) == (200, anew)
    assert await texts(anns, ready) == ["zorp, other", "zorp no. 1", "zorp no. 2"]
    assert await told(await anns.send("POST", f"{path}/preview", wish)) == (422, "nothing_to_do")
    assert await told(await anns.send("POST", f"{path}/preview", {"verb": "append"})) == (400, "bad_value")


async def test_pictures_are_described_on_the_terms_that_were_shown(house: House, anns: Program, ready: Dataset) -> None:
    path = f"/datasets/{ready.id}/captions"
    _, captioners = await told(await anns.get("/captioners"))
    assert captioners["items"][0]["name"] == "palette"
    assert await told(await anns.get(f"{path}/terms")) == (422, "nothing_to_do")
    status, terms = await told(await anns.get(f"{path}/terms?mode=overwrite"))
    assert (status, terms["captioner"], terms["count"], terms["allowed"]) == (200, captioners["items"][0], 3, True)

    ordered = await anns.send("POST", f"{path}/auto", {"mode": "overwrite"}, key="1")
    status, job = await told(ordered)
    assert (status, job["kind"], job["price"]) == (202, "captioning", terms["price"])
    assert (await told(await anns.send("POST", f"{path}/auto", {"mode": "overwrite"}, key="1")))[1]["id"] == job["id"]
    await finished(house, await house.store.jobs.get(job["id"]))
    assert all("a scene of" in text for text in await texts(anns, ready))
    assert await told(await anns.send("POST", f"/captionings/{job['id']}/retry", key="2")) == (422, "nothing_to_do")
    assert await told(await anns.get(f"{path}/terms?captioner=nobody&mode=append")) == (404, "not_found")
    assert await told(await anns.send("DELETE", f"/datasets/{ready.id}/providers/x")) == (404, "not_found")


async def test_sets_are_opened_used_and_let_go(anns: Program, ready: Dataset) -> None:
    path = f"/datasets/{ready.id}/sets"
    made = await anns.send("POST", path, {"name": "short"})
    assert await told(made) == (
        201,
        {"items": [{"name": "main", "in_use": True}, {"name": "short", "in_use": False}], "next": None},
    )
    assert await told(await anns.send("POST", path, {"name": "short"})) == (409, "name_taken")
    _, used = await told(await anns.send("POST", f"{path}/short/use"))
    assert [one["in_use"] for one in used["items"]] == [False, True]
    assert await texts(anns, ready) == ["", "", ""]
    assert await told(await anns.send("DELETE", f"{path}/short")) == (422, "nothing_to_do")
    assert await told(await anns.send("DELETE", f"{path}/main")) == (204, None)
    assert await told(await anns.get(path)) == (200, {"items": [{"name": "short", "in_use": True}], "next": None})


async def test_reviews_are_of_the_version_that_was_seen(anns: Program, ready: Dataset) -> None:
    _, seen = await told(await anns.get(f"/datasets/{ready.id}/reviews"))
    assert (seen["counts"]["pending"], seen["pending"]["text"]) == (3, "zorp number 0")
    path = f"/datasets/{ready.id}/images/{seen['pending']['image']}/caption/review"
    late = await anns.send("PUT", path, {"review": "approved", "version": 9})
    assert await told(late) == (409, "outdated")
    status, judged = await told(await anns.send("PUT", path, {"review": "needs_edit", "note": "colour", "version": 1}))
    assert (status, judged["review"], judged["note"]) == (200, "needs_edit", "colour")
    _, left = await told(await anns.get(f"/datasets/{ready.id}/reviews"))
    assert (left["counts"]["pending"], left["counts"]["needs_edit"]) == (2, 1)
