"""Characters by the API: invented, edited by one of two, given traits, attested, deleted with their datasets."""

import asyncio

import pytest

from core.domain.account import Actor
from core.domain.consent import ADULT
from loraguild.composition import House
from tests.builders.programs import Client, Program, a_program, told
from tests.builders.scenes import somebody


@pytest.fixture
async def anns(house: House, client: Client, ann: Actor) -> Program:
    return await a_program(house, client, ann)


async def test_a_character_is_invented_deleted_with_its_datasets_and_brought_back(
    house: House, ann: Actor, anns: Program
) -> None:
    dataset = await house.services.datasets.create(ann, name="zorps", trigger="zorp")
    made = await anns.send("POST", "/characters", {"name": "Zorp", "trigger": "zorp"}, key="1")
    status, character = await told(made)
    path = f"/characters/{character['id']}"
    assert (status, made.headers["Location"].endswith(path)) == (201, True)
    assert (await told(await anns.get(f"/datasets/{dataset.id}")))[1]["character"] == character["id"]
    assert await told(await anns.get("/characters")) == (200, {"items": [character], "next": None})
    _, datasets = await told(await anns.get(f"{path}/datasets"))
    assert [one["id"] for one in datasets["items"]] == [dataset.id]
    assert await told(await anns.get(f"{path}/models")) == (200, {"items": [], "next": None})
    other = await anns.send("POST", "/characters", {"name": "zorp", "trigger": "wibblor"}, key="2")
    assert await told(other) == (409, "name_taken")

    assert (await anns.send("DELETE", path)).status == 204
    assert await told(await anns.get(path)) == (404, "not_found")
    assert await told(await anns.get(f"/datasets/{dataset.id}")) == (404, "not_found")
    _, gone = await told(await anns.get("/bin/characters"))
    assert [one["id"] for one in gone["items"]] == [character["id"]]
    assert (await told(await anns.send("POST", f"{path}/restore")))[1]["name"] == "Zorp"
    assert (await anns.get(f"/datasets/{dataset.id}")).status == 200


async def test_of_two_editors_of_one_state_one_wins(anns: Program) -> None:
    _, character = await told(await anns.send("POST", "/characters", {"name": "Zorp", "trigger": "zorp"}, key="1"))
    path = f"/characters/{character['id']}"
    tag = (await anns.get(path)).headers["ETag"]
    answers = await asyncio.gather(*(anns.send("PATCH", path, {"name": name}, If_Match=tag) for name in ("one", "two")))
    [won] = [answer for answer in answers if answer.status == 200]

    assert sorted(answer.status for answer in answers) == [200, 412]
    assert await told(await anns.get(path)) == (200, await won.json())
    assert (await told(await anns.send("PATCH", path, {"active": False})))[1]["active"] is False


async def test_traits_are_given_and_taken(anns: Program) -> None:
    _, presets = await told(await anns.get("/traits"))
    category = presets["items"][0]
    value = category["values"][0]
    _, character = await told(await anns.send("POST", "/characters", {"name": "Zorp", "trigger": "zorp"}, key="1"))
    path = f"/characters/{character['id']}/traits"
    own = await anns.send("PUT", f"{path}/left%20arm", {"value": "iron"})
    _, told_all = await told(await anns.send("PUT", f"{path}/{category['id']}", {"value": value}))

    assert own.status == 200
    assert told_all["traits"] == [
        {"category": "left arm", "value": "iron", "phrase": "iron"},
        {"category": category["id"], "value": value, "phrase": category["phrase"].replace("{value}", value)},
    ]
    assert await told(await anns.send("PUT", f"{path}/age", {"value": "12 years old"})) == (422, "minors_guarded")
    assert await told(await anns.send("PUT", f"{path}/tail", {"value": "a, b"})) == (400, "bad_value")
    assert [(await told(await anns.send("DELETE", f"{path}/left%20arm")))[0] for _ in range(2)] == [204, 422]


async def test_a_character_is_attested_in_the_words_of_today_and_strangers_see_none(
    house: House, client: Client, anns: Program
) -> None:
    bobs = await a_program(house, client, await somebody(house, "bob"))
    _, character = await told(await anns.send("POST", "/characters", {"name": "Zorp", "trigger": "zorp"}, key="1"))
    path = f"/characters/{character['id']}"
    _, words = await told(await anns.get(f"{path}/adult"))
    assert words["version"] == ADULT
    assert await told(await anns.send("PUT", f"{path}/adult", {"version": "adult-0"})) == (422, "character_not_adult")
    _, attested = await told(await anns.send("PUT", f"{path}/adult", {"version": ADULT}))
    assert attested["adult_at"] is not None

    answers = [
        await bobs.get(path),
        await bobs.get(f"{path}/adult"),
        await bobs.get(f"{path}/datasets"),
        await bobs.get(f"{path}/models"),
        await bobs.send("PATCH", path, {"name": "mine"}),
        await bobs.send("DELETE", path),
        await bobs.send("POST", f"{path}/restore"),
        await bobs.send("PUT", f"{path}/traits/tail", {"value": "long"}),
        await bobs.send("DELETE", f"{path}/traits/tail"),
        await bobs.send("PUT", f"{path}/adult", {"version": ADULT}),
    ]
    assert [await told(answer) for answer in answers] == [(404, "not_found")] * len(answers)
