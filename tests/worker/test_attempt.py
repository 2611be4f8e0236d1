"""Every way in which an attempt can end, and what becomes of the job and its money."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import psutil
import pytest

from config.settings import Settings
from core.domain.account import Actor
from core.domain.artifact import Artifact
from core.domain.errors import LeaseLost
from core.domain.job import ATTEMPTS, LEASE, Failure, Job, JobState
from core.domain.ledger import Act
from core.domain.run import MetricsPoint
from core.domain.value import Value
from core.kinds import training
from core.ports.clock import HandClock, Ids
from core.ports.store import Repositories
from loraguild.composition import House, opened
from tests.builders.attempts import PATIENCE, a_task, attempted, awaited
from tests.builders.scenes import a_ready_dataset, an_order, claimed, prove_the_ledger, somebody, well_done
from worker.attempt import attempt
from worker.child import Child

OFFERINGS = Path(__file__).parents[1] / "builders" / "offerings"


def a_studio(name: str) -> Child:
    return Child(f"tests.worker.studios:{name}")


async def ordered(house: House, **overrides: str) -> tuple[Actor, Job]:
    """Order a training of 20 points out of 100."""
    ann = await somebody(house)
    return ann, await an_order(house, ann, await a_ready_dataset(house, ann), **overrides)


async def acts(house: House, job: Job) -> list[Act]:
    return sorted(transaction.act for transaction in await house.store.ledger.about(job.id))


async def purse(house: House, ann: Actor) -> int:
    return (await house.services.wallets.view(ann)).total


@asynccontextmanager
async def under_way(
    house: House, job: Job, *, studio: str, folder: Path
) -> AsyncIterator[tuple[asyncio.Task[bool], asyncio.Event, Job]]:
    """Attempt a job in the background; it has reported its first step."""
    found, _ = await claimed(house, job)
    stop = asyncio.Event()
    async with a_studio(studio) as child:
        running = asyncio.create_task(attempt(a_task(house, found, studio=child, folder=folder), stop=stop))
        await awaited(lambda: house.store.runs.chart(job.id))
        yield running, stop, found
        await asyncio.wait({running}, timeout=PATIENCE)
        assert running.done()


async def checkpoint_of(house: House, job: Job) -> Artifact | None:
    return (await house.store.jobs.get(job.id)).checkpoint


async def child_of(house: House, job: Job) -> psutil.Process:
    """The process that works on it: these studios report their pid as the loss of the first step."""
    return psutil.Process(int((await house.store.runs.chart(job.id))[0].loss))


async def test_a_training_that_ends_well_is_charged_once(house: House, tmp_path: Path) -> None:
    ann, job = await ordered(house, steps="10")
    async with a_studio("Quick") as studio:
        after = await attempted(house, job, studio=studio, folder=tmp_path)
    assert after.state is JobState.SUCCEEDED
    assert after.attempt == 1
    assert [point.step for point in await house.store.runs.chart(job.id)] == list(range(1, 11))
    assert await acts(house, job) == [Act.CAPTURE, Act.HOLD]
    assert await purse(house, ann) == 100 - job.price
    await prove_the_ledger(house.store)


@pytest.mark.parametrize(
    ("studio", "failure"),
    [
        (
            "Diverging",
            Failure(
                code="nan_loss",
                ours=False,
                words="The loss is no longer a number at step 3. Order it again with a lower learning rate.",
            ),
        ),
        (
            "Crowded",
            Failure(
                code="out_of_memory",
                words="The device has too little memory for this. Nothing was left that saves memory. Order it again "
                "at a smaller size or rank.",
            ),
        ),
    ],
)
async def test_a_foreseen_failure_is_told_and_paid_back(
    house: House, tmp_path: Path, studio: str, failure: Failure
) -> None:
    ann, job = await ordered(house)
    async with a_studio(studio) as child:
        after = await attempted(house, job, studio=child, folder=tmp_path)
    assert after.state is JobState.FAILED
    assert after.failure == failure
    assert await acts(house, job) == [Act.HOLD, Act.RELEASE]
    assert await purse(house, ann) == 100
    await prove_the_ledger(house.store)


async def test_what_nobody_foresaw_is_told_with_a_reference(house: House, tmp_path: Path) -> None:
    ann, job = await ordered(house)
    async with a_studio("Stumbling") as studio:
        after = await attempted(house, job, studio=studio, folder=tmp_path)
    assert after.failure
    assert after.failure.code == "broke"
    reference = after.failure.words.removeprefix("Something broke; reference ").removesuffix(".")
    assert len(bytes.fromhex(reference)) == 4
    assert await purse(house, ann) == 100


class Unsettled:
    """A training whose result fits nowhere."""

    Payload: type[Value] = training.Payload
    Result: type[Value] = training.Result

    async def settle(self, tx: Repositories, job: Job, result: Value | None, *, ids: Ids, now: datetime) -> None:  # noqa: ARG002 - the shape of a kind
        if result:
            raise ZeroDivisionError


async def test_a_result_that_cannot_be_settled_has_broken(house: House, tmp_path: Path) -> None:
    _, job = await ordered(house)
    jobs = replace(house.services.jobs, kinds={"training": Unsettled()})
    broken = replace(house, services=replace(house.services, jobs=jobs))
    async with a_studio("Quick") as studio:
        after = await attempted(broken, job, studio=studio, folder=tmp_path)
    assert after.failure
    assert after.failure.code == "broke"


async def test_an_attempt_whose_child_is_killed_is_made_again_and_at_last_given_up(
    house: House, clock: HandClock, tmp_path: Path
) -> None:
    ann, job = await ordered(house)
    async with a_studio("Doomed") as studio:
        for number in range(1, ATTEMPTS):
            after = await attempted(house, job, studio=studio, folder=tmp_path)
            assert (after.state, after.attempt, after.token) == (JobState.QUEUED, number, None)
            assert after.not_before > clock.now()
            clock.advance(after.not_before - clock.now())
        assert await purse(house, ann) == 100 - job.price
        after = await attempted(house, job, studio=studio, folder=tmp_path)
    assert after.failure == Failure(
        code="attempts_used_up",
        words="It was tried 5 times in vain. The last time, the child process ended with exit code -9.",
    )
    assert await acts(house, job) == [Act.HOLD, Act.RELEASE]
    assert await purse(house, ann) == 100


async def test_a_cancelled_attempt_ends_with_its_next_report_and_the_hold_is_back_at_once(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.attempt.HEARTBEAT", 3600.0)
    ann, job = await ordered(house)
    async with under_way(house, job, studio="Endless", folder=tmp_path) as (running, _, _):
        child = await child_of(house, job)
        await house.services.jobs.cancel(ann, job.id)
        assert await purse(house, ann) == 100
        assert await acts(house, job) == [Act.HOLD, Act.RELEASE]
        assert await asyncio.wait_for(running, PATIENCE) is False
        assert gone(child)
    assert (await house.store.jobs.get(job.id)).state is JobState.CANCELLED
    await prove_the_ledger(house.store)


async def test_an_attempt_whose_lease_was_taken_changes_nothing(house: House, clock: HandClock, tmp_path: Path) -> None:
    _, job = await ordered(house)

    async def expired() -> list[Job]:
        clock.advance(LEASE)  # unless there is a report before anybody looks
        return await house.services.jobs.expire()

    async with under_way(house, job, studio="Endless", folder=tmp_path) as (running, _, stale):
        assert [taken.id for taken in await awaited(expired)] == [job.id]
        current, token = await claimed(house, job, worker="w2")
        assert await asyncio.wait_for(running, PATIENCE) is False
    assert await house.store.jobs.get(job.id) == current
    assert (current.attempt, current.lost) == (2, ("w1",))
    for late in (
        house.services.jobs.release(job.id, str(stale.token)),
        house.services.jobs.retry(job.id, str(stale.token)),
        house.services.jobs.finish(job.id, str(stale.token), Failure(code="late", words="Late.")),
    ):
        with pytest.raises(LeaseLost):
            await late
    assert await house.store.jobs.get(job.id) == current
    done = await house.services.jobs.finish(job.id, token, await well_done(house, current))
    assert done.state is JobState.SUCCEEDED


async def test_a_worker_that_leaves_hands_over_and_the_next_goes_on(house: House, tmp_path: Path) -> None:
    _, job = await ordered(house, steps="60")
    async with under_way(house, job, studio="Lingering", folder=tmp_path) as (running, stop, _):
        await awaited(lambda: checkpoint_of(house, job))
        stop.set()
        assert await asyncio.wait_for(running, PATIENCE) is False
    left = await house.store.jobs.get(job.id)
    assert (left.state, left.attempt, left.lost) == (JobState.QUEUED, 0, ())
    assert left.checkpoint
    reached = int(left.checkpoint.name.rpartition("-")[2])
    assert reached >= 5
    known = [point.step for point in await house.store.runs.chart(job.id)]
    await house.store.runs.plot(job.id, [MetricsPoint(step=1, loss=-1.0, lr=0.1)])
    async with a_studio("Quick") as studio:
        after = await attempted(house, job, studio=studio, folder=tmp_path)
    assert (after.state, after.attempt) == (JobState.SUCCEEDED, 1)
    chart = await house.store.runs.chart(job.id)
    assert known == list(range(1, reached + 1))
    assert [point.step for point in chart] == list(range(1, 61))
    assert chart[0].loss == -1.0, "the first step was done again"
    assert await acts(house, job) == [Act.CAPTURE, Act.HOLD]


async def test_what_does_not_hear_is_cut_off_and_costs_no_attempt(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.attempt.GRACE", 0.5)
    _, job = await ordered(house)
    async with under_way(house, job, studio="Deaf", folder=tmp_path) as (running, stop, _):
        child = await child_of(house, job)
        stop.set()
        assert await asyncio.wait_for(running, PATIENCE) is False
        assert gone(child)
    left = await house.store.jobs.get(job.id)
    assert (left.state, left.attempt, left.checkpoint) == (JobState.QUEUED, 0, None)


async def test_a_cancelled_attempt_that_reports_nothing_is_stopped_by_its_heartbeat(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.attempt.HEARTBEAT", 0.3)
    ann, job = await ordered(house)
    async with under_way(house, job, studio="Deaf", folder=tmp_path) as (running, _, _):
        child = await child_of(house, job)
        await house.services.jobs.cancel(ann, job.id)
        assert await asyncio.wait_for(running, PATIENCE) is False
        assert gone(child)


async def test_a_training_survives_the_death_of_its_database(tmp_path: Path) -> None:
    settings = Settings(data_folder=tmp_path / "data", offerings_folder=OFFERINGS)
    async with opened(settings) as house:
        _, job = await ordered(house, steps="60")
        async with under_way(house, job, studio="Quick", folder=tmp_path) as (running, _, _):
            os.kill(database_of(tmp_path / "data"), signal.SIGKILL)
            assert await asyncio.wait_for(running, PATIENCE) is True
        after = await house.store.jobs.get(job.id)
        assert (after.state, after.attempt) == (JobState.SUCCEEDED, 1)
        assert [point.step for point in await house.store.runs.chart(job.id)] == list(range(1, 61))
        assert (tmp_path / f"{job.id}-1" / "steps").read_text().split() == [str(step) for step in range(1, 61)]
        assert await acts(house, job) == [Act.CAPTURE, Act.HOLD]
        await prove_the_ledger(house.store)


def database_of(data: Path) -> int:
    return int((data / "database" / "database.lock").read_text().split()[0])


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
