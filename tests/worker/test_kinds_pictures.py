"""The road of pictures through jobs: real files, real children, and what stands in the dataset afterwards."""

import asyncio
from pathlib import Path

import pytest
from bson import ObjectId

from core.domain.account import Actor
from core.domain.caption import CaptionMode
from core.domain.dataset import Dataset, Kind, Status
from core.domain.job import Failure, JobState
from core.domain.rating import Rating
from core.kinds.intake import Verdict
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.worker.intakes import a_dataset, caption, done, outcomes, seen, sent
from tests.worker.pictures import a_picture, a_png, a_zip, a_zorp, encoded

MIB = 2**20
PNGS = [encoded(a_picture(seed=seed, size=(96, 80))) for seed in range(4)]


async def test_good_files_become_items_with_their_captions(house: House, tmp_path: Path) -> None:
    ann, dataset = await a_dataset(house)
    archive = a_zip({"a.png": PNGS[1], "a.txt": b"zorp in a zip", "deep/b.png": PNGS[2]})
    job = await sent(house, ann, dataset, tmp_path, {"one.png": PNGS[0], "more.zip": archive})
    taken = (Verdict.TAKEN, "")
    inside = {"more.zip": (Verdict.TAKEN, "2 of 2 files taken."), "a.png": taken, "deep/b.png": taken}
    assert outcomes(job) == {"one.png": taken, **inside}
    after, items = await seen(house, ann, dataset)
    assert (after.status, after.count) == (Status.READY, 3)
    assert [item.position for item in items] == [0, 1, 2]
    assert [caption(item) for item in items] == [None, "zorp in a zip", None]
    assert (after.kind, after.source_format, after.source_name) == (Kind.IMAGES, "sidecars", "one.png")


async def test_bad_files_are_refused_in_words_and_disturb_no_other(
    house: House, database: Database, tmp_path: Path
) -> None:
    ann, dataset = await a_dataset(house)
    files = {
        "good.png": PNGS[0],
        "notes.png": b"this is a text, not a picture",
        "cut.png": PNGS[1][:-40],
        "huge.png": a_png(50_000, 50_000),
        "climbing.zip": a_zip({"../evil.png": PNGS[2]}),
        "bomb.zip": a_zip({"bomb.png": bytes(64 * MIB)}),
        "empty.png": b"",
    }
    job = await sent(house, ann, dataset, tmp_path / "work", files)
    found = outcomes(job)
    assert found.pop("good.png") == (Verdict.TAKEN, "")
    assert {name: (verdict, words.split(".")[0]) for name, (verdict, words) in found.items()} == {
        "notes.png": (Verdict.REFUSED, "It is not a picture that can be read"),
        "cut.png": (Verdict.REFUSED, "It is damaged or cut off"),
        "huge.png": (Verdict.REFUSED, "It has more than 64 megapixels"),
        "climbing.zip": (Verdict.REFUSED, "«"),
        "bomb.zip": (Verdict.REFUSED, "At «bomb"),
        "empty.png": (Verdict.REFUSED, "The file is empty"),
    }
    assert found["climbing.zip"][1].startswith("«../evil.png» in the archive points out of the archive.")
    after, items = await seen(house, ann, dataset)
    assert (after.status, after.count, [item.artifact.name for item in items]) == (Status.READY, 1, ["good.png"])
    assert not await asyncio.to_thread(lambda: list(tmp_path.rglob("*evil*")))
    referred = {row["_id"] async for row in database["blobs"].find({"references": {"$gt": 0}})}
    assert referred == {items[0].artifact.sha256, *(sheet.sha256 for sheet in after.sheets)}


async def test_moderators_get_a_blurred_sheet_of_a_dataset_for_adults_and_only_of_that(
    house: House, database: Database, tmp_path: Path
) -> None:
    ann, for_all = await a_dataset(house)
    for_adults = await house.services.datasets.create(
        ann.but(adult=True), name="blip", trigger="blip", rating=Rating.NSFW
    )
    for dataset in (for_all, for_adults):
        await sent(house, ann, dataset, tmp_path, {"one.png": PNGS[0]})
    (plain, _), (adult, _) = await seen(house, ann, for_all), await seen(house, ann, for_adults)
    (preview,) = adult.previews
    row = await database["blobs"].find_one({"_id": preview.sha256})
    assert (plain.previews, preview.name, row and row["references"]) == ((), "preview.png", 1)


async def test_nothing_but_bad_files_leave_the_dataset_a_draft(house: House, tmp_path: Path) -> None:
    ann, dataset = await a_dataset(house)
    job = await sent(house, ann, dataset, tmp_path, {"notes.png": b"a text"})
    assert [verdict for verdict, _ in outcomes(job).values()] == [Verdict.REFUSED]
    after, items = await seen(house, ann, dataset)
    assert (after.status, after.count, items) == (Status.DRAFT, 0, ())


async def test_files_that_take_too_long_are_refused_as_a_whole(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.kinds.intake.SECONDS", 0.01)
    ann, dataset = await a_dataset(house)
    job = await sent(house, ann, dataset, tmp_path, {"one.png": PNGS[0]})
    assert job.failure == Failure(
        code="files_too_demanding",
        ours=False,
        words="Looking into these files took too much memory or time. Send smaller ones, or fewer at once.",
    )
    after, items = await seen(house, ann, dataset)
    assert (after.status, items) == (Status.DRAFT, ())


async def checked(house: House, ann: Actor, dataset: Dataset, folder: Path) -> tuple[Status, dict[str, set[str]]]:
    """Let the doctor look; return the status and the positions that each finding is about."""
    key = house.services.conversations.token()
    job = await house.services.datasets.check(ann, dataset, place=HOME, key=key)
    assert (await done(house, job, folder)).state is JobState.SUCCEEDED
    after, items = await seen(house, ann, dataset)
    names = {item.id: str(item.position) for item in items}
    return after.status, {one.code: {names[item] for item in one.items} for one in after.findings}


async def test_the_doctor_finds_what_was_damaged_in_the_store_and_takes_no_copy_for_damaged(
    house: House, database: Database, tmp_path: Path
) -> None:
    ann, dataset = await a_dataset(house)
    await sent(house, ann, dataset, tmp_path, {f"{number}.png": png for number, png in enumerate(PNGS)})
    await sent(house, ann, dataset, tmp_path, {"again.png": PNGS[0]})
    status, findings = await checked(house, ann, dataset, tmp_path)
    assert status is Status.READY
    assert findings["exact_duplicates"] == {"4"}
    assert "unreadable" not in findings

    _, items = await seen(house, ann, dataset)
    damaged, lost = items[1].artifact.sha256, items[2].artifact.sha256
    row = await database["blobs"].find_one({"_id": damaged})
    assert row
    other = PNGS[3].ljust(row["size"])[: row["size"]]
    await database["files.chunks"].update_one({"files_id": ObjectId(row["file"])}, {"$set": {"data": other}})
    await database["blobs"].delete_one({"_id": lost})
    status, findings = await checked(house, ann, dataset, tmp_path)
    assert status is Status.ERROR
    assert findings["unreadable"] == {"1", "2"}


async def test_captions_follow_the_mode_and_keep_every_version(house: House, tmp_path: Path) -> None:
    ann, dataset = await a_dataset(house)
    pictures = {f"{colour}.png": encoded(a_zorp(colour)) for colour in ("red", "blue")}
    await sent(house, ann, dataset, tmp_path, pictures)
    _, (red, blue) = await seen(house, ann, dataset)
    await house.services.captions.edit(ann, red, text="zorp by hand")

    async def texts(mode: CaptionMode) -> list[str | None]:
        key = house.services.conversations.token()
        job = await house.services.captionings.auto(ann, dataset, mode=mode, place=HOME, key=key)
        assert (await done(house, job, tmp_path)).state is JobState.SUCCEEDED
        _, items = await seen(house, ann, dataset)
        return [caption(item) for item in items]

    by_hand, on_blue = await texts(CaptionMode.IGNORE)
    assert by_hand == "zorp by hand"
    assert on_blue is not None
    assert on_blue.startswith("zorp, ")
    assert "blue" in on_blue
    on_red = (await texts(CaptionMode.OVERWRITE))[0]
    assert on_red is not None
    assert "red" in on_red
    await house.services.captions.edit(ann, red, text="zorp again")
    assert (await texts(CaptionMode.APPEND))[0] == f"zorp again, {on_red.removeprefix('zorp, ')}"
    history = [version.text for version in await house.store.captions.of(red.id)]
    assert history[:3] == ["zorp by hand", on_red, "zorp again"]
    assert [version.version for version in await house.store.captions.of(blue.id)][:2] == [1, 2]
