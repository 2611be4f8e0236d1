"""The main road by the API: offerings, a price, an order, what comes of it, and what its owner can tell it."""

from collections.abc import Mapping
from typing import Any

import pytest

from core.domain.account import Actor
from core.domain.dataset import Dataset
from core.domain.job import Job, Progress
from core.domain.run import Epoch, Glimpse, MetricsPoint
from core.domain.token import Scope
from loraguild.composition import House
from tests.builders.api import Api
from tests.builders.scenes import (
    BROKEN,
    a_ready_dataset,
    a_worker,
    an_order,
    claimed,
    finished,
    given,
    somebody,
    stored,
    well_done,
)
from tests.builders.visits import Client, bearing
from web.api.route import PREFIX


@pytest.fixture
async def api(house: House, client: Client, ann: Actor) -> Api:
    return Api(client, await bearing(house, ann))


@pytest.fixture
async def ready(house: House, ann: Actor) -> Dataset:
    return await a_ready_dataset(house, ann)


async def running(house: House, ann: Actor, dataset: Dataset) -> tuple[Job, str]:
    """A training of 200 steps and 20 points at step 50, with an epoch and a point of its chart."""
    job, token = await claimed(house, await an_order(house, ann, dataset))
    samples = (await stored(house, "epoch.png"),)
    epoch = Epoch(number=1, step=40, loss=0.5, artifact=await stored(house, "one.safetensors"), samples=samples)
    await house.services.runs.passed(job.id, token, epoch, run=job.id)
    points = [MetricsPoint(step=step, loss=1.0, lr=0.1) for step in (49, 50)]
    progress = Progress(step=50, total=200, doing="training")
    await house.services.jobs.report(job.id, token, progress=progress, points=points)
    return job, token


async def test_an_offering_says_all_that_a_form_needs(api: Api) -> None:
    _, listed = await api.get("/training-offerings")
    status, tiny = await api.get("/training-offerings/tiny")
    missing, _ = await api.get("/training-offerings/none")

    assert tiny in listed["items"]
    assert (status, missing) == (200, 404)
    assert (tiny["on"], tiny["takes"], "location" in str(tiny["base"])) == (True, "images", False)
    assert tiny["presets"]["fast"]["price"] == 20
    assert tiny["presets"]["fast"]["settings"]["steps"] == 200
    steps = next(one for one in tiny["settings"] if one["name"] == "steps")
    assert (steps["kind"], steps["high"] >= 200, bool(steps["description"])) == ("whole number", True, True)


async def test_a_training_is_ordered_once_and_followed_to_its_model(
    house: House, client: Client, api: Api, ready: Dataset
) -> None:
    wish = {"dataset": ready.id, "offering": "tiny", "preset": "fast", "settings": {"rank": 8}, "seed": 7}
    asked, quote = await api.post("/quotes", wish)
    again, same = await api.get(f"/quotes/{quote['id']}")
    order = {"quote": quote["id"], "attested": quote["attest"]["version"]}
    unsaid, refused = await api.post("/trainings", {"quote": quote["id"]}, key="first")
    first = await api.post("/trainings", order, key="second")
    replayed = await api.post("/trainings", order, key="second")
    other, reused = await api.post("/trainings", {"quote": "other"}, key="second")
    keyless, told = await api.post("/trainings", order)
    job = await house.store.jobs.get(first[1]["id"])
    await finished(house, job)
    _, done = await api.get(f"/trainings/{job.id}")
    async with client.get(done["files"][-1]["link"].removeprefix(house.services.downloads.address)) as answer:
        fetched = await answer.read()

    assert (asked, again, same) == (201, 200, quote)
    assert (quote["price"], quote["left"], quote["settings"]["rank"], quote["seed"]) == (20, 80, 8, 7)
    assert (unsaid, refused["code"]) == (422, "not_attested")
    assert (first[0], replayed) == (201, first)
    assert (other, reused["code"], keyless, told["code"]) == (422, "key_reused", 400, "key_missing")
    assert (first[1]["state"], first[1]["run"]["seed"], first[1]["files"]) == ("queued", 7, [])
    assert (done["state"], done["due"], done["receipt"]) == (
        "succeeded",
        20,
        f"{house.services.uploads.address}{PREFIX}/receipts/{job.id}",
    )
    assert done["model"]
    assert fetched


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"settings": {"steps": "many"}}, 400, "bad_value"),
        ({"settings": {"steps": 10**9}}, 400, "out_of_bounds"),
        ({"settings": {"colour": 1}}, 400, "unknown_parameter"),
        ({"preset": "none"}, 400, "bad_value"),
        ({"gpu": "none"}, 400, "bad_value"),
        ({"from": "none"}, 404, "not_found"),
        ({"seed": -1}, 400, "malformed"),
        ({"settings": {"steps": True}}, 400, "malformed"),
        ({"dataset": "none"}, 404, "not_found"),
        ({"offering": "none"}, 404, "not_found"),
        ({"strange": 1}, 400, "malformed"),
    ],
)
async def test_a_wish_that_cannot_be_is_explained(
    api: Api, ready: Dataset, *, wish: Mapping[str, Any], status: int, code: str
) -> None:
    answered, told = await api.post("/quotes", {"dataset": ready.id, "offering": "tiny", **wish})

    assert (answered, told["code"]) == (status, code)


async def test_a_running_training_shows_what_it_does(house: House, api: Api, ann: Actor, ready: Dataset) -> None:
    job, token = await running(house, ann, ready)
    await api.post(f"/trainings/{job.id}/steer", {"what": "sample"}, key="look")
    await house.services.steerings.sampled(
        job.id, token, Glimpse(step=50, samples=(await stored(house, "glimpse.png"),))
    )
    _, shown = await api.get(f"/trainings/{job.id}")
    _, metrics = await api.get(f"/trainings/{job.id}/metrics", after=49)
    _, samples = await api.get(f"/trainings/{job.id}/samples")

    assert (shown["progress"]["step"], [one["what"] for one in shown["wishes"]]) == (50, ["sample"])
    assert shown["wishes"][0]["done_at"]
    assert [(one["name"], one["step"], one["gone"]) for one in shown["run"]["epochs"]] == [("1", 40, False)]
    assert (shown["files"], shown["model"]) == ([], None)
    assert metrics == {"job": job.id, "points": [{"step": 50, "loss": 1.0, "lr": 0.1}]}
    assert [(one["step"], one["epoch"], one["files"][0]["name"]) for one in samples["items"]] == [
        (40, "1", "epoch.png"),
        (50, None, "glimpse.png"),
    ]


async def test_a_running_training_is_told_to_go_on_and_to_stop(
    house: House, api: Api, ann: Actor, ready: Dataset
) -> None:
    job, _ = await running(house, ann, ready)
    path = f"/trainings/{job.id}"
    _, more = await api.get(f"{path}/extension", steps=100)
    longer = {"what": "extend", "steps": 100, "price": more["price"]}
    extended = await api.post(f"{path}/steer", longer, key="more")
    outdated, told = await api.post(f"{path}/steer", {**longer, "price": 0}, key="cheap")
    half, why = await api.post(f"{path}/steer", {"what": "extend", "steps": 100}, key="half")
    _, ending = await api.get(f"{path}/ending", epoch=1)
    stopped, after = await api.post(f"{path}/steer", {"what": "stop", "epoch": 1}, key="enough")
    never, gone = await api.post(f"{path}/steer", {"what": "stop", "epoch": 9}, key="nine")

    assert (more["until"], more["steps"], more["price"]) == (300, 100, 5)
    assert (extended[0], extended[1]["price"], extended[1]["run"]["steps"]) == (200, 25, 300)
    assert (outdated, told["code"], half, why["code"]) == (409, "outdated", 400, "malformed")
    assert (ending["epoch"], ending["price"], 10 <= ending["due"] < 25) == (1, 25, True)
    assert (stopped, [(one["what"], one["number"]) for one in after["wishes"]]) == (
        200,
        [("extend", 100), ("stop", 1)],
    )
    assert (never, gone["code"]) == (404, "not_found")


async def test_a_waiting_training_says_why_and_is_called_off(
    house: House, api: Api, ann: Actor, ready: Dataset
) -> None:
    await a_worker(house)
    job = await an_order(house, ann, ready)
    _, why = await api.get(f"/trainings/{job.id}/why")
    _, shown = await api.get(f"/trainings/{job.id}")
    steered, told = await api.post(f"/trainings/{job.id}/steer", {"what": "sample"}, key="early")
    cancelled, after = await api.post(f"/trainings/{job.id}/cancel")
    twice, ended = await api.post(f"/trainings/{job.id}/cancel")

    assert (shown["place"], cancelled, after["place"]) == (1, 200, None)
    assert (why["place"], why["workers"], why["wanting"], why["blocked_by"]) == (1, 1, [], [])
    assert (steered, told["code"]) == (422, "not_steerable")
    assert (cancelled, after["state"], twice, ended["code"]) == (200, "cancelled", 422, "job_ended")
    assert (await house.services.wallets.view(ann)).free == 100


async def test_a_training_that_failed_is_tried_again(house: House, api: Api, ann: Actor, ready: Dataset) -> None:
    job = await an_order(house, ann, ready, rank="8")
    early, told = await api.post(f"/trainings/{job.id}/retry")
    await finished(house, job, BROKEN)
    status, retried = await api.post(f"/trainings/{job.id}/retry")

    assert (early, told["code"], status) == (422, "nothing_to_do", 200)
    assert (retried["training"] is None) != (retried["wanted"] is None)


async def test_trainings_come_in_pages_and_by_state(house: House, api: Api, ann: Actor, ready: Dataset) -> None:
    await given(house, ann, 100)
    jobs = [await an_order(house, ann, ready) for _ in range(5)]
    await house.services.jobs.cancel(ann, jobs[2].id)
    seen, after = [], ""
    while after is not None:
        _, page = await api.get("/trainings", limit=2, **({"after": after} if after else {}))
        seen.append([one["id"] for one in page["items"]])
        after = page["next"]
    _, cancelled = await api.get("/trainings", state="cancelled")
    _, everything = await api.get("/jobs", limit=100)
    strange, told = await api.get("/trainings", after="none")

    assert [len(page) for page in seen] == [2, 2, 1]
    assert {one for page in seen for one in page} == {job.id for job in jobs}
    assert [one["id"] for one in cancelled["items"]] == [jobs[2].id]
    assert {one["kind"] for one in everything["items"]} == {"training", "intake", "validation"}
    assert (strange, told["code"]) == (404, "not_found")


async def test_a_stranger_sees_and_touches_nothing(house: House, client: Client, ann: Actor, ready: Dataset) -> None:
    quoted = await house.services.trainings.quote(
        ann, ready, house.services.trainings.offerings["tiny"], preset="fast", overrides={}
    )
    job, _ = await running(house, ann, ready)
    bob = Api(client, await bearing(house, await somebody(house, "bob")))
    own = f"/trainings/{job.id}"
    looks = [await bob.get(path) for path in (f"/quotes/{quoted.quote.id}", f"/jobs/{job.id}", own)]
    looks += [await bob.get(own + path) for path in ("/metrics", "/samples", "/why", "/ending", "/extension?steps=1")]
    looks += [await bob.get(own + "/events"), await bob.post(own + "/cancel"), await bob.post(own + "/retry")]
    looks += [await bob.post("/trainings", {"quote": quoted.quote.id}, key="mine")]
    looks += [await bob.post(own + "/steer", {"what": "stop"}, key="stop")]

    assert [(status, told["code"]) for status, told in looks] == [(404, "not_found")] * len(looks)


async def test_a_token_that_only_reads_orders_nothing(house: House, client: Client, ann: Actor, ready: Dataset) -> None:
    reader = Api(client, await bearing(house, ann, [Scope.READ]))
    job, _ = await running(house, ann, ready)
    looked, _ = await reader.get(f"/trainings/{job.id}")
    tried = [
        await reader.post("/quotes", {"dataset": ready.id, "offering": "tiny"}),
        await reader.post("/trainings", {"quote": "any"}, key="one"),
        await reader.post(f"/trainings/{job.id}/cancel"),
    ]

    assert looked == 200
    assert [(status, told["code"]) for status, told in tried] == [(403, "token_too_narrow")] * 3


@pytest.mark.usefixtures("ready")
async def test_other_jobs_are_no_trainings(house: House, api: Api, ann: Actor) -> None:
    intake = next(job for job in await house.store.jobs.owned(ann.account) if job.kind == "intake")
    shown, _ = await api.get(f"/jobs/{intake.id}")
    status, told = await api.get(f"/trainings/{intake.id}")

    assert (shown, status, told["code"]) == (200, 404, "not_found")


async def test_an_epoch_is_handed_out_only_when_it_is_paid_for(
    house: House, api: Api, ann: Actor, ready: Dataset
) -> None:
    job, token = await running(house, ann, ready)
    _, before = await api.get(f"/trainings/{job.id}")
    await house.services.jobs.finish(job.id, token, await well_done(house, await house.store.jobs.get(job.id)))
    _, after = await api.get(f"/trainings/{job.id}")

    assert before["files"] == []
    assert "one.safetensors" in {file["name"] for file in after["files"]}
