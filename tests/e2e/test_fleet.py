"""A fleet that is rolled: a worker that is drained ends its job, leaves and is replaced; Prometheus sees it all."""

import asyncio
import json
import socket
from pathlib import Path

import psutil
import pytest
from aiohttp import ClientError, ClientSession
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from core.domain.account import Actor
from core.domain.fleet import Worker
from core.domain.job import Job, JobState
from core.domain.switch import of_worker
from loraguild.composition import House
from tests.builders.attempts import awaited
from tests.builders.entities import HOME
from tests.builders.scenes import Upload, somebody
from tests.e2e.processes import LORAGUILD, a_house, ended, environment, started
from tests.e2e.training_scene import ordered, over, with_checkpoint
from tests.worker.pictures import a_picture, encoded

pytestmark = pytest.mark.timeout(900)


def ports(count: int) -> list[int]:
    """Ports that are free now."""
    free = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in free]
    finally:
        for one in free:
            one.close()


async def scraped(port: int) -> list[Sample]:
    """What Prometheus reads at a port, once somebody answers there."""

    async def look() -> str | None:
        try:
            async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                return await answer.text() if answer.ok else None
        except ClientError:
            return None

    families = text_string_to_metric_families(await awaited(look, seconds=60))
    return [sample for family in families for sample in family.samples]


def counted(samples: list[Sample], name: str, **labels: str) -> float:
    return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


async def the_worker(house: House, *, apart_from: str = "") -> Worker:
    """Wait for a live worker that is another."""

    async def look() -> Worker | None:
        return next((one for one in await house.services.jobs.workers() if one.id != apart_from), None)

    return await awaited(look, seconds=100)


async def a_small_job(house: House, actor: Actor) -> Job:
    dataset = await house.services.datasets.create(actor, name="small", trigger="zorp")
    picture = Upload(name="small.png", content=encoded(a_picture()))
    return await house.services.intakes.add(actor, dataset, [picture], place=HOME, key="small")


async def gone(house: House, worker: Worker) -> bool:
    return await house.store.workers.find(worker.id) is None and not psutil.pid_exists(worker.pid)


async def test_a_drained_worker_ends_its_job_leaves_and_is_replaced(tmp_path: Path) -> None:
    pages, counters = ports(2)
    env = {**environment(tmp_path), "WEB_PORT": str(pages), "METRICS_PORT": str(counters), "LOG_JSON": "true"}
    async with a_house(tmp_path) as house:
        root = await somebody(house, "root")
        with started(*LORAGUILD, "up", data=tmp_path, env=env, log="up.log") as up:
            first = await the_worker(house)
            job = await with_checkpoint(house, await ordered(house))
            for on in (False, True, False):
                await house.services.operations.turn(root, of_worker(first.id), on=on)
            seen = await scraped(counters)
            waiting = await a_small_job(house, root)
            done = await over(house, job, seconds=300)
            later = await over(house, waiting, seconds=300)
            second = await the_worker(house, apart_from=first.id)
            after = await scraped(pages)
            assert await awaited(lambda: gone(house, first))
            assert up.is_running()
            up.terminate()
            assert await ended(up, seconds=60) == 0

    assert (done.state, done.attempt, done.worker) == (JobState.SUCCEEDED, 1, first.id)
    assert (later.state, later.attempt, later.worker) == (JobState.SUCCEEDED, 1, second.id)
    assert (second.version, second.host) == (first.version, first.host)
    assert counted(seen, "loraguild_worker_jobs", kind="training") == 1
    assert counted(seen, "loraguild_attempts_ended_total", kind="intake", outcome="succeeded") == 1
    assert counted(after, "loraguild_workers", version=first.version) >= 1
    assert counted(after, "loraguild_blobs") > 0
    await prove_the_log(tmp_path / "up.log", job, first)


async def prove_the_log(log: Path, job: Job, worker: Worker) -> None:
    """Assert that each line about the job says which, of what kind, at which attempt and by which worker."""
    lines = (await asyncio.to_thread(log.read_text)).splitlines()
    events = [json.loads(line.partition("│")[2]) for line in lines if line.startswith("worker-1 │ {")]
    about = [event for event in events if event.get("job") == job.id]
    assert {event["event"] for event in about} >= {"job.claimed", "job.ended"}
    assert {(one["kind"], one["attempt"], one["worker"]) for one in about} == {("training", 1, worker.id)}
    assert [event["worker"] for event in events if event["event"] == "worker.drained"] == [worker.id]
