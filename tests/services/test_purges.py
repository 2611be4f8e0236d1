"""The bin: much is deleted at once, comes back, or goes for good with everything that it held."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from core import kinds
from core.domain.consent import RIGHTS
from core.domain.dataset import Dataset, Scope, Status
from core.domain.errors import NotFound, Outdated, QuotaFull
from core.domain.export import Format
from core.domain.purge import digest
from core.domain.quota import Usage
from core.ports.clock import HandClock
from core.ports.store import Repositories
from loraguild.composition import House
from loraguild.tidying import tidied
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import (
    Upload,
    a_quote_for,
    a_ready_dataset,
    an_order,
    claimed,
    everything_in,
    finished,
    somebody,
    taken_in,
    uploaded,
    well_done,
)

DAY = timedelta(days=1)
MONTH = 30 * DAY
OF_DATASETS = ("datasets", "items", "captions", "parts", "exports", "scenes")


async def references(database: Database) -> set[str]:
    return {row["_id"] async for row in database["blobs"].find({"references": {"$ne": 0}})}


async def rows_of_datasets(database: Database) -> dict[str, int]:
    return {name: len(rows) for name, rows in (await everything_in(database)).items() if rows and name in OF_DATASETS}


def step_of(house: House, dataset: str) -> Callable[[Repositories], Awaitable[bool]]:
    async def step(tx: Repositories) -> bool:
        return await kinds.purged(tx, await tx.datasets.get(dataset), now=house.services.jobs.clock.now())

    return step


async def test_pictures_are_removed_with_their_captions_and_the_others_close_up(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=4)
    items = (await house.services.datasets.view(ann, dataset.id)).items
    gone = [items[1].id, items[3].id]

    left = await house.services.purges.remove(ann, dataset.id, gone, place=HOME, key="k")
    again = await house.services.purges.remove(ann, dataset.id, gone, place=HOME, key="k")

    view = await house.services.datasets.view(ann, dataset.id)
    assert (left.count, left.status, again) == (2, Status.VALIDATING, left)
    assert [(item.id, item.position) for item in view.items] == [(items[0].id, 0), (items[2].id, 1)]
    assert [await house.store.captions.of(item) for item in gone] == [[], []]
    for job in await house.store.jobs.about(dataset.id):
        await finished(house, job)
    assert (await house.store.datasets.get(dataset.id)).status is Status.READY


async def test_many_are_deleted_as_they_were_seen_and_not_otherwise(house: House, database: Database) -> None:
    ann, purges = await somebody(house), house.services.purges
    for name in ("cats 1", "CATS 2", "dogs"):
        await house.services.datasets.create(ann, name=name, trigger="zorp")
    found = await purges.selected(ann, text="Cats", status=Status.DRAFT)
    await house.services.datasets.create(ann, name="cats 3", trigger="zorp")
    before = await everything_in(database)
    with pytest.raises(Outdated):
        await purges.delete_all(ann, seen=digest(found), text="Cats", status=Status.DRAFT)
    assert await everything_in(database) == before

    gone = await purges.delete_all(ann, seen=digest(await purges.selected(ann, text="cats")), text="cats")

    assert [one.name for one in gone] == ["cats 1", "CATS 2", "cats 3"]
    assert [one.name for one in await house.services.datasets.list(ann)] == ["dogs"]
    assert {one.name for one in await house.services.datasets.list(ann, scope=Scope.DELETED)} == {
        "cats 1",
        "CATS 2",
        "cats 3",
    }


async def test_a_dataset_comes_back_under_a_name_that_is_free(house: House) -> None:
    ann = await somebody(house)
    old = await a_ready_dataset(house, ann)
    await house.services.datasets.delete(ann, old)
    await house.services.datasets.create(ann, name="ZORP", trigger="zorp")

    back = await house.services.purges.restore(ann, old.id)

    assert (back.id, back.name, back.status, back.count) == (old.id, "zorp 2", Status.READY, 3)
    assert (await an_order(house, ann, back)).subject == old.id
    with pytest.raises(NotFound):
        await house.services.purges.restore(ann, old.id)


async def test_what_is_purged_leaves_hashes_and_room(house: House, database: Database, clock: HandClock) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    run = await an_order(house, ann, dataset)
    await finished(house, run)
    export = await house.services.exports.order(ann, dataset, wished=Format.ZIP, place=HOME, key="x")
    await house.services.jobs.cancel(ann, export.id)
    pictures = {item.artifact.sha256 for item in await house.store.items.of(dataset.id)}
    (snapshot,) = await house.store.snapshots.of(dataset.id)
    assert await house.services.datasets.usage(ann) == Usage(bytes=dataset.bytes, items=3)
    await house.services.datasets.delete(ann, dataset)
    assert await house.services.datasets.usage(ann) == Usage(bytes=dataset.bytes, items=3)

    await house.services.purges.purge(ann, dataset.id)
    with pytest.raises(NotFound):
        await house.services.purges.purge(ann, dataset.id)

    assert await house.services.datasets.usage(ann) == Usage()
    assert await rows_of_datasets(database) == {}
    assert not pictures & await references(database)
    (erased,) = await house.store.snapshots.of(dataset.id)
    assert erased.erased_at == clock.now()
    assert [entry.sha256 for entry in erased.entries] == [entry.sha256 for entry in snapshot.entries]
    assert {entry.caption for entry in erased.entries} == {""}
    clock.advance(10_000 * DAY)  # past the server's clock, which says when bytes were let go
    await house.blobs.sweep()
    kept = {row["_id"] for row in (await everything_in(database))["blobs"]}
    assert not pictures & kept
    assert kept  # the model, whose run can still be looked at
    assert (await house.store.runs.get(run.id)).snapshot == snapshot.id


async def test_what_is_trained_on_waits_for_the_end_of_that(house: House, database: Database, clock: HandClock) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    dataset = await a_ready_dataset(house, ann)
    await finished(house, await an_order(house, ann, dataset))
    more = await uploaded(house, ann, dataset, "more.png")
    await taken_in(house, more)
    clock.advance(DAY)
    running, token = await claimed(house, await an_order(house, ann, dataset))
    await house.services.datasets.delete(ann, dataset)

    await house.services.purges.purge(ann, dataset.id)

    late, early = await house.store.snapshots.of(dataset.id)
    assert (early.erased_at is None, late.erased_at) == (False, None)
    assert {entry.sha256 for entry in late.entries} <= await references(database)
    assert await house.services.datasets.usage(ann) == Usage()
    assert await house.services.datasets.list(ann, scope=Scope.DELETED) == []
    for actor in (ann, bob):
        with pytest.raises(NotFound):
            await house.services.purges.restore(actor, dataset.id)
    await tidied(house)
    assert (await house.store.snapshots.get(late.id)).erased_at is None
    assert (await house.services.runs.assignment(running)).snapshot == late
    await house.services.jobs.finish(running.id, token, await well_done(house, running))
    await tidied(house)
    assert (await house.store.snapshots.get(late.id)).erased_at
    assert await rows_of_datasets(database) == {}


async def test_a_large_purge_goes_on_where_it_was_interrupted(
    house: House, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=5)
    await finished(house, await an_order(house, ann, dataset))
    pictures = {item.artifact.sha256 for item in await house.store.items.of(dataset.id)}
    await house.services.datasets.delete(ann, dataset)
    monkeypatch.setattr(kinds, "STEP", 2)

    await house.services.purges.purge(ann, dataset.id)
    begun = await rows_of_datasets(database)
    assert await house.services.datasets.usage(ann) == Usage()
    assert (begun, await house.services.datasets.list(ann, scope=Scope.DELETED)) == (
        {"datasets": 1, "items": 3, "captions": 3},
        [],
    )
    for _ in range(3):  # each as far as a process comes that is killed
        await house.store.transact(step_of(house, dataset.id))
    (half,) = await house.store.snapshots.of(dataset.id)
    assert (len(half.held), half.erased_at is None) == (2, False)

    assert (await house.services.purges.sweep(), await house.services.purges.sweep()) == (1, 0)
    assert await rows_of_datasets(database) == {}
    assert not pictures & await references(database)
    counts = [row["references"] for row in (await everything_in(database))["blobs"]]
    assert min(counts) == 0


async def test_files_that_come_in_after_the_purge_go_too(house: House, database: Database) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    job = await uploaded(house, ann, dataset, "late.png")
    await house.services.datasets.delete(ann, dataset)
    await house.services.purges.purge(ann, dataset.id)

    await taken_in(house, job)
    await tidied(house)

    assert await rows_of_datasets(database) == {}
    assert await references(database) == set()


async def test_the_bin_is_emptied_after_a_month(house: House, clock: HandClock, database: Database) -> None:
    ann = await somebody(house)
    first, second = await a_ready_dataset(house, ann), await a_ready_dataset(house, ann, name="blip")
    await house.services.datasets.delete(ann, first)
    clock.advance(MONTH / 2)
    await house.services.datasets.delete(ann, second)
    clock.advance(MONTH / 2)
    await tidied(house)
    assert len(await house.services.datasets.list(ann, scope=Scope.DELETED)) == 2

    clock.advance(DAY)
    swept = await house.services.purges.sweep()

    assert (swept, await house.services.purges.sweep()) == (1, 0)
    assert [one.name for one in await house.services.datasets.list(ann, scope=Scope.DELETED)] == ["blip"]
    assert (await rows_of_datasets(database))["items"] == 3


async def test_the_whole_bin_is_purged_as_it_was_seen(house: House) -> None:
    ann, purges = await somebody(house), house.services.purges
    for name in ("zorp", "blip"):
        await house.services.datasets.delete(ann, await a_ready_dataset(house, ann, name=name))
    found = await house.services.datasets.list(ann, scope=Scope.DELETED)
    with pytest.raises(Outdated):
        await purges.purge_all(ann, seen=digest(found[:1]))

    assert {one.name for one in await purges.purge_all(ann, seen=digest(found))} == {"zorp", "blip"}
    assert await house.services.datasets.usage(ann) == Usage()


async def test_an_order_of_what_was_purged_meanwhile_is_refused(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    quoted = await a_quote_for(house, ann, dataset)
    await house.services.datasets.delete(ann, dataset)
    await house.services.purges.purge(ann, dataset.id)

    with pytest.raises(NotFound):
        await house.services.trainings.order(ann, quoted.quote.id, place=HOME, attested=RIGHTS)


async def a_full_dataset(house: House) -> Dataset:
    """Let the house hold as much of ann's as it may, but for a few bytes."""
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    full = house.services.datasets.quota.bytes - 10
    await house.store.datasets.save(dataset.but(bytes=full))
    return dataset


async def test_what_does_not_fit_is_refused_before_and_after_it_is_stored(house: House, database: Database) -> None:
    ann, dataset = await somebody(house), await a_full_dataset(house)
    before = (await everything_in(database))["blobs"]

    class Unknown(Upload):
        size = None

    for upload in (Upload(name="a.png", content=b"x" * 11), Unknown(name="b.png", content=b"x" * 11)):
        with pytest.raises(QuotaFull):
            await house.services.intakes.add(ann, dataset, [upload], place=HOME, key="k")
        if upload.size:
            assert (await everything_in(database))["blobs"] == before

    assert (await house.services.datasets.room(dataset.id)).bytes == 10
    assert (await house.services.datasets.usage(ann)).items == 3
    assert await house.store.jobs.about(dataset.id) == []
    fits = [Upload(name="a.png", content=b"x" * 10)]
    assert await house.services.intakes.add(ann, dataset, fits, place=HOME, key="k")


async def test_room_is_never_less_than_nothing(house: House) -> None:
    dataset = await a_full_dataset(house)
    await house.store.datasets.save(dataset.but(bytes=2**50, count=10**9))

    assert await house.services.datasets.room(dataset.id) == Usage()
