"""What must be true of a house after a storm: each job ended once, what came of it is there once, money is exact."""

import io
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from rich.console import Console

from core.domain.failure import CATALOGUE
from core.domain.job import Job, JobState
from core.domain.ledger import Act
from core.kinds.training import Result
from loraguild.composition import House
from loraguild.database import verify
from storage.repositories.entities import Database
from tests.builders.scenes import prove_the_ledger
from tests.e2e.brisk import a_point

LIVE_ONLY = {"token": None, "lease_until": None, "checkpoint": None}
UNFORESEEN = "broke"


async def prove_the_house(house: House, database: Database, *, given: Mapping[str, int]) -> Mapping[str, Job]:
    """Assert what is true of all of it; return the jobs."""
    jobs = {job.id: job async for job in house.store.jobs.everything()}
    await prove_the_money(house, jobs.values(), given=given)
    await prove_the_references(database)
    return jobs


async def prove_the_job(house: House, job: Job, *, told: Collection[str]) -> None:
    """Assert that a job has ended, cancelled only if somebody was `told` to, and what came of it and was paid."""
    prove_the_end(job, told=told)
    await prove_the_charge(house, job)
    await prove_what_came_of_it(house, job)


def prove_the_end(job: Job, *, told: Collection[str]) -> None:
    assert job.state.ended, job
    assert job.model_dump(include=set(LIVE_ONLY)) == LIVE_ONLY
    assert job.state is not JobState.CANCELLED or job.id in told
    failed = job.state is JobState.FAILED
    assert failed == (job.failure is not None)
    assert job.failure is None or job.failure.code in CATALOGUE.keys() - {UNFORESEEN}, job


async def prove_the_charge(house: House, job: Job) -> None:
    """Assert that what was held for a job was either taken or given back, each at most once."""
    moved = await house.store.ledger.about(job.id)
    acts = Counter(one.act for one in moved)
    amounts = Counter[Act]()
    for one in moved:
        amounts[one.act] += one.amount
    assert acts.keys() <= {Act.HOLD, Act.CAPTURE, Act.RELEASE}
    assert (acts[Act.CAPTURE], acts[Act.RELEASE]) == (int(job.due > 0), int(job.price > job.due))
    assert (amounts[Act.HOLD], amounts[Act.CAPTURE]) == (job.price, job.due), job
    assert amounts[Act.RELEASE] == job.price - job.due


async def prove_what_came_of_it(house: House, job: Job) -> None:
    """Assert that it is there once where the job succeeded, and nowhere otherwise."""
    succeeded = job.state is JobState.SUCCEEDED
    assert (await house.store.exports.find(job.id) is not None) == (succeeded and job.kind == "export")
    models = [model for model in await house.store.models.owned(job.owner, limit=0) if model.run == job.id]
    assert len(models) == int(succeeded and job.kind == "training")
    if job.kind == "training":
        await prove_the_run(house, job)


async def prove_the_run(house: House, job: Job) -> None:
    """Assert that no step is missing, none came twice, and none is somebody else's."""
    run, chart = await house.store.runs.get(job.id), await house.store.runs.chart(job.id)
    done = Result.model_validate(job.result).step if job.result else len(chart)
    assert list(chart) == [a_point(step) for step in range(1, (done or 0) + 1)], job
    assert run.ended_at == job.ended_at
    ends = [epoch.step for epoch in run.epochs]
    assert ends == sorted(set(ends))
    if job.state is JobState.SUCCEEDED:
        assert ends[-1] == done


async def prove_the_money(house: House, jobs: Collection[Job], *, given: Mapping[str, int]) -> None:
    """Assert that the books agree, and everybody has what they were given without what they owed."""
    await prove_the_ledger(house.store)
    said = io.StringIO()
    assert await verify(house.store, out=Console(file=said, width=1000)) == 0, said.getvalue()
    for account, amount in given.items():
        purse = await house.store.ledger.balance(f"account:{account}:qoints")
        assert purse.total == amount - sum(job.due for job in jobs if job.owner == account)


async def prove_the_references(database: Database) -> None:
    """Assert that each stored file is there for as long as a row names it, and no longer."""
    named = Counter[str]()
    for name in ("datasets", "items", "snapshots", "exports", "runs", "models"):
        async for row in database[name].find():
            named.update(stored_in(row))
    async for row in database["jobs"].find({"kind": "training", "state": JobState.SUCCEEDED}):
        named.update(stored_in(row["result"]["grid"]))
    counted = {row["_id"]: row["references"] async for row in database["blobs"].find({"references": {"$ne": 0}})}
    assert counted == named


def stored_in(thing: Any) -> Iterator[str]:
    """The hashes of all artifacts in a row."""
    match thing:
        case {"sha256": str(sha256)}:
            yield sha256
        case dict():
            yield from (found for value in thing.values() for found in stored_in(value))
        case list():
            yield from (found for value in thing for found in stored_in(value))
