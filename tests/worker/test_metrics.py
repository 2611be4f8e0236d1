"""What a worker counts, as Prometheus reads it."""

import asyncio
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.domain.errors import PortTaken
from loraguild.composition import House
from tests.builders.attempts import a_floor
from tests.builders.scenes import somebody, uploaded
from worker.loop import work
from worker.metrics import Metrics


def scraped(port: int) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


async def test_prometheus_reads_what_became_of_jobs(house: House, tmp_path: Path) -> None:
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    await uploaded(house, ann, dataset, "a.png")
    floor = a_floor(house, tmp_path, kinds=("intake",))
    floor.metrics.describe(floor.worker)

    assert await work(floor, once=True, stop=asyncio.Event()) == 1
    with floor.metrics.served(host="127.0.0.1", port=0) as port:
        found = await asyncio.to_thread(scraped, port)
        with (
            pytest.raises(PortTaken, match="Set METRICS_PORT to a free one"),
            Metrics().served(host="127.0.0.1", port=port),
        ):
            pass

    intake = ("kind", "intake")
    assert found["loraguild_jobs_claimed_total", frozenset({intake})] == 1
    assert found["loraguild_attempts_ended_total", frozenset({intake, ("outcome", "succeeded")})] == 1
    assert found["loraguild_attempt_seconds_count", frozenset({intake})] == 1
    assert found["loraguild_worker_jobs", frozenset({intake})] == 0
    assert {dict(labels)["id"] for name, labels in found if name == "loraguild_worker_info"} == {"w1"}
    assert not {name for _, labels in found for name, _ in labels} & {"owner", "account", "job", "user"}
