"""Transactions: all or nothing, run again after a conflict, and claims that only one can make."""

import asyncio

import pymongo
import pytest
from pymongo.errors import DuplicateKeyError

from core.domain.dataset import Dataset
from core.domain.errors import DatabaseUnavailable, NameTaken
from core.domain.job import Job
from core.ports.store import Repositories, Store
from storage.repositories.entities import Database
from storage.store import repositories
from tests.builders.entities import NOON, a_dataset, a_job, an_artifact


async def counted(store: Store) -> int:
    """Count a dataset up by one, reading it first."""

    async def work(tx: Repositories) -> int:
        found = await tx.datasets.get("d1")
        await tx.datasets.save(found.but(count=found.count + 1))
        return found.count + 1

    return await store.transact(work)


async def test_an_error_undoes_everything(store: Store) -> None:
    async def work(tx: Repositories) -> None:
        await tx.datasets.add(a_dataset())
        await tx.jobs.add(a_job())
        assert await tx.datasets.find("d1")
        raise NameTaken(noun="dataset", name="zorp")

    with pytest.raises(NameTaken):
        await store.transact(work)

    assert (await store.datasets.find("d1"), await store.jobs.find("j1")) == (None, None)


async def test_nobody_sees_what_is_not_committed(store: Store) -> None:
    written, seen = asyncio.Event(), asyncio.Event()

    async def work(tx: Repositories) -> None:
        await tx.datasets.add(a_dataset())
        written.set()
        await seen.wait()

    running = asyncio.create_task(store.transact(work))
    await written.wait()
    before = await store.datasets.find("d1")
    seen.set()
    await running

    assert (before, await store.datasets.find("d1")) == (None, a_dataset())


async def test_work_that_meets_a_conflict_runs_again_until_it_fits(store: Store) -> None:
    await store.datasets.add(a_dataset())

    results = await asyncio.gather(*(counted(store) for _ in range(12)))

    assert sorted(results) == list(range(1, 13))
    assert (await store.datasets.get("d1")).count == 12


async def test_who_loses_the_race_for_a_key_runs_again_and_finds_it(store: Store) -> None:
    async def asked(number: int) -> Job:
        async def work(tx: Repositories) -> Job:
            if known := await tx.jobs.keyed("k"):
                return known
            await tx.jobs.add(a_job(id=f"j{number}", key="k"))
            return await tx.jobs.get(f"j{number}")

        return await store.transact(work)

    jobs = await asyncio.gather(*(asked(number) for number in range(8)))

    assert len({job.id for job in jobs}) == 1


async def test_one_owner_has_one_dataset_of_a_name_until_it_is_deleted(store: Store) -> None:
    async def created(number: int) -> bool:
        async def work(tx: Repositories) -> bool:
            if await tx.datasets.named("ann", "zorp"):
                return False
            await tx.datasets.add(a_dataset(id=f"d{number}"))
            return True

        return await store.transact(work)

    made = await asyncio.gather(*(created(number) for number in range(8)))
    first = (await store.datasets.owned("ann"))[0]
    await store.datasets.save(first.deleted(now=NOON))

    assert sum(made) == 1
    assert await created(9)


async def test_a_key_that_is_always_taken_is_a_bug_that_shows(store: Store) -> None:
    await store.jobs.add(a_job())

    with pytest.raises(DuplicateKeyError):
        await store.transact(lambda tx: tx.jobs.add(a_job()))


async def test_of_many_workers_one_gets_the_job(store: Store) -> None:
    await store.jobs.add(a_job())
    before = await store.jobs.get("j1")
    wished = [before.claimed(worker=f"w{number}", token=f"t{number}", now=NOON) for number in range(12)]

    won = await asyncio.gather(*(store.jobs.swap(before, after) for after in wished))

    assert sum(won) == 1
    assert await store.jobs.get("j1") == wished[won.index(True)]


async def test_a_claim_writes_only_what_it_changes(store: Store) -> None:
    await store.jobs.add(a_job(eligible=True))
    before = await store.jobs.get("j1")
    await store.jobs.save(before.but(title="changed meanwhile"))

    assert await store.jobs.swap(before, before.claimed(worker="w", token="t", now=NOON))
    assert (await store.jobs.get("j1")).title == "changed meanwhile"


async def test_a_claim_on_what_was_taken_and_handed_back_with_a_checkpoint_fails(store: Store) -> None:
    await store.jobs.add(a_job())
    before = await store.jobs.get("j1")
    first = before.claimed(worker="w1", token="t1", now=NOON)
    await store.jobs.save(first.reported(now=NOON, checkpoint=an_artifact()).released(now=NOON))

    assert not await store.jobs.swap(before, before.claimed(worker="w2", token="t2", now=NOON))


async def test_two_who_change_one_queue_take_turns(store: Store) -> None:
    """Each adds an eligible job only where there is none: without the turn both would."""

    async def added(number: int) -> None:
        async def work(tx: Repositories) -> None:
            eligible = not await tx.jobs.active("ann")
            await tx.jobs.add(a_job(id=f"j{number}", key=f"k{number}", eligible=eligible))

        await store.transact(work)

    await asyncio.gather(*(added(number) for number in range(8)))

    assert sum(job.eligible for job in await store.jobs.active("ann")) == 1


async def test_a_transaction_that_cannot_be_committed_in_time_says_that_the_database_is_unavailable(
    store: Store, database: Database
) -> None:
    await store.datasets.add(a_dataset())

    async with database.client.start_session() as session, await session.start_transaction():
        blocker: Dataset = a_dataset(count=5)
        await repositories(database, session).datasets.save(blocker)
        with pytest.raises(DatabaseUnavailable), pymongo.timeout(0.3):
            await counted(store)

    assert (await store.datasets.get("d1")).count == 5
