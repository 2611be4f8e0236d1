"""Datasets by the API: opened, listed, edited by one of two, checked, shared, deleted; and what strangers see of it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core.domain.account import Actor
from core.domain.consent import RIGHTS
from core.domain.dataset import Dataset
from core.domain.finding import LineError
from core.domain.rating import Rating
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.programs import Client, Program, a_program, told
from tests.builders.scenes import a_ready_dataset, adult, finished, somebody


@pytest.fixture
async def anns(house: House, client: Client, ann: Actor) -> Program:
    return await a_program(house, client, ann)


@pytest.fixture
async def bobs(house: House, client: Client) -> Program:
    return await a_program(house, client, await somebody(house, "bob"))


async def listed(program: Program, query: str = "") -> tuple[list[str], int, str | None]:
    status, page = await told(await program.get(f"/datasets{query}"))
    assert status == 200
    return [one["name"] for one in page["items"]], page["total"], page["next"]


async def test_a_dataset_is_opened_described_deleted_and_brought_back(anns: Program) -> None:
    made = await anns.send("POST", "/datasets", {"name": "Robots", "trigger": "zorp"}, key="1")
    status, dataset = await told(made)
    path = f"/datasets/{dataset['id']}"
    assert (status, made.headers["Location"].endswith(f"/api/v1{path}")) == (201, True)
    assert (dataset["name"], dataset["status"], dataset["mine"], dataset["count"]) == ("Robots", "draft", True, 0)

    changes = {"name": "Toys", "tags": ["Robot", "toy"], "constraints": ["on white"], "description": "Old ones."}
    status, edited = await told(await anns.send("PATCH", path, changes))
    assert (status, edited["tags"], {name: edited[name] for name in ("name", "constraints", "description")}) == (
        200,
        ["robot", "toy"],
        {name: changes[name] for name in ("name", "constraints", "description")},
    )
    assert (await told(await anns.get(path)))[1] == edited

    assert await told(await anns.send("DELETE", path)) == (204, None)
    assert await told(await anns.get(path)) == (404, "not_found")
    assert (await listed(anns), await listed(anns, "?scope=deleted")) == (([], 0, None), (["Toys"], 1, None))
    assert (await told(await anns.send("POST", f"{path}/restore")))[1]["name"] == "Toys"
    assert await listed(anns) == (["Toys"], 1, None)

    assert await told(await anns.send("POST", f"{path}/purge")) == (404, "not_found")
    await anns.send("DELETE", path)
    assert [(await anns.send("POST", f"{path}/purge")).status for _ in range(2)] == [204, 404]
    assert await listed(anns, "?scope=deleted") == ([], 0, None)


async def test_what_cannot_be_is_not_opened(anns: Program, dataset: Dataset) -> None:
    taken = {"name": "<B>ZORP</b> & «co»", "trigger": "wibblor"}
    wishes: dict[tuple[int, str], dict[str, str]] = {
        (400, "bad_trigger"): {"name": "zorp", "trigger": "girl"},
        (400, "bad_value"): {"name": "", "trigger": "zorp"},
        (400, "malformed"): {"name": "zorp"},
        (422, "not_adult"): {"name": "zorp", "trigger": "zorp", "rating": "nsfw"},
        (409, "name_taken"): taken,
    }
    answers = [await told(await anns.send("POST", "/datasets", wish, key="1")) for wish in wishes.values()]

    assert answers == list(wishes)
    assert await listed(anns) == ([dataset.name], 1, None)


async def test_lists_turn_by_page_number_or_go_on_after_a_name(house: House, ann: Actor, anns: Program) -> None:
    for name in ("Cat", "ant", "bee", "Dog", "elk"):
        made = await house.services.datasets.create(ann, name=name, trigger=f"{name.lower()}zorp")
        await house.services.datasets.edit(ann, made.id, tags=["pet"] if name in {"Cat", "Dog"} else [])

    assert await listed(anns, "?limit=2") == (["ant", "bee"], 5, "bee")
    assert await listed(anns, "?limit=2&page=2") == (["Cat", "Dog"], 5, "Dog")
    assert await listed(anns, "?limit=2&page=3") == (["elk"], 5, None)
    assert await listed(anns, "?limit=2&after=Dog") == (["elk"], 5, None)
    assert await listed(anns, "?page=9") == ([], 5, None)
    assert await listed(anns, "?search=E") == (["bee", "elk"], 2, None)
    assert await listed(anns, "?tag=pet&limit=1") == (["Cat"], 2, "Cat")
    assert await listed(anns, "?status=ready") == ([], 0, None)
    assert await told(await anns.get("/datasets?limit=101")) == (400, "malformed")


async def test_of_two_editors_of_one_state_one_wins(anns: Program, dataset: Dataset) -> None:
    path = f"/datasets/{dataset.id}"
    tag = (await anns.get(path)).headers["ETag"]
    assert (await anns.get(path, If_None_Match=tag)).status == 304
    answers = await asyncio.gather(
        *(anns.send("PATCH", path, {"description": words}, If_Match=tag) for words in ("one", "two"))
    )
    [won] = [answer for answer in answers if answer.status == 200]
    [lost] = [answer for answer in answers if answer.status == 412]

    assert await told(lost) == (412, "not_as_seen")
    assert await told(await anns.get(path)) == (200, await won.json())
    assert (await anns.get(path, If_None_Match=tag)).headers["ETag"] == won.headers["ETag"]


READ = (
    *("", "/images", "/images/{item}", "/images/{item}/caption", "/images/{item}/caption/history"),
    *("/parts", "/captions", "/findings", "/sets", "/reviews", "/consent"),
)
OWN = ("/readers", "/captions/terms", "/fixes/drop_exact")
CHANGES: tuple[tuple[str, str, object], ...] = (
    ("PATCH", "", {"name": "mine"}),
    ("DELETE", "", None),
    ("POST", "/restore", None),
    ("POST", "/purge", None),
    ("POST", "/validate", None),
    ("POST", "/urls", {"urls": ["https://a.example/x.png"]}),
    ("POST", "/confirm", None),
    ("DELETE", "/images/{item}", None),
    ("PUT", "/images/{item}/caption", {"text": "mine"}),
    ("DELETE", "/images/{item}/caption", None),
    ("POST", "/images/{item}/caption/undo", {}),
    ("POST", "/captions/preview", {"verb": "append", "words": "mine"}),
    ("POST", "/captions/replace", {"verb": "append", "words": "mine", "digest": "x"}),
    ("POST", "/captions/auto", {}),
    ("POST", "/sets", {"name": "mine"}),
    ("POST", "/sets/main/use", None),
    ("DELETE", "/sets/main", None),
    ("POST", "/fixes/keep_near", None),
    ("PUT", "/access", {"access": "public"}),
    ("POST", "/share", {"user": "bob"}),
    ("POST", "/unshare", {"user": "bob"}),
    ("POST", "/consent", {"version": RIGHTS}),
    ("POST", "/consent/withdraw", {}),
    ("DELETE", "/providers/x", None),
)


async def test_strangers_find_nothing_and_readers_change_nothing(
    house: House, ann: Actor, anns: Program, bobs: Program
) -> None:
    dataset = await a_ready_dataset(house, ann)
    [item, *_] = await house.store.items.of(dataset.id)
    base = f"/datasets/{dataset.id}"

    async def asked(*paths: str) -> set[Any]:
        return {(await told(await bobs.get(base + path.format(item=item.id))))[0] for path in paths}

    async def tried() -> set[tuple[int, Any]]:
        answers = [
            await bobs.send(method, base + path.format(item=item.id), body, key=f"{number}")
            for number, (method, path, body) in enumerate(CHANGES)
        ]
        return {await told(answer) for answer in answers}

    assert (await asked(*READ, *OWN), await tried()) == ({404}, {(404, "not_found")})
    assert await told(await anns.send("POST", f"{base}/share", {"user": "Bob"})) == (
        200,
        {"items": [{"id": (await somebody(house, "bob")).account, "name": "bob"}], "next": None},
    )
    assert (await asked(*READ), await asked(*OWN), await tried()) == ({200}, {404}, {(404, "not_found")})
    reviewed = await bobs.send("PUT", f"{base}/images/{item.id}/caption/review", {"review": "approved"})
    assert (await told(reviewed))[1]["review"] == "approved"
    assert (await listed(bobs, "?scope=shared"), await listed(bobs)) == (([dataset.name], 1, None), ([], 0, None))

    assert (await told(await anns.send("POST", f"{base}/unshare", {"user": "bob"})))[1]["items"] == []
    assert await asked(*READ) == {404}
    assert await told(await anns.send("POST", f"{base}/share", {"user": "nobody"})) == (404, "not_found")


async def test_what_is_for_adults_is_shown_to_adults(house: House, ann: Actor, anns: Program, bobs: Program) -> None:
    made = await house.services.datasets.create(adult(ann), name="zorp", trigger="zorp", rating=Rating.NSFW)
    opened = await anns.send("PUT", f"/datasets/{made.id}/access", {"access": "public"})

    assert (await told(opened))[1]["access"] == "public"
    assert await told(await bobs.get(f"/datasets/{made.id}")) == (422, "not_adult")
    assert await listed(bobs, "?scope=public") == ([], 0, None)


async def test_pictures_are_listed_in_order_and_taken_out(
    house: House, ann: Actor, anns: Program, clock: HandClock
) -> None:
    dataset = await a_ready_dataset(house, ann, pictures=3)
    path = f"/datasets/{dataset.id}/images"
    _, first = await told(await anns.get(f"{path}?limit=2"))
    _, rest = await told(await anns.get(f"{path}?limit=2&after={first['next']}"))
    shown = [*first["items"], *rest["items"]]
    link = shown[0]["file"]["link"].removeprefix(house.services.downloads.address)

    assert ([one["number"] for one in shown], first["next"], rest["next"]) == ([1, 2, 3], "2", None)
    assert (shown[0]["caption"], shown[0]["width"], shown[0]["file"]["name"]) == ("zorp number 0", 512, "zorp 0.png")
    assert await (await anns.client.get(link)).read() == b"zorp 0.png"
    assert await told(await anns.get(f"{path}/{shown[0]['id']}")) == (200, shown[0])
    one = await anns.get(f"{path}/{shown[0]['id']}")
    clock.advance(timedelta(hours=1))
    again = await anns.get(f"{path}/{shown[0]['id']}")
    assert (again.headers["ETag"], (await told(again))[1] == shown[0]) == (one.headers["ETag"], False)

    assert [(await anns.send("DELETE", f"{path}/{shown[0]['id']}")).status for _ in range(2)] == [204, 204]
    assert await told(await anns.get(f"{path}/{shown[0]['id']}")) == (404, "not_found")
    assert [one["file"]["name"] for one in (await told(await anns.get(path)))[1]["items"]] == [
        "zorp 1.png",
        "zorp 2.png",
    ]


async def test_the_doctor_is_asked_and_what_it_finds_is_mended(
    house: House, ann: Actor, anns: Program, dataset: Dataset
) -> None:
    assert await told(await anns.send("POST", f"/datasets/{dataset.id}/validate", key="1")) == (422, "dataset_empty")
    ready = await a_ready_dataset(house, ann)
    path = f"/datasets/{ready.id}"
    looking = await anns.send("POST", f"{path}/validate", key="2")
    status, job = await told(looking)
    assert (status, job["kind"], looking.headers["Location"].endswith(f"/jobs/{job['id']}")) == (
        202,
        "validation",
        True,
    )
    assert (await told(await anns.send("POST", f"{path}/validate", key="2")))[1]["id"] == job["id"]
    assert (await told(await anns.get(path)))[1]["status"] == "validating"

    await finished(house, await house.store.jobs.get(job["id"]))
    known = await house.store.datasets.get(ready.id)
    error = LineError(file="a.jsonl", line=3, words="It is no JSON.")
    await house.store.datasets.save(known.but(errors=(error,), error_count=1))
    _, whole = await told(await anns.get(path))
    assert (whole["statistics"]["items"], whole["error_count"], whole["errors"][0]["line"]) == (3, 1, 3)
    assert len(whole["sheets"]) == 1

    status, mended = await told(await anns.send("POST", f"{path}/fixes/without_bad_lines", key="3"))
    assert (status, mended["job"], mended["errors"]) == (200, None, [])
    again = await anns.send("POST", f"{path}/fixes/without_bad_lines", key="4")
    assert await told(again) == (422, "nothing_to_do")
    assert await told(await anns.send("POST", f"{path}/fixes/magic", key="5")) == (400, "bad_value")
    assert await told(await anns.get(f"{path}/fixes/drop_near")) == (200, {"items": [], "next": None})


async def test_consent_is_given_in_the_words_of_today_and_taken_back(anns: Program, dataset: Dataset) -> None:
    path = f"/datasets/{dataset.id}/consent"
    _, asked = await told(await anns.get(path))
    assert (asked["attested_by"], asked["version"]) == ("", RIGHTS)
    assert await told(await anns.send("POST", path, {"version": "rights-0"}, key="1")) == (422, "not_attested")

    status, given = await told(await anns.send("POST", path, {"version": asked["version"]}, key="2"))
    assert (status, given["attested_by"], given["words"]) == (200, "ann", asked["attest"])
    status, taken = await told(await anns.send("POST", f"{path}/withdraw", {}, key="3"))
    assert (status, taken["revoked_at"] is None) == (200, False)
    assert await told(await anns.send("POST", f"{path}/withdraw", {}, key="4")) == (422, "nothing_to_do")


async def test_storage_is_what_is_used_of_what_there_is(house: House, ann: Actor, anns: Program) -> None:
    dataset = await a_ready_dataset(house, ann)
    quota = house.services.datasets.quota

    assert await told(await anns.get("/storage")) == (
        200,
        {"bytes": quota.bytes, "items": quota.items, "used_bytes": dataset.bytes, "used_items": 3},
    )
