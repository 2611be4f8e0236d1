"""Datasets over the wire: by scope, what somebody stores, and what is to be purged."""

from datetime import timedelta
from typing import Any

import pytest

from core.domain.dataset import Access, Scope, Status
from core.domain.quota import Usage
from core.domain.rating import Rating
from core.domain.snapshot import Snapshot
from core.ports.store import Store
from tests.builders.entities import NOON, a_dataset

HOUR = timedelta(hours=1)


@pytest.fixture
async def shelves(store: Store) -> Store:
    """Datasets of ann and bob, each named after what it is."""
    public = {"access": Access.PUBLIC}
    every: dict[str, dict[str, Any]] = {
        "mine": {"tags": ("toy",)},
        "ready": {"status": Status.READY, "updated_at": NOON + HOUR, **public},
        "late": {"rating": Rating.NSFW, "updated_at": NOON + 2 * HOUR, **public},
        "gone": {"deleted_at": NOON, **public},
        "gone later": {"deleted_at": NOON + HOUR},
        "purged": {"deleted_at": NOON + HOUR, "purged_at": NOON + HOUR},
        "shared": {"owner": "bob", "shared": ("ann", "cid")},
        "shared late": {"owner": "bob", "shared": ("ann",), "rating": Rating.NSFW},
        "shared gone": {"owner": "bob", "shared": ("ann",), "deleted_at": NOON},
        "reported": {"owner": "bob", "suspended": "r1", **public},
        "revoked": {"owner": "bob", "revoked_at": NOON, **public},
        "unlisted": {"owner": "bob", "access": Access.UNLISTED},
    }
    for name, facts in every.items():
        await store.datasets.add(
            a_dataset(**{"id": name, "name": name, "folded": name, "count": 2, "bytes": 3} | facts)
        )
    return store


async def listed(store: Store, scope: Scope, **narrowed: Any) -> list[str]:
    return [one.id for one in await store.datasets.listed("ann", scope, **narrowed)]


async def test_each_scope_in_its_order(shelves: Store) -> None:
    assert await listed(shelves, Scope.MINE) == ["late", "mine", "ready"]
    assert await listed(shelves, Scope.SHARED) == ["shared", "shared late"]
    assert await listed(shelves, Scope.PUBLIC) == ["late", "ready"]
    assert await listed(shelves, Scope.DELETED) == ["gone later", "gone"]


async def test_what_is_looked_for_in_a_scope(shelves: Store) -> None:
    assert await listed(shelves, Scope.MINE, tag="toy") == ["mine"]
    assert await listed(shelves, Scope.MINE, status=Status.READY) == ["ready"]
    assert await listed(shelves, Scope.MINE, text="e", after="late", limit=1) == ["mine"]
    assert await listed(shelves, Scope.DELETED, text="later") == ["gone later"]
    for scope, found in ((Scope.PUBLIC, ["ready"]), (Scope.SHARED, ["shared"])):
        assert await listed(shelves, scope, ratings=[Rating.SFW]) == found


async def test_a_page_passes_over_what_came_before_and_all_are_counted(shelves: Store) -> None:
    assert await listed(shelves, Scope.MINE, skip=1, limit=1) == ["mine"]
    assert await listed(shelves, Scope.PUBLIC, skip=1) == ["ready"]
    assert await listed(shelves, Scope.MINE, skip=3) == []
    assert [await shelves.datasets.counted("ann", scope) for scope in Scope] == [3, 2, 2, 2]
    assert await shelves.datasets.counted("ann", Scope.MINE, text="e", status=Status.READY) == 1


async def test_what_is_stored_counts_the_bin_and_nobody_else(shelves: Store) -> None:
    assert await shelves.datasets.usage("ann") == Usage(bytes=18, items=12)
    assert await shelves.datasets.usage("nobody") == Usage()


async def test_what_is_to_be_purged_is_old_or_begun(shelves: Store) -> None:
    async def found(after: timedelta) -> set[str]:
        return {one.id for one in await shelves.datasets.purgeable(before=NOON + after)}

    assert await found(-HOUR) == {"purged"}
    assert await found(HOUR) == {"purged", "gone", "shared gone"}
    assert await found(2 * HOUR) == {"purged", "gone", "gone later", "shared gone"}


async def test_which_snapshots_are_erased(store: Store) -> None:
    for number, erased in enumerate((None, NOON, NOON)):
        dataset = "d1" if number < 2 else "d2"
        taken = Snapshot(id=str(number), dataset=dataset, trigger="zorp", entries=(), taken_at=NOON, erased_at=erased)
        await store.snapshots.add(taken)

    assert await store.snapshots.erased("d1") == {"1"}
