"""What the doctor found is mended: at once, or by a worker, and the doctor looks again."""

import asyncio
from typing import Any

import pytest

from core.domain.account import Actor
from core.domain.caption import CaptionSource
from core.domain.conversation import Part, PartFacts
from core.domain.dataset import Dataset, Kind, Status
from core.domain.doctor import LARGE, Fix, lines_examined
from core.domain.errors import KeyReused, NotFound, NothingToDo
from core.domain.finding import LineError
from core.domain.item import Item
from core.domain.job import Job
from core.kinds import intake, mending, validation
from core.kinds.mending import MendedPart, MendedPicture
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import (
    BROKEN,
    a_picture,
    a_ready_dataset,
    everything_in,
    finished,
    somebody,
    stored,
    uploaded,
)


async def references(database: Database) -> dict[str, int]:
    return {row["_id"]: row["references"] async for row in database["blobs"].find({"references": {"$gt": 0}})}


async def with_pictures(house: House, ann: Actor, *facts: dict[str, Any]) -> Dataset:
    """Bundle pictures of these facts, as the doctor has looked at them."""
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    job = await uploaded(house, ann, dataset, "raw.zip")
    pictures = [(await a_picture(house, f"{n}.png", n)).but(**own) for n, own in enumerate(facts)]
    await finished(house, job, intake.Result(pictures=tuple(pictures)))
    await looked(house, dataset)
    return await house.store.datasets.get(dataset.id)


async def looked(house: House, dataset: Dataset) -> Dataset:
    """Let the doctor do whatever looks wait."""
    for job in await house.store.jobs.about(dataset.id):
        if job.kind == "validation":
            await finished(house, job)
    return await house.store.datasets.get(dataset.id)


async def mended(house: House, ann: Actor, dataset: Dataset, fix: Fix, key: str = "k") -> Job | Dataset:
    return await house.services.mendings.mend(ann, dataset, fix, place=HOME, key=key)


def codes(dataset: Dataset) -> list[str]:
    return [finding.code for finding in dataset.findings]


def texts(dataset: Dataset, items: list[Item]) -> list[str | None]:
    return [caption.text if (caption := dataset.caption_of(item)) else None for item in items]


async def test_copies_are_dropped_and_the_others_close_up(house: House, database: Database) -> None:
    ann = await somebody(house)
    twin = (await a_picture(house, "0.png")).artifact
    dataset = await with_pictures(house, ann, {}, {"artifact": twin, "caption": None}, {}, {"artifact": twin})
    before = list(await house.store.items.of(dataset.id))

    gone = await house.services.mendings.preview(ann, dataset, Fix.DROP_EXACT)
    job = await mended(house, ann, dataset, Fix.DROP_EXACT)
    again = await mended(house, ann, dataset, Fix.DROP_EXACT)

    assert isinstance(job, Job)
    assert again == job
    assert [item.id for item in gone] == [before[1].id, before[3].id]
    assert (await house.store.datasets.get(dataset.id)).status is Status.VALIDATING
    after, items = await looked(house, dataset), list(await house.store.items.of(dataset.id))
    assert (after.status, after.count, after.bytes, codes(after)) == (Status.READY, 2, 10, [])
    assert [(item.id, item.position) for item in items] == [(before[0].id, 0), (before[2].id, 1)]
    assert await references(database) == {one.sha256: 1 for one in (*(item.artifact for item in items), *after.sheets)}
    assert [await house.store.captions.of(item.id) for item in gone] == [[], []]


async def test_look_alikes_are_dropped_or_kept(house: House, database: Database) -> None:
    ann = await somebody(house)
    dataset = await with_pictures(house, ann, {"phash": "0" * 16}, {"phash": "0" * 15 + "1", "width": 900})
    sheet = await stored(house, "pairs.png")
    shown = validation.Result(revision=dataset.revision, findings=dataset.findings, pairs=sheet)
    look = await house.services.datasets.check(ann, dataset, place=HOME, key="look")
    await finished(house, look, shown)
    seen = await house.store.datasets.get(dataset.id)

    kept = await mended(house, ann, dataset, Fix.KEEP_NEAR)

    assert isinstance(kept, Dataset)
    assert (codes(seen), seen.pairs) == (["near_duplicates"], sheet)
    assert (codes(kept), kept.pairs, kept.status, kept.count) == ([], None, Status.READY, 2)
    assert sheet.sha256 not in await references(database)
    for fix in (Fix.KEEP_NEAR, Fix.DROP_NEAR):
        with pytest.raises(NothingToDo):
            await mended(house, ann, dataset, fix)

    await house.store.datasets.save(kept.but(kept=()))
    await mended(house, ann, dataset, Fix.DROP_NEAR)
    assert [item.artifact.name for item in await house.store.items.of(dataset.id)] == ["1.png"]


async def test_a_dataset_of_which_nothing_is_left_is_an_empty_draft(house: House, database: Database) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=2)
    sheet = await stored(house, "sheet.png")
    look = await house.services.datasets.check(ann, dataset, place=HOME, key="look")
    await finished(house, look, validation.Result(revision=dataset.revision, sheets=(sheet,)))

    now, ids = house.services.datasets.clock.now(), house.services.datasets.ids
    current, items = await house.store.datasets.get(dataset.id), await house.store.items.of(dataset.id)
    empty = await house.store.transact(
        lambda tx: mending.dropped(tx, current, items, ids=ids, now=now, place=HOME, key="k")
    )

    assert (empty.status, empty.count, empty.bytes, empty.sheets) == (Status.DRAFT, 0, 0, ())
    assert await house.store.jobs.about(dataset.id) == []
    assert await references(database) == {}


async def test_what_is_missing_in_captions_is_said_first_and_nothing_else_changes(house: House) -> None:
    ann = await somebody(house)
    captions: list[dict[str, Any]] = [{"caption": "a tin robot"}, {"caption": "zorp, on white"}, {"caption": None}]
    dataset = await with_pictures(house, ann, *captions)
    await house.store.datasets.save(dataset.but(constraints=("studio light",)))

    after = await mended(house, ann, dataset, Fix.COMPOSE)

    items = list(await house.store.items.of(dataset.id))
    history = [(one.version, one.source) for one in await house.store.captions.of(items[0].id)]
    assert isinstance(after, Dataset)
    assert (codes(dataset), codes(after)) == (["uncaptioned", "triggerless"], ["uncaptioned"])
    assert texts(after, items) == ["zorp, studio light, a tin robot", "zorp, studio light, on white", None]
    assert history == [(1, CaptionSource.UPLOAD), (2, CaptionSource.BULK)]
    assert after.status is Status.READY
    with pytest.raises(NothingToDo):
        await mended(house, ann, dataset, Fix.COMPOSE)


async def test_lines_that_did_not_come_in_survive_every_look_until_somebody_goes_on(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    error = LineError(file="metadata.jsonl", line=3, words="This is no JSON.")
    blocked = dataset.but(errors=(error,), error_count=1)
    await house.store.datasets.save(
        blocked.checked(lines_examined(blocked), blocked.statistics, now=dataset.created_at)
    )
    await house.services.datasets.check(ann, dataset, place=HOME, key="look")

    still = await looked(house, dataset)
    after = await mended(house, ann, dataset, Fix.WITHOUT_BAD_LINES)

    assert (still.status, codes(still), still.errors) == (Status.ERROR, ["bad_lines"], (error,))
    assert isinstance(after, Dataset)
    assert (after.status, codes(after), after.errors, after.error_count) == (Status.READY, [], (), 0)


async def test_going_on_while_the_doctor_looks_is_not_forgotten_when_he_has_looked(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    error = LineError(file="metadata.jsonl", line=3, words="This is no JSON.")
    await house.store.datasets.save(dataset.but(errors=(error,), error_count=1))
    await house.services.datasets.check(ann, dataset, place=HOME, key="look")
    await mended(house, ann, dataset, Fix.WITHOUT_BAD_LINES)

    after = await looked(house, dataset)

    assert (after.status, codes(after), after.errors) == (Status.READY, [], ())


async def large(house: House, ann: Actor) -> tuple[Dataset, Item]:
    dataset = await with_pictures(house, ann, {"width": LARGE * 2}, {})
    return dataset, (await house.store.items.of(dataset.id))[0]


async def scaled(house: House, item: Item) -> mending.Result:
    small = (await stored(house, "small.png")).but(name=item.artifact.name)
    facts = {"width": LARGE, "height": 256, "phash": "f" * 16, "sharpness": 80.0}
    one = MendedPicture(item=item.id, before=item.artifact.sha256, artifact=small, **facts)
    return mending.Result(pictures=(one,))


async def test_scaled_pictures_take_the_place_of_large_ones(house: House, database: Database) -> None:
    ann = await somebody(house)
    dataset, item = await large(house, ann)
    job = await mended(house, ann, dataset, Fix.RESIZE)
    assert isinstance(job, Job)
    assert await mended(house, ann, dataset, Fix.RESIZE) == job

    await finished(house, job, await scaled(house, item))
    meanwhile = await house.store.datasets.get(dataset.id)
    after, items = await looked(house, dataset), await house.store.items.of(dataset.id)

    assert (codes(dataset), codes(after)) == (["oversized"], [])
    assert (meanwhile.status, meanwhile.revision) == (Status.VALIDATING, dataset.revision + 1)
    assert (items[0].id, items[0].width, items[0].artifact.name) == (item.id, LARGE, "0.png")
    assert items[0].captions == item.captions
    assert after.bytes == sum(one.artifact.size for one in items)
    assert await references(database) == {one.sha256: 1 for one in (*(item.artifact for item in items), *after.sheets)}


@pytest.mark.parametrize("ending", ["dropped", "failed", "cancelled", "purged"])
async def test_what_is_not_there_any_more_is_not_put_back(house: House, database: Database, ending: str) -> None:
    ann = await somebody(house)
    dataset, item = await large(house, ann)
    job = await mended(house, ann, dataset, Fix.RESIZE)
    assert isinstance(job, Job)
    result = await scaled(house, item)
    match ending:
        case "dropped":
            now, ids = house.services.datasets.clock.now(), house.services.datasets.ids
            await house.store.transact(
                lambda tx: mending.dropped(tx, dataset, [item], ids=ids, now=now, place=HOME, key="drop")
            )
            await finished(house, job, result)
        case "failed":
            await finished(house, job, BROKEN)
        case "cancelled":
            await house.services.jobs.cancel(ann, job.id)
        case _:
            await house.store.datasets.remove(dataset.id)
            await finished(house, job, result)

    kept = await references(database)
    assert result.pictures[0].artifact.sha256 not in kept
    assert (item.artifact.sha256 in kept) is (ending != "dropped")


async def conversations(house: House, ann: Actor) -> tuple[Dataset, list[Part]]:
    """Bundle three parts, two of which have roles to mend."""
    dataset = await house.services.datasets.create(ann, name="talk", trigger="talk-x1")
    job = await uploaded(house, ann, dataset, "talk.jsonl")
    portions = [
        intake.Portion(artifact=await stored(house, f"part {number}"), count=2, facts=PartFacts(faults=faults))
        for number, faults in enumerate((1, 0, 2))
    ]
    await finished(house, job, intake.Result(portions=tuple(portions)))
    return await house.store.datasets.get(dataset.id), list(await house.store.parts.of(dataset.id))


async def test_mended_parts_take_the_place_of_the_others_and_empty_ones_go(house: House, database: Database) -> None:
    ann = await somebody(house)
    dataset, (first, second, third) = await conversations(house, ann)
    job = await mended(house, ann, dataset, Fix.ROLES)
    assert isinstance(job, Job)
    better = await stored(house, "better")
    parts = (
        MendedPart(part=first.id, before=first.artifact.sha256, artifact=None, count=0, dropped=2),
        MendedPart(part=third.id, before=third.artifact.sha256, artifact=better, count=1, dropped=1),
    )

    await finished(house, job, mending.Result(parts=parts))

    after, left = await house.store.datasets.get(dataset.id), await house.store.parts.of(dataset.id)
    assert [(part.id, part.position, part.count, part.facts.faults) for part in left] == [
        (second.id, 0, 2, 0),
        (third.id, 1, 1, 0),
    ]
    assert (after.kind, after.count, after.bytes) == (Kind.CONVERSATIONS, 3, sum(part.artifact.size for part in left))
    assert await references(database) == {second.artifact.sha256: 1, better.sha256: 1}
    with pytest.raises(NothingToDo):
        await mended(house, ann, dataset, Fix.ROLES, key="again")


async def test_what_cannot_be_mended_so_writes_nothing(house: House, database: Database) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    dataset = await a_ready_dataset(house, ann)
    await uploaded(house, ann, dataset, "more.png", key="k")
    before = await everything_in(database)

    for fix in Fix:
        with pytest.raises(NothingToDo):
            await mended(house, ann, dataset, fix, key="other")
        with pytest.raises(NotFound):
            await mended(house, bob, dataset, fix, key="his")
    for fix in (Fix.DROP_EXACT, Fix.RESIZE):
        with pytest.raises(KeyReused):
            await mended(house, ann, dataset, fix)
    with pytest.raises(NotFound):
        await house.services.mendings.preview(bob, dataset, Fix.DROP_EXACT)

    assert await everything_in(database) == before


async def test_of_many_who_drop_copies_at_once_one_does(house: House) -> None:
    ann = await somebody(house)
    twin = (await a_picture(house, "0.png")).artifact
    dataset = await with_pictures(house, ann, {}, {"artifact": twin}, {})

    done = await asyncio.gather(
        *(mended(house, ann, dataset, Fix.DROP_EXACT, key=f"k{number}") for number in range(4)), return_exceptions=True
    )

    assert sorted(type(one).__name__ for one in done) == ["Job", *["NothingToDo"] * 3]
    assert (await house.store.datasets.get(dataset.id)).count == 2
