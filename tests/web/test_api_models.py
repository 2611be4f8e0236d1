"""Models by the API: who sees which, how they are presented, shared, published and fetched."""

import pytest

from core.domain.account import Actor
from core.domain.model import Model
from core.domain.run import Epoch
from loraguild.composition import House
from tests.builders.api import Api
from tests.builders.scenes import a_ready_dataset, a_trained_model, an_order, claimed, somebody, stored, well_done
from tests.builders.visits import Client, bearing


@pytest.fixture
async def api(house: House, client: Client, ann: Actor) -> Api:
    return Api(client, await bearing(house, ann))


@pytest.fixture
async def bob(house: House, client: Client) -> Api:
    return Api(client, await bearing(house, await somebody(house, "bob")))


@pytest.fixture
async def model(house: House, ann: Actor) -> Model:
    """A model of two epochs; the later one is the model."""
    job, token = await claimed(house, await an_order(house, ann, await a_ready_dataset(house, ann)))
    for number in (1, 2):
        picture = await stored(house, f"{number}.png")
        artifact = await stored(house, f"{number}.safetensors")
        epoch = Epoch(number=number, step=100 * number, loss=0.5, artifact=artifact, samples=(picture,))
        await house.services.runs.passed(job.id, token, epoch, run=job.id)
    await house.services.jobs.finish(job.id, token, await well_done(house, await house.store.jobs.get(job.id)))
    return await house.services.models.of_run(ann, job.id)


async def test_a_model_is_shared_published_and_kept_again(api: Api, bob: Api, model: Model) -> None:
    path = f"/models/{model.id}"
    hidden = await bob.get(path)
    shared = await api.post(f"{path}/share", {"user": "bob"})
    _, theirs = await bob.get("/models", scope="shared")
    unshared = await api.post(f"{path}/unshare", {"user": "bob"})
    published = await api.post(f"{path}/publish", {"visibility": "public"})
    again = await api.post(f"{path}/publish", {})
    _, gallery = await bob.get("/models", scope="public", search="zor")
    private = await api.post(f"{path}/unpublish")
    gone = await bob.get(path)

    assert (hidden[0], gone[0]) == (404, 404)
    assert ([one["name"] for one in shared[1]["items"]], unshared[1]["items"]) == (["bob"], [])
    assert [one["id"] for one in theirs["items"]] == [model.id]
    assert (published[1]["standing"], again[0], again[1]["code"]) == ("public", 422, "model_state")
    assert [(one["id"], one["mine"], one["run"]) for one in gallery["items"]] == [(model.id, False, None)]
    assert (private[0], private[1]["visibility"]) == (200, "private")


async def test_an_edit_of_what_has_changed_meanwhile_is_refused(
    client: Client, house: House, ann: Actor, model: Model
) -> None:
    headers, path = await bearing(house, ann), f"/api/v1/models/{model.id}"
    async with client.get(path, headers=headers) as looked:
        tag = looked.headers["ETag"]
    async with client.get(path, headers=headers | {"If-None-Match": tag}) as same:
        assert same.status == 304
    api = Api(client, headers | {"If-Match": tag})
    first = await api.send("PATCH", f"/models/{model.id}", json={"description": "A robot.", "tags": ["red"]})
    second = await api.send("PATCH", f"/models/{model.id}", json={"description": "A lamp."})
    third = await api.send("DELETE", f"/models/{model.id}")
    anyway = await Api(client, headers).send("PATCH", f"/models/{model.id}", json={"licence": "cc0-1.0"})

    assert (first[0], first[1]["description"], first[1]["tags"]) == (200, "A robot.", ["red"])
    assert [(status, told["code"]) for status, told in (second, third)] == [(412, "not_as_seen")] * 2
    assert (anyway[1]["description"], anyway[1]["licence"]) == ("A robot.", "cc0-1.0")


async def test_a_model_is_renamed_and_deleted(api: Api, model: Model) -> None:
    path = f"/models/{model.id}"
    renamed = await api.post(f"{path}/rename", {"name": "Red Robot"})
    deleted = await api.send("DELETE", path)
    gone = await api.get(path)

    assert (renamed[1]["slug"], renamed[1]["names"]) == ("red-robot", ["zorp", "red-robot"])
    assert (deleted, gone[0]) == ((204, None), 404)


async def test_an_epoch_is_chosen_and_samples_are_shown(api: Api, model: Model) -> None:
    path = f"/models/{model.id}"
    _, before = await api.get(f"{path}/epochs")
    chosen = await api.post(f"{path}/epoch", {"step": 100})
    _, after = await api.get(f"{path}/epochs")
    missing = await api.post(f"{path}/epoch", {"step": 99})
    _, samples = await api.get(f"{path}/samples")
    shown = await api.send("PUT", f"{path}/samples", json={"numbers": [2]})
    wrong = await api.send("PUT", f"{path}/samples", json={"numbers": [9]})

    assert [(one["step"], one["chosen"]) for one in before["items"]] == [(100, False), (200, True)]
    assert (chosen[1]["step"], missing[0]) == (100, 404)
    assert [one["chosen"] for one in after["items"]] == [True, False]
    assert [one["number"] for one in samples["items"]] == [1, 2, 3]
    assert [one["name"] for one in shown[1]["pictures"]] == [samples["items"][1]["name"]]
    assert (wrong[0], wrong[1]["code"]) == (400, "bad_value")


async def test_files_come_by_links_and_downloads_of_others_are_counted(
    house: House, client: Client, api: Api, bob: Api, model: Model
) -> None:
    path = f"/models/{model.id}"
    await api.post(f"{path}/publish", {"visibility": "unlisted"})
    _, files = await bob.get(f"{path}/files")
    _, card = await bob.get(f"{path}/card")
    _, stats = await bob.get(f"{path}/stats")
    _, own = await api.get(f"{path}/stats")
    _, shown = await api.get(path)
    links = [one["link"].removeprefix(house.services.downloads.address) for one in (*files["items"], card)]
    fetched = [await client.get(link) for link in links]

    assert [one["name"] for one in files["items"]][:2] == ["zorp.safetensors", "README.md"]
    assert {(one.status, one.headers["Content-Disposition"].split(";")[0]) for one in fetched} == {(200, "attachment")}
    assert (shown["downloads"], stats["earned"], own["earned"]) == (1, None, 0)


async def test_a_stranger_changes_nothing_of_a_model_that_everybody_sees(api: Api, bob: Api, model: Model) -> None:
    path = f"/models/{model.id}"
    await api.post(f"{path}/publish", {})
    tried = [
        await bob.send("PATCH", path, json={"description": "mine"}),
        await bob.send("DELETE", path),
        await bob.send("PUT", f"{path}/samples", json={"numbers": []}),
        await bob.post(f"{path}/rename", {"name": "mine"}),
        await bob.post(f"{path}/publish", {"visibility": "unlisted"}),
        await bob.post(f"{path}/unpublish"),
        await bob.post(f"{path}/share", {"user": "bob"}),
        await bob.post(f"{path}/unshare", {"user": "bob"}),
        await bob.post(f"{path}/epoch", {"step": 100}),
        await bob.get(f"{path}/readers"),
        await bob.get(f"{path}/epochs"),
        await bob.get(f"{path}/samples"),
    ]

    assert [(status, told["code"]) for status, told in tried] == [(404, "not_found")] * len(tried)


async def test_models_come_in_pages(house: House, api: Api, ann: Actor) -> None:
    made = [await a_trained_model(house, ann, name=name) for name in ("zorp", "blip", "quux")]
    _, first = await api.get("/models", limit=2)
    _, second = await api.get("/models", limit=2, after=first["next"])
    wrong, told = await api.get("/models", after="x")

    assert (first["next"], second["next"]) == ("2", None)
    assert {one["id"] for page in (first, second) for one in page["items"]} == {one.id for one in made}
    assert (wrong, told["code"]) == (400, "malformed")
