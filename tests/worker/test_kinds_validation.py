"""The doctor at work: what is stored is read by a real child; sheets, tokens and facts of conversations come back."""

import asyncio
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from PIL import Image

from core.domain.account import Actor
from core.domain.artifact import Artifact
from core.domain.dataset import Dataset, Status
from core.domain.doctor import LARGE, Fix
from core.domain.finding import LineError
from core.domain.job import Job, JobState
from core.domain.rating import Rating
from core.kinds.intake import FileOutcome, Picture, Result, Verdict
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import finished, stored
from tests.worker.intakes import a_dataset, asked, done, seen, sent, taken
from tests.worker.pictures import a_picture, encoded
from tests.worker.pictures import stored as stored_file
from worker.adapters import media
from worker.adapters.sheets import GAP, LINE, THUMBNAIL
from worker.kinds import validation

STEP_X, STEP_Y = THUMBNAIL + GAP, THUMBNAIL + LINE + GAP
PNGS = [encoded(a_picture(seed=seed, size=(96, 80))) for seed in range(3)]
TALK = [("user", "Hello there"), ("assistant", "Good day to you"), ("user", "Bye"), ("assistant", "See you")]


async def stocked(
    house: House, ann: Actor, dataset: Dataset, folder: Path, files: Mapping[str, bytes], *, caption: str = ""
) -> None:
    """Let pictures come in, the last with a caption, and the doctor say of them what needs no bytes."""
    job = await asked(house, ann, dataset, files)
    pictures = [await picture(house, folder, name, content) for name, content in files.items()]
    pictures[-1] = pictures[-1].but(caption=caption or None)
    outcomes = tuple(FileOutcome(name=name, verdict=Verdict.TAKEN) for name in files)
    await finished(house, job, Result(pictures=tuple(pictures), outcomes=outcomes, source_format="pictures"))
    for look in await house.store.jobs.about(dataset.id):
        await finished(house, look)


async def picture(house: House, folder: Path, name: str, content: bytes) -> Picture:
    """Bring what an intake measures of a clean picture."""
    clean = await asyncio.to_thread(media.clean, stored_file(folder, content), folder)
    return Picture(
        artifact=await stored(house, name, content),
        original_sha256=clean.original_sha256,
        width=clean.width,
        height=clean.height,
        phash=clean.phash,
        sharpness=clean.sharpness,
        caption=None,
    )


async def opened(house: House, artifact: Artifact) -> Image.Image:
    content = b"".join([chunk async for chunk in house.blobs.open(artifact.sha256)])
    return Image.open(io.BytesIO(content))


async def checked(house: House, ann: Actor, dataset: Dataset, folder: Path) -> Job:
    key = house.services.conversations.token()
    job = await house.services.datasets.check(ann, dataset, place=HOME, key=key)
    ended = await done(house, job, folder)
    assert ended.state is JobState.SUCCEEDED
    return ended


async def mended(house: House, ann: Actor, dataset: Dataset, fix: Fix, folder: Path) -> Job:
    """Mend by a worker; the doctor is still to look at it."""
    job = await house.services.mendings.mend(ann, dataset, fix, place=HOME, key=fix)
    assert isinstance(job, Job)
    return await done(house, job, folder)


def plain(colour: str, size: tuple[int, int] = (64, 64)) -> bytes:
    return encoded(Image.new("RGB", size, colour))


def codes(dataset: Dataset) -> list[str]:
    return [finding.code for finding in dataset.findings]


def jsonl(*conversations: list[tuple[str, str]]) -> bytes:
    records: list[dict[str, Any]] = [
        {"conversation_id": f"c{number}", "turns": [{"role": role, "content": content} for role, content in turns]}
        for number, turns in enumerate(conversations)
    ]
    return "\n".join(map(json.dumps, records)).encode()


async def test_pictures_get_a_numbered_sheet_and_their_pairs_side_by_side(house: House, tmp_path: Path) -> None:
    ann, dataset = await a_dataset(house)
    near = a_picture(seed=0, size=(96, 80))
    near.putpixel((0, 0), (0, 0, 0))
    files = {"0.png": PNGS[0], "1.png": PNGS[1], "2.png": encoded(near)}
    await stocked(house, ann, dataset, tmp_path, files, caption="zorp, a hat")

    await checked(house, ann, dataset, tmp_path)

    after, items = await seen(house, ann, dataset)

    (sheet,) = after.sheets
    assert (after.status, codes(after)) == (Status.READY, ["near_duplicates", "uncaptioned"])
    assert after.pairs
    assert (await opened(house, sheet)).size == (3 * STEP_X + GAP, STEP_Y + GAP)
    assert (await opened(house, after.pairs)).size == (2 * STEP_X + GAP, STEP_Y + GAP)
    assert (items[2].captions["main"].tokens, after.statistics.tokens.estimated) == (7, False)


async def test_previews_of_a_dataset_for_adults_show_all_pictures_page_after_page(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "MAX_ON_SHEET", 2)
    ann = (await a_dataset(house))[0].but(adult=True)
    dataset = await house.services.datasets.create(ann, name="blip", trigger="blip", rating=Rating.NSFW)
    await stocked(house, ann, dataset, tmp_path, {f"{number}.png": png for number, png in enumerate(PNGS)})

    await checked(house, ann, dataset, tmp_path)

    after, _ = await seen(house, ann, dataset)
    sizes = [(await opened(house, preview)).size for preview in after.previews]
    assert sizes == [(2 * STEP_X + GAP, STEP_Y + GAP), (STEP_X + GAP, STEP_Y + GAP)]
    assert (await opened(house, after.sheets[0])).size == sizes[0]


async def test_damage_is_found_when_every_byte_is_read_and_not_forgotten_by_a_shorter_look(
    house: House, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "MAX_ON_SHEET", 1)
    ann, dataset = await a_dataset(house)
    await stocked(house, ann, dataset, tmp_path, {f"{number}.png": png for number, png in enumerate(PNGS)})
    _, items = await seen(house, ann, dataset)
    row = await database["blobs"].find_one({"_id": items[1].artifact.sha256})
    assert row
    other = b"x" * row["size"]
    await database["files.chunks"].update_one({"files_id": ObjectId(row["file"])}, {"$set": {"data": other}})
    await database["blobs"].delete_one({"_id": items[2].artifact.sha256})

    await checked(house, ann, dataset, tmp_path)
    deep, _ = await seen(house, ann, dataset)
    await sent(house, ann, dataset, tmp_path, {"more.png": plain("red")})
    short, _ = await seen(house, ann, dataset)

    assert [finding.items for finding in deep.findings if finding.code == "unreadable"] == [(items[1].id, items[2].id)]
    assert (deep.status, short.status) == (Status.ERROR, Status.ERROR)
    assert [finding.items for finding in short.findings if finding.code == "unreadable"] == [(items[1].id, items[2].id)]
    (sheet,) = short.sheets
    assert (await opened(house, sheet)).size == (STEP_X + GAP, STEP_Y + GAP)


async def test_what_nobody_consents_to_any_more_is_not_shown(house: House, tmp_path: Path) -> None:
    ann, dataset = await a_dataset(house)
    await stocked(house, ann, dataset, tmp_path, {"0.png": plain("red"), "1.png": PNGS[1]})
    _, (red, _) = await seen(house, ann, dataset)
    await house.store.items.save(red.but(withdrawn_at=dataset.created_at))

    await checked(house, ann, dataset, tmp_path)

    after, _ = await seen(house, ann, dataset)
    sheet = await opened(house, after.sheets[0])
    middle = sheet.getpixel((GAP + THUMBNAIL // 2, GAP + LINE + THUMBNAIL // 2))
    assert (middle, "withdrawn" in codes(after)) == ((255, 255, 255), True)


async def test_large_pictures_are_scaled_down_and_keep_their_captions(house: House, tmp_path: Path) -> None:
    ann, dataset = await a_dataset(house)
    noise = Image.effect_noise((LARGE * 5 // 4, 100), 90).convert("RGB")
    files = {"a.png": encoded(noise.rotate(90, expand=True)), "b.jpg": encoded(noise, "JPEG")}
    await stocked(house, ann, dataset, tmp_path, files, caption="zorp, noise")
    before, raw = await seen(house, ann, dataset)

    job = await mended(house, ann, dataset, Fix.RESIZE, tmp_path)
    for look in await house.store.jobs.about(dataset.id):
        await finished(house, look)

    after, items = await seen(house, ann, dataset)
    assert job.state is JobState.SUCCEEDED
    assert ("oversized" in codes(before), "oversized" in codes(after)) == (True, False)
    assert [(item.width, item.height, item.artifact.media_type) for item in items] == [
        (80, LARGE, "image/png"),
        (LARGE, 80, "image/jpeg"),
    ]
    assert [(item.id, item.artifact.name, item.original_sha256) for item in items] == [
        (item.id, item.artifact.name, item.original_sha256) for item in raw
    ]
    assert (await opened(house, items[0].artifact)).size == (80, LARGE)
    assert [(await opened(house, item.small)).size for item in items] == [(15, 384), (384, 15)]
    assert (items[1].caption() == raw[1].caption() is not None, after.count, after.status) == (True, 2, Status.READY)
    assert after.bytes == sum(item.artifact.size for item in items)


async def test_conversations_are_counted_and_their_faults_have_a_place(house: House, tmp_path: Path) -> None:
    ann, dataset = await a_dataset(house)
    crooked = [("assistant", "Me first"), ("user", "write to jane@example.com"), ("assistant", "")]
    await sent(house, ann, dataset, tmp_path, {"talk.jsonl": jsonl(TALK, crooked, TALK) + b"\n{broken"})

    before, _ = await seen(house, ann, dataset)
    await mended(house, ann, dataset, Fix.ROLES, tmp_path)
    for look in await house.store.jobs.about(dataset.id):
        await done(house, look, tmp_path)
    after, _ = await seen(house, ann, dataset)
    await house.services.mendings.mend(ann, dataset, Fix.WITHOUT_BAD_LINES, place=HOME, key="on")
    ready, _ = await seen(house, ann, dataset)

    assert (before.status, codes(before)) == (Status.ERROR, ["bad_lines", "roles", "emails", "duplicates"])
    assert [str(error).split(" ")[0] for error in before.errors] == ["talk.jsonl:4"]
    assert before.faults == (
        LineError(file="talk.jsonl", line=2, turn=1, words="The assistant speaks before the user has said anything."),
        LineError(file="talk.jsonl", line=2, turn=3, words="Nothing is said in this turn."),
        LineError(file="talk.jsonl", line=2, turn=2, words="An e-mail address is said here."),
    )
    assert before.samples[0].splitlines() == [f"{role}: {content}" for role, content in TALK]
    assert (before.statistics.items, before.statistics.turns, before.statistics.tokens.estimated) == (3, 11, True)
    assert (after.status, codes(after), after.faults) == (Status.ERROR, ["bad_lines", "duplicates"], ())
    assert (after.count, after.statistics.items, after.statistics.turns) == (2, 2, 8)
    assert (ready.status, codes(ready)) == (Status.READY, ["duplicates"])


async def test_conversations_that_are_lost_block(house: House, database: Database, tmp_path: Path) -> None:
    ann, dataset = await a_dataset(house)
    await taken(house, ann, dataset, tmp_path, {"talk.jsonl": jsonl(TALK)})
    (part,) = await house.store.parts.of(dataset.id)
    await database["blobs"].delete_one({"_id": part.artifact.sha256})

    await checked(house, ann, dataset, tmp_path)

    after, _ = await seen(house, ann, dataset)
    assert (after.status, codes(after)) == (Status.ERROR, ["unreadable"])


async def test_progress_counts_pictures(house: House, tmp_path: Path) -> None:
    ann, dataset = await a_dataset(house)
    await stocked(house, ann, dataset, tmp_path, {f"{number}.png": png for number, png in enumerate(PNGS)})

    job = await checked(house, ann, dataset, tmp_path)

    assert job.progress
    assert (job.progress.step, job.progress.total, job.progress.doing) == (3, 3, "looking at pictures")
    left = await asyncio.to_thread(lambda: [path for path in tmp_path.rglob("raw/*") if path.parent.name == "raw"])
    assert {path.name for path in left}.isdisjoint(
        {item.artifact.sha256 for item in (await seen(house, ann, dataset))[1]}
    )
