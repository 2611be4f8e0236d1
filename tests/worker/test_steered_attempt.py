"""A training that runs hears what its owner wishes, and what it lacks is mended or found elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from core.domain.account import Actor
from core.domain.failure import Remedy
from core.domain.job import ATTEMPTS, Job, JobState
from core.domain.run import Run
from core.domain.steering import Steer
from core.kinds.training import Result
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.attempts import a_task, attempted, awaited
from tests.builders.scenes import (
    a_ready_dataset,
    an_order,
    claimed,
    prove_the_ledger,
    somebody,
    stored,
    taken_in,
    uploaded,
)
from worker.attempt import attempt
from worker.child import Child


def a_studio(name: str) -> Child:
    return Child(f"tests.worker.studios:{name}")


async def ordered(house: House, **overrides: str) -> tuple[Actor, Job]:
    ann = await somebody(house)
    return ann, await an_order(house, ann, await a_ready_dataset(house, ann), **overrides)


async def content(house: House, sha256: str) -> str:
    return b"".join([chunk async for chunk in house.blobs.open(sha256)]).decode()


@asynccontextmanager
async def under_way(house: House, job: Job, *, folder: Path) -> AsyncIterator[asyncio.Task[bool]]:
    """Attempt a job in the background; it has passed its first epoch."""
    found, _ = await claimed(house, job)
    async with a_studio("Steered") as child:
        task = a_task(house, found, studio=child, folder=folder)
        running = asyncio.create_task(attempt(task, stop=asyncio.Event()))
        await awaited(lambda: passed(house, job))
        yield running
        await asyncio.wait_for(running, 60)


async def passed(house: House, job: Job) -> bool:
    return bool((await house.store.runs.get(job.id)).epochs)


async def done(house: House, job: Job, key: str) -> bool:
    return any(wish.key == key and wish.done_at for wish in (await house.store.jobs.get(job.id)).wishes)


async def test_samples_and_a_copy_come_while_it_goes_on_and_then_it_stops_at_an_epoch(
    house: House, tmp_path: Path
) -> None:
    ann, job = await ordered(house, steps="1500")
    wish = house.services.steerings.wish
    async with under_way(house, job, folder=tmp_path) as running:
        await wish(ann, job.id, Steer.SAMPLE, key="k1")
        await wish(ann, job.id, Steer.SAVE, key="k2")
        await awaited(lambda: done(house, job, "k1"))
        await awaited(lambda: done(house, job, "k2"))
        assert not running.done()
        await wish(ann, job.id, Steer.STOP, key="k3", number=1)
    run, after = await house.store.runs.get(job.id), await house.store.jobs.get(job.id)
    result = Result.model_validate(after.result)
    (glimpse,) = run.glimpses
    (copy,) = [epoch for epoch in run.epochs if epoch.wished]
    assert await content(house, copy.artifact.sha256) == f"saved {copy.step}"
    assert len(glimpse.samples) == 1
    assert await content(house, result.artifact.sha256) == "epoch at 20"
    assert result.step
    assert result.step < 1500
    assert [point.step for point in await house.store.runs.chart(job.id)] == list(range(1, result.step + 1))
    assert after.state is JobState.SUCCEEDED
    assert after.due == 10 + -(-75 * result.step // 1500)
    await prove_the_ledger(house.store)


async def test_a_name_like_a_path_leads_nowhere_on_the_worker(house: House, tmp_path: Path) -> None:
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="../../../out/zorp", trigger="zorp")
    await taken_in(house, await uploaded(house, ann, dataset, "1.png", "2.png", "3.png"))
    ready = (await house.services.datasets.view(ann, dataset.id)).dataset
    job, folder = await an_order(house, ann, ready, steps="1500"), tmp_path / "a" / "b" / "c"
    folder.mkdir(parents=True)

    async with under_way(house, job, folder=folder):
        await house.services.steerings.wish(ann, job.id, Steer.STOP, key="k1", number=1)

    assert (await house.store.jobs.get(job.id)).state is JobState.SUCCEEDED
    assert not (folder.parent / "out").exists()


async def test_a_training_that_is_extended_goes_on(house: House, tmp_path: Path) -> None:
    ann, job = await ordered(house, steps="100")
    async with under_way(house, job, folder=tmp_path):
        more = await house.services.steerings.extension(ann, job.id, 20)
        await house.services.steerings.extend(ann, job.id, 20, price=more.price, key="k1")
    run, after = await house.store.runs.get(job.id), await house.store.jobs.get(job.id)
    assert [point.step for point in await house.store.runs.chart(job.id)] == list(range(1, 121))
    assert (run.steps, Result.model_validate(after.result).step) == (120, 120)
    assert after.due == after.price == 15 + more.price
    await prove_the_ledger(house.store)


async def test_what_the_memory_does_not_hold_is_computed_bit_by_bit(house: House, tmp_path: Path) -> None:
    _, job = await ordered(house, steps="20", batch="4")
    async with a_studio("Cramped") as studio:
        after = await attempted(house, job, studio=studio, folder=tmp_path)
    assert (after.state, after.attempt) == (JobState.SUCCEEDED, 1)
    run = await house.store.runs.get(job.id)
    assert run.remedies == (Remedy.CHECKPOINTING, Remedy.SMALL_BATCH)
    assert settings(run) == {"checkpointing": True, "batch": 1, "accumulation": 4}
    assert [point.step for point in await house.store.runs.chart(job.id)] == list(range(11, 21))


def settings(run: Run) -> dict[str, object]:
    return {name: run.hyperparameters[name] for name in ("checkpointing", "batch", "accumulation")}


async def test_a_training_is_begun_anew_where_its_checkpoint_cannot_be_read(house: House, tmp_path: Path) -> None:
    _, job = await ordered(house, steps="10")
    found, token = await claimed(house, job)
    await house.services.jobs.checkpoint(job.id, token, await stored(house, "5"))
    await house.services.jobs.release(job.id, token)
    async with a_studio("Forgetful") as studio:
        after = await attempted(house, found, studio=studio, folder=tmp_path)
    assert after.state is JobState.SUCCEEDED
    assert [point.step for point in await house.store.runs.chart(job.id)] == list(range(1, 11))


async def test_a_checkpoint_that_has_gone_for_newer_ones_is_passed_over(house: House, tmp_path: Path) -> None:
    _, job = await ordered(house, steps="10")
    async with a_studio("Tidy") as studio:
        after = await attempted(house, job, studio=studio, folder=tmp_path)
    assert (after.state, after.attempt) == (JobState.SUCCEEDED, 1)


async def test_what_a_worker_lacks_is_looked_for_elsewhere_and_at_last_paid_back(
    house: House, clock: HandClock, tmp_path: Path
) -> None:
    ann, job = await ordered(house)
    async with a_studio("Lacking") as studio:
        for number in range(1, ATTEMPTS):
            after = await attempted(house, job, studio=studio, folder=tmp_path)
            assert (after.state, after.attempt, after.shunned) == (JobState.QUEUED, number, "w1")
            assert after.not_before <= clock.now() < (after.shunned_until or clock.now())
            clock.advance((after.shunned_until or clock.now()) - clock.now())
        after = await attempted(house, job, studio=studio, folder=tmp_path)
    assert after.failure
    assert (after.failure.code, after.failure.ours) == ("base_missing", True)
    assert "/models" not in after.failure.words, "that is the operators' affair"
    assert (await house.services.wallets.view(ann)).total == 100


async def test_a_full_disk_is_no_reason_to_fail_where_another_worker_has_room(house: House, tmp_path: Path) -> None:
    _, job = await ordered(house)
    items = tmp_path / f"{job.id}-1" / "items"
    items.mkdir(parents=True)
    (items / "00000").symlink_to("/dev/full")
    async with a_studio("Quick") as studio:
        after = await attempted(house, job, studio=studio, folder=tmp_path)
    assert (after.state, after.shunned) == (JobState.QUEUED, "w1")


async def test_every_line_of_an_attempt_says_whose_it_is(house: House, tmp_path: Path) -> None:
    _, job = await ordered(house)
    with capture_logs(processors=[merge_contextvars]) as lines:
        async with a_studio("Crowded") as studio:
            await attempted(house, job, studio=studio, folder=tmp_path)
    assert [line["event"] for line in lines] == [
        "job.claimed",
        "memory.short",
        "memory.short",
        "job.failed",
        "job.ended",
    ]
    assert {(line["job"], line["attempt"]) for line in lines} == {(job.id, 1)}
