"""Pictures by the API: ordered once, understood or asked back, seen by their owner alone."""

import pytest

from core.domain.account import Actor
from core.domain.model import Model
from loraguild.composition import House
from tests.builders.api import Api
from tests.builders.scenes import a_trained_model, finished, given, somebody
from tests.builders.visits import Client, bearing


@pytest.fixture
async def api(house: House, client: Client, ann: Actor) -> Api:
    return Api(client, await bearing(house, ann))


@pytest.fixture
async def model(house: House, ann: Actor) -> Model:
    return await a_trained_model(house, ann)


async def test_pictures_are_ordered_once_and_fetched(house: House, client: Client, api: Api, model: Model) -> None:
    wish = {"text": "zorp on the moon", "count": 2, "seed": 7}
    first = await api.post("/generations", wish, key="moon")
    again = await api.post("/generations", wish, key="moon")
    other = await api.post("/generations", {"text": "zorp"}, key="moon")
    made = first[1]["id"]
    await finished(house, await house.store.jobs.get(made))
    _, done = await api.get(f"/generations/{made}")
    links = [one["link"].removeprefix(house.services.downloads.address) for one in done["pictures"]]
    fetched = [(await client.get(link)).status for link in links]

    assert (first[0], again, (other[0], other[1]["code"])) == (201, first, (422, "key_reused"))
    assert (first[1]["state"], first[1]["seed"], first[1]["pictures"]) == ("queued", 7, [])
    assert [(one["model"], one["percent"]) for one in first[1]["adapters"]] == [(model.id, 100)]
    assert (done["state"], done["due"], fetched) == ("succeeded", first[1]["price"], [200, 200])


@pytest.mark.usefixtures("model")
async def test_a_word_that_means_several_models_is_asked_back(house: House, api: Api, ann: Actor) -> None:
    for name in ("bob", "eve"):
        theirs = await a_trained_model(house, await somebody(house, name), name="quux")
        await house.services.models.share(
            await somebody(house, name), theirs.id, await house.store.accounts.get(ann.account)
        )
    status, told = await api.post("/generations", {"text": "a quux"}, key="one")
    clear, _ = await api.post("/generations", {"text": "a <lora:bob/quux:1>"}, key="two")
    without, why = await api.post("/generations", {"text": "a lamp"}, key="three")

    assert (status, told["code"]) == (422, "prompt_unclear")
    assert sorted(told["errors"], key=lambda one: one["detail"]) == [
        {"at": "quux", "detail": "bob/quux"},
        {"at": "quux", "detail": "eve/quux"},
    ]
    assert (clear, without, why["code"]) == (201, 422, "no_trigger")


@pytest.mark.usefixtures("model")
async def test_pictures_are_made_again_varied_rated_and_deleted(house: House, api: Api) -> None:
    _, first = await api.post("/generations", {"text": "zorp"}, key="one")
    path = f"/generations/{first['id']}"
    early = await api.send("DELETE", path)
    unseen = await api.post(f"{path}/vary", {}, key="early")
    await finished(house, await house.store.jobs.get(first["id"]))
    again = await api.post(f"{path}/again", key="again")
    varied = await api.post(f"{path}/vary", {"picture": 1, "strength": 50}, key="vary")
    rated = await api.post(f"{path}/rate", {"stars": 4, "words": "nice"})
    deleted = await api.send("DELETE", path)
    gone = await api.get(path)

    assert [(status, told["code"]) for status, told in (early, unseen)] == [(422, "nothing_to_do")] * 2
    assert (again[0], again[1]["text"], again[1]["id"] != first["id"]) == (201, "zorp", True)
    assert (varied[0], varied[1]["strength"]) == (201, 50)
    assert (rated[0], rated[1]["stars"], rated[1]["feedback"]) == (200, 4, "nice")
    assert (deleted, gone[0]) == ((204, None), 404)


@pytest.mark.usefixtures("model")
async def test_pictures_come_in_pages_newest_first(house: House, api: Api, ann: Actor) -> None:
    await given(house, ann, 20)
    made = [(await api.post("/generations", {"text": "zorp"}, key=f"{n}"))[1]["id"] for n in range(3)]
    _, first = await api.get("/generations", limit=2)
    _, second = await api.get("/generations", limit=2, after=first["next"])

    assert (len(first["items"]), second["next"]) == (2, None)
    assert sorted(one["id"] for page in (first, second) for one in page["items"]) == sorted(made)


@pytest.mark.usefixtures("model")
async def test_a_stranger_sees_and_touches_nothing(house: House, client: Client, api: Api) -> None:
    _, made = await api.post("/generations", {"text": "zorp"}, key="one")
    bob, path = Api(client, await bearing(house, await somebody(house, "bob"))), f"/generations/{made['id']}"
    tried = [
        await bob.get(path),
        await bob.get("/generations", after=made["id"]),
        await bob.post(f"{path}/again", key="one"),
        await bob.post(f"{path}/vary", {}, key="two"),
        await bob.post(f"{path}/rate", {"stars": 1}),
        await bob.send("DELETE", path),
    ]

    assert [(status, told["code"]) for status, told in tried] == [(404, "not_found")] * len(tried)
