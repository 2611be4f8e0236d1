"""Jobs of a release without pools are claimed in the order in which they were asked for."""

from datetime import timedelta
from typing import Any

import pytest

from core.domain.job import JobState, pooled
from core.ports.store import Store
from storage.documents import document
from storage.indexes import INDEXES
from storage.migrations import m0005_training
from storage.repositories.entities import Database
from tests.builders.entities import NOON, a_job

NEW = ("pool", "asleep", "start", "offering", "base", "memory", "priority", "estimate")
OLD = [("state", 1), ("eligible", 1), ("kind", 1), ("rank", 1)]  # an index that there was
LATER = NOON + timedelta(seconds=30)


@pytest.fixture
async def old(database: Database) -> Database:
    """Jobs of the last release, migrated; twice, since that changes nothing more."""
    jobs: dict[str, dict[str, Any]] = {
        "second": {"created_at": LATER, "not_before": LATER},
        "first": {"labels": ("gpu",)},
        "tried": {"not_before": LATER},
        "ended": {"state": JobState.SUCCEEDED},
    }
    for name, facts in jobs.items():
        job = a_job(**({"id": name, "key": name, "labels": ("gpu",)} | facts))
        row = {key: value for key, value in document(job).items() if key not in NEW}
        await database["jobs"].insert_one(row | {"rank": job.created_at.timestamp()})
    await database["jobs"].create_index(OLD)
    await m0005_training.up(database)
    await m0005_training.up(database)
    return database


@pytest.mark.usefixtures("old")
async def test_what_waited_is_claimed_in_its_order(store: Store) -> None:
    (pool,) = [pool async for pool in store.pools.everything()]
    found = await store.jobs.head(pool.id, near=pool.reached)

    assert pool.id == pooled("training", offering=None, labels=("gpu",), memory=0)
    assert (pool.kind, pool.offering, pool.labels, pool.memory, pool.clock) == ("training", None, ("gpu",), 0, 0.0)
    assert [job.id for job in found] == ["first", "second"]
    assert found[0].start == pool.moment(NOON)
    assert [job.id for job in await store.jobs.sleepers(now=LATER)] == ["tried"]
    assert (await store.jobs.get("ended")).pool == ""


async def test_the_index_of_old_claims_is_gone(old: Database) -> None:
    found = [list(index["key"]) for index in (await old["jobs"].index_information()).values()]

    assert OLD not in found
    assert tuple(OLD) not in [index.keys for index in INDEXES]
