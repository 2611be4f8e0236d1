"""What Prometheus reads of the whole house, and who else may."""

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from core.domain.fleet import STALE_AFTER
from core.ports.clock import HandClock, RandomIds
from core.services.censuses import LATELY, SLOWLY
from loraguild.composition import House, assembled
from tests.builders.scenes import a_ready_dataset, a_worker, an_order, claimed, finished, somebody
from web.app import application

Client = TestClient[web.Request, web.Application]
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def scraped(client: Client, **facts: Any) -> Samples:
    answer = await client.get("/metrics", **facts)
    assert (answer.status, answer.content_type) == (200, "text/plain")
    families = text_string_to_metric_families(await answer.text())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def summed(samples: Samples, name: str, **labels: str) -> float:
    wanted = set(labels.items())
    return sum(value for (known, having), value in samples.items() if known == name and wanted <= having)


async def test_the_house_is_counted_when_it_is_asked(house: House, clock: HandClock, client: Client) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    done = await finished(house, await an_order(house, ann, dataset))
    job = await an_order(house, ann, dataset)
    before = await scraped(client)
    clock.advance(STALE_AFTER + SLOWLY)
    await a_worker(house, "late", version="2.0")
    await claimed(house, job, worker="late")
    after = await scraped(client)

    assert summed(before, "loraguild_jobs_queued", kind="training") == 1
    assert summed(before, "loraguild_jobs_oldest_seconds", kind="training") == 0
    assert summed(before, "loraguild_held_points") == job.price
    assert summed(before, "loraguild_revenue_points") == done.price
    assert summed(before, "loraguild_blobs") > 0
    assert summed(before, "loraguild_blob_bytes") > 0
    assert summed(before, "loraguild_notices_due", platform="console") > 0
    assert [summed(after, f"loraguild_jobs_{state}", kind="training") for state in ("queued", "running")] == [0, 1]
    assert summed(before, "loraguild_workers", state="alive") == 1
    assert {labels: value for (name, labels), value in after.items() if name == "loraguild_workers"} == {
        frozenset({("version", ""), ("state", "stale")}): 1,
        frozenset({("version", ""), ("state", "alive")}): 1,
    }
    assert not {label for _, labels in after for label, _ in labels} & {"owner", "account", "user", "job"}


async def test_who_asks_often_is_told_what_was_counted_last(house: House, clock: HandClock, client: Client) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    before = await scraped(client)
    await an_order(house, ann, dataset)
    soon = await scraped(client)
    clock.advance(LATELY)

    counts = [summed(seen, "loraguild_jobs_queued", kind="training") for seen in (before, soon, await scraped(client))]
    assert counts == [0, 0, 1]


@pytest.mark.parametrize(("given", "status"), [("Bearer right", 200), ("Bearer wrong", 404), ("", 404)])
async def test_a_token_is_asked_of_everybody(house: House, given: str, status: int) -> None:
    app = application(services=house.services, blobs=house.blobs, metrics_token="right")
    async with TestClient(TestServer(app)) as client:
        assert (await client.get("/metrics", headers={"Authorization": given})).status == status


async def test_without_a_token_pages_that_others_reach_say_nothing(house: House) -> None:
    public = house.settings.model_copy(update={"public_url": "https://bot.example.org"})
    services = assembled(public, store=house.store, blobs=house.blobs, clock=HandClock(), ids=RandomIds())
    async with TestClient(TestServer(application(services=services, blobs=house.blobs))) as client:
        assert (await client.get("/metrics")).status == 404
