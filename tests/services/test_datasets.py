"""Bundling pictures: uploads, the doctor, captions, deletion."""

import asyncio

import pytest

from core.domain.caption import CaptionMode, CaptionSource
from core.domain.dataset import Dataset, Status
from core.domain.doctor import examined
from core.domain.errors import (
    BadTrigger,
    BadValue,
    DatasetEmpty,
    FileTooLarge,
    KeyReused,
    NameTaken,
    NotFound,
    NothingToDo,
)
from core.domain.job import Failure
from core.kinds import validation
from core.kinds.intake import FileOutcome, Result, Verdict
from core.services import intakes
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import (
    BROKEN,
    Upload,
    a_picture,
    a_ready_dataset,
    claimed,
    everything_in,
    finished,
    somebody,
    taken_in,
    uploaded,
)


async def references(database: Database) -> dict[str, int]:
    return {row["_id"]: row["references"] async for row in database["blobs"].find()}


async def looked(house: House, dataset: Dataset) -> None:
    """Let the doctor look, where somebody waits for that."""
    for job in await house.store.jobs.about(dataset.id):
        await finished(house, job)


async def test_a_dataset_becomes_ready_by_its_pictures(house: House) -> None:
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="  My   Zorp ", trigger="ZORP")
    job = await uploaded(house, ann, dataset, "a.png", "b.png")
    uploading = (await house.services.datasets.view(ann, dataset.id)).dataset

    await taken_in(house, job)

    view = await house.services.datasets.view(ann, dataset.id)
    assert (dataset.name, dataset.folded, dataset.trigger, dataset.status) == ("My Zorp", "my zorp", "zorp", "draft")
    assert uploading.status is Status.UPLOADING
    assert (view.dataset.status, view.dataset.count, view.dataset.statistics.items) == (Status.READY, 2, 2)
    assert [(item.position, item.artifact.name, item.captions["main"].version) for item in view.items] == [
        (0, "a.png", 1),
        (1, "b.png", 1),
    ]


async def test_names_and_trigger_words_that_cannot_be_write_nothing(house: House, database: Database) -> None:
    ann = await somebody(house)
    await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    before = await everything_in(database)

    for name, trigger, error in (("", "zorp", BadValue), ("x", "cat", BadTrigger), (" ZORP ", "blip", NameTaken)):
        with pytest.raises(error):
            await house.services.datasets.create(ann, name=name, trigger=trigger)

    assert await everything_in(database) == before


async def test_of_many_who_open_a_dataset_of_one_name_at_once_one_does(house: House) -> None:
    ann = await somebody(house)
    done = await asyncio.gather(
        *(house.services.datasets.create(ann, name="zorp", trigger="zorp") for _ in range(5)), return_exceptions=True
    )

    assert sorted(type(one).__name__ for one in done) == ["Dataset", *["NameTaken"] * 4]


async def test_an_upload_is_idempotent_by_its_key(house: House, database: Database) -> None:
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")

    jobs = await asyncio.gather(*(uploaded(house, ann, dataset, "a.png", key="k") for _ in range(4)))
    again = await uploaded(house, ann, dataset, "a.png", key="k")

    assert {job.id for job in jobs} == {again.id}
    assert list((await references(database)).values()) == [1]


async def test_a_key_of_another_request_or_person_is_refused(house: House, database: Database) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    dataset = await a_ready_dataset(house, ann)
    others = await a_ready_dataset(house, bob)
    await uploaded(house, ann, dataset, "a.png", key="k")
    before = await everything_in(database)

    with pytest.raises(KeyReused):
        await uploaded(house, bob, others, "a.png", key="k")
    with pytest.raises(KeyReused):
        await house.services.datasets.check(ann, dataset, place=HOME, key="k")
    with pytest.raises(KeyReused):
        await house.services.captionings.auto(ann, dataset, mode=CaptionMode.APPEND, place=HOME, key="k")

    assert await everything_in(database) == before


async def test_uploads_that_cannot_be_change_no_row(
    house: House, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    before = await everything_in(database)
    monkeypatch.setattr(intakes, "LIMIT", 10)

    with pytest.raises(NothingToDo):
        await uploaded(house, ann, dataset)
    with pytest.raises(FileTooLarge):
        await house.services.intakes.add(ann, dataset, [Upload(name="big.zip", content=b"x" * 11)], place=HOME, key="k")

    assert await everything_in(database) == before


async def test_raw_uploads_are_let_go_and_pictures_are_kept(house: House, database: Database) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=2)

    view = await house.services.datasets.view(ann, dataset.id)
    kept = {name for name, count in (await references(database)).items() if count}
    assert {artifact.sha256 for artifact in (*(item.artifact for item in view.items), *view.dataset.sheets)} == kept


@pytest.mark.parametrize("outcome", [BROKEN, None])
async def test_an_upload_that_fails_or_is_cancelled_leaves_the_dataset_as_it_was(
    house: House, database: Database, outcome: Failure | None
) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    before = await references(database)
    job = await uploaded(house, ann, dataset, "more.png")
    if outcome:
        await finished(house, job, outcome)
    else:
        await house.services.jobs.cancel(ann, job.id)
    await looked(house, dataset)

    after = (await house.services.datasets.view(ann, dataset.id)).dataset
    assert (after.status, after.count) == (Status.READY, 3)
    assert {name: count for name, count in (await references(database)).items() if count} == {
        name: count for name, count in before.items() if count
    }


async def test_while_another_upload_is_under_way_the_dataset_waits_for_it(house: House) -> None:
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    first = await uploaded(house, ann, dataset, "a.png")
    second = await uploaded(house, ann, dataset, "b.png")
    jobs = [await claimed(house, worker=f"w{number}") for number in range(2)]
    states = []
    for (job, token), name in zip(jobs, ("a.png", "b.png"), strict=True):
        picture = await a_picture(house, name)
        result = Result(pictures=(picture,), outcomes=(FileOutcome(name=name, verdict=Verdict.TAKEN),))
        await house.services.jobs.finish(job.id, token, result)
        states.append((await house.services.datasets.view(ann, dataset.id)).dataset.status)
    await looked(house, dataset)
    states.append((await house.services.datasets.view(ann, dataset.id)).dataset.status)

    assert {job.id for job, _ in jobs} == {first.id, second.id}
    assert states == [Status.UPLOADING, Status.VALIDATING, Status.READY]
    assert [item.position for item in (await house.services.datasets.view(ann, dataset.id)).items] == [0, 1]


async def test_an_upload_with_no_picture_leaves_an_empty_draft(house: House) -> None:
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    outcomes = (FileOutcome(name="a.txt", verdict=Verdict.REFUSED, words="No picture."),)
    await finished(house, await uploaded(house, ann, dataset, "a.txt"), Result(pictures=(), outcomes=outcomes))

    after = (await house.services.datasets.view(ann, dataset.id)).dataset

    assert (after.status, after.count) == (Status.DRAFT, 0)
    with pytest.raises(DatasetEmpty):
        await house.services.datasets.check(ann, after, place=HOME, key="k")
    with pytest.raises(DatasetEmpty):
        await house.services.captionings.auto(ann, after, mode=CaptionMode.IGNORE, place=HOME, key="k")


async def test_what_the_doctor_cannot_read_blocks_until_it_can_be_read(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    item = (await house.services.datasets.view(ann, dataset.id)).items[0]

    async def checked(*unreadable: str, key: str) -> Status:
        job = await house.services.datasets.check(ann, dataset, place=HOME, key=key)
        items, current = await house.store.items.of(dataset.id), await house.store.datasets.get(dataset.id)
        findings, statistics = examined(current, items, unreadable=unreadable)
        said = validation.Result(revision=current.revision, findings=findings, statistics=statistics)
        await finished(house, job, said)
        return (await house.store.datasets.get(dataset.id)).status

    broken = await checked(item.id, key="1")
    await house.services.captions.edit(ann, item, text="zorp, a hat")
    still = (await house.store.datasets.get(dataset.id)).status

    assert (broken, still, await checked(key="2")) == (Status.ERROR, Status.ERROR, Status.READY)


async def test_a_look_that_fails_leaves_a_draft(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    job = await house.services.datasets.check(ann, dataset, place=HOME, key="k")
    await finished(house, job, BROKEN)

    assert (await house.services.datasets.view(ann, dataset.id)).dataset.status is Status.DRAFT


async def test_captions_written_by_hand_and_automatically_are_versions(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=2)
    first, second = (await house.services.datasets.view(ann, dataset.id)).items
    with pytest.raises(NothingToDo):
        await house.services.captionings.auto(ann, dataset, mode=CaptionMode.IGNORE, place=HOME, key="k0")

    edited = await house.services.captions.edit(ann, first, text="  zorp,\n a hat ")
    job = await house.services.captionings.auto(ann, dataset, mode=CaptionMode.APPEND, place=HOME, key="k")
    await finished(house, job)

    history = [(one.version, one.text, one.source) for one in await house.store.captions.of(first.id)]
    assert edited.captions["main"].text == "zorp, a hat"
    assert history == [
        (1, "zorp number 0", CaptionSource.UPLOAD),
        (2, "zorp, a hat", CaptionSource.HAND),
        (3, "zorp, a hat, a scene of zorp 0.png", CaptionSource.AUTOMATIC),
    ]
    after = await house.services.datasets.view(ann, dataset.id)
    assert [item.captions["main"].version for item in after.items] == [3, 2]
    assert after.dataset.status is Status.READY
    assert second.id == after.items[1].id


async def test_a_caption_that_cannot_be_writes_nothing(house: House, database: Database) -> None:
    ann = await somebody(house)
    item = (await house.services.datasets.view(ann, (await a_ready_dataset(house, ann)).id)).items[0]
    before = await everything_in(database)

    for text in ("", " \n ", "x" * 1001):
        with pytest.raises(BadValue):
            await house.services.captions.edit(ann, item, text=text)

    assert await everything_in(database) == before


async def test_a_deleted_dataset_is_out_of_sight_and_its_name_is_free(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    item = (await house.services.datasets.view(ann, dataset.id)).items[0]

    await house.services.datasets.delete(ann, dataset)

    assert await house.services.datasets.list(ann) == []
    for act in (
        house.services.datasets.view(ann, dataset.id),
        house.services.datasets.delete(ann, dataset),
        house.services.datasets.check(ann, dataset, place=HOME, key="k"),
        uploaded(house, ann, dataset, "a.png"),
        house.services.captionings.auto(ann, dataset, mode=CaptionMode.APPEND, place=HOME, key="k"),
        house.services.captions.edit(ann, item, text="zorp"),
    ):
        with pytest.raises(NotFound):
            await act
    assert (await house.services.datasets.create(ann, name="zorp", trigger="zorp")).id != dataset.id


async def test_an_upload_that_ends_after_the_deletion_stays_out_of_sight(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    job = await uploaded(house, ann, dataset, "late.png")
    await house.services.datasets.delete(ann, dataset)

    await finished(house, job)

    assert await house.services.datasets.list(ann) == []
    assert (await house.store.datasets.get(dataset.id)).deleted_at
