"""Intake as a job: what becomes of links, of the quota, of conversations, and of an attempt that dies."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from bots.cards import card
from core.domain.account import Actor
from core.domain.dataset import Kind, Status
from core.domain.errors import LeaseLost
from core.domain.job import LEASE, RETRY_AFTER, Job
from core.domain.quota import Quota, Usage
from core.kinds.intake import Verdict
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.attempts import a_task
from tests.builders.chats import a_call
from tests.builders.scenes import claimed
from tests.worker.intakes import UNUSED, a_dataset, asked, caption, done, outcomes, seen, taken
from tests.worker.pictures import a_picture, a_zip, encoded
from worker.adapters import unpacking
from worker.child import Child
from worker.kinds import intake

PNGS = [encoded(a_picture(seed=seed, size=(96, 80))) for seed in range(4)]


def said(count: int) -> bytes:
    """Return so many conversations as a file."""
    turns = [{"role": "user", "content": "Who are you?"}, {"role": "assistant", "content": "Zorp."}]
    lines = ({"conversation_id": f"c{number}", "turns": turns} for number in range(count))
    return b"\n".join(map(orjson.dumps, lines))


async def told(house: House, ann: Actor, job: Job) -> Sequence[str]:
    """What the card of a job says."""
    return (await card(a_call(house, ann), job.id)).lines


async def test_an_imagefolder_comes_in_with_all_that_is_said_of_its_pictures(house: House, tmp_path: Path) -> None:
    ann, dataset = await a_dataset(house)
    rows = [{"file_name": "1.png", "text": "zorp, red", "hat": "red"}, {"file_name": "3.png", "text": "nobody"}]
    table = b"\n".join(map(orjson.dumps, rows))
    files = {"set/train/1.png": PNGS[0], "set/train/2.png": PNGS[1], "set/train/metadata.jsonl": table}
    job = await taken(house, ann, dataset, tmp_path, {"set.zip": a_zip(files)})
    after, items = await seen(house, ann, dataset)
    assert (after.source_format, after.source_name) == ("imagefolder", "set.zip")
    assert [(caption(item), item.metadata) for item in items] == [("zorp, red", {"hat": "red"}), (None, {})]
    assert await told(house, ann, job) == (
        "2 pictures taken into «zorp».",
        "The doctor looks at them now.",
        "set.zip: repaired. 3 of 3 files taken.",
        "set/train/metadata.jsonl: repaired. Rows used: 1. Left out: line 2 names «3.png», which did not come with it.",
    )


async def test_conversations_make_a_dataset_of_conversations(house: House, database: Database, tmp_path: Path) -> None:
    ann, dataset = await a_dataset(house)
    talk = said(3) + b"\nnonsense"
    job = await taken(house, ann, dataset, tmp_path, {"talk.jsonl": talk, "more.zip": a_zip({"a.png": b"no picture"})})
    after, items = await seen(house, ann, dataset)
    parts = await house.store.parts.of(dataset.id)
    assert (after.kind, after.count, items, [part.count for part in parts]) == (Kind.CONVERSATIONS, 3, (), [3])
    assert after.bytes == parts[0].artifact.size
    assert (await told(house, ann, job))[:2] == ("3 conversations taken into «zorp».", "The doctor looks at them now.")
    assert any(line.startswith("talk.jsonl:4 ") for line in await told(house, ann, job))
    row = await database["blobs"].find_one({"_id": parts[0].artifact.sha256})
    assert row
    assert row["references"] == 1


async def test_what_is_of_another_kind_than_the_dataset_is_refused(house: House, tmp_path: Path) -> None:
    ann, dataset = await a_dataset(house)
    await taken(house, ann, dataset, tmp_path, {"one.png": PNGS[0]})
    job = await taken(house, ann, dataset, tmp_path, {"talk.jsonl": said(1)})
    words = "Dataset «zorp» holds pictures: conversations need a dataset of their own. Make one with `dataset new`."
    assert outcomes(job) == {"talk.jsonl": (Verdict.REFUSED, words)}
    after, items = await seen(house, ann, dataset)
    assert (after.kind, after.status, len(items)) == (Kind.IMAGES, Status.READY, 1)
    assert await told(house, ann, job) == ("Nothing was taken into «zorp».", f"talk.jsonl: refused. {words}")


async def test_of_two_kinds_at_a_time_the_first_to_end_wins_and_the_other_is_told(house: House, tmp_path: Path) -> None:
    ann, dataset = await a_dataset(house)
    shown = await asked(house, ann, dataset, {"one.png": PNGS[0]})
    talked = await asked(house, ann, dataset, {"talk.jsonl": said(1)})
    async with Child(UNUSED) as studio:
        tasks = []
        for number, job in enumerate((shown, talked)):
            found, _ = await claimed(house, job, worker=f"w{number}")
            tasks.append(a_task(house, found, studio=studio, folder=tmp_path))
        results = [await intake.work(task) for task in tasks]
    for task, result in zip(tasks, results, strict=True):
        await house.services.jobs.finish(task.job.id, task.token, result)
    after, items = await seen(house, ann, dataset)
    assert (after.kind, after.count, len(items), await house.store.parts.of(dataset.id)) == (Kind.IMAGES, 1, 1, [])
    assert (await told(house, ann, shown))[0] == "1 picture taken into «zorp»."
    assert (await told(house, ann, talked))[0].startswith("Dataset «zorp» holds pictures: conversations need")


async def test_links_into_the_house_are_refused_and_disturb_no_file(house: House, tmp_path: Path) -> None:
    ann, dataset = await a_dataset(house)
    links = ("http://127.0.0.1/secret.png", "http://[::1]/secret.png", "http://169.254.169.254/latest/")
    files = {"one.png": PNGS[0], "list.txt": b"https://10.0.0.1/a.png\n"}
    found = outcomes(await taken(house, ann, dataset, tmp_path, files, links=links))
    assert found.pop("one.png") == found.pop("list.txt") == (Verdict.TAKEN, "")
    assert {name: (verdict, words.rpartition(": ")[2]) for name, (verdict, words) in found.items()} == dict.fromkeys(
        (*links, "https://10.0.0.1/a.png"), (Verdict.REFUSED, "it leads into a private network.")
    )
    assert (await seen(house, ann, dataset))[0].count == 1


async def test_pictures_beyond_the_quota_are_refused_in_its_words(house: House, tmp_path: Path) -> None:
    ann, dataset = await a_dataset(house)
    quota = Quota(bytes=10**9, items=3)
    small = replace(house, services=replace(house.services, datasets=replace(house.services.datasets, quota=quota)))
    await taken(small, ann, dataset, tmp_path, {"0.png": PNGS[0], "1.png": PNGS[1]})
    job = await taken(small, ann, dataset, tmp_path, {"2.png": PNGS[2], "3.png": PNGS[3]})
    assert outcomes(job) == {"2.png": (Verdict.TAKEN, ""), "3.png": (Verdict.REFUSED, unpacking.FULL)}
    assert await small.services.datasets.room(dataset.id) == Usage(bytes=10**9 - sum(map(len, PNGS[:3])), items=0)


async def test_an_attempt_that_dies_before_its_end_leaves_nothing_and_the_next_adds_nothing_twice(
    house: House, database: Database, clock: HandClock, tmp_path: Path
) -> None:
    ann, dataset = await a_dataset(house)
    large = encoded(a_picture(seed=9, size=(600, 400)))
    job = await asked(house, ann, dataset, {"set.zip": a_zip({"a.png": PNGS[0], "a.txt": b"zorp", "b.png": large})})
    first, token = await claimed(house, job)
    async with Child(UNUSED) as studio:
        result = await intake.work(a_task(house, first, studio=studio, folder=tmp_path))
    after, items = await seen(house, ann, dataset)
    assert (len(result.pictures), after.status, items) == (2, Status.UPLOADING, ())

    clock.advance(2 * LEASE)
    await house.services.jobs.expire()
    clock.advance(RETRY_AFTER)
    second = await done(house, job, tmp_path)
    with pytest.raises(LeaseLost):
        await house.services.jobs.finish(job.id, token, result)

    after, items = await seen(house, ann, dataset)
    assert (second.attempt, after.count, [item.artifact.name for item in items]) == (2, 2, ["a.png", "b.png"])
    assert [len(await house.store.captions.of(item.id)) for item in items] == [1, 0]
    referred = {row["_id"]: row["references"] async for row in database["blobs"].find({"references": {"$gt": 0}})}
    thumbnail = items[1].thumbnail
    assert (items[0].thumbnail, thumbnail and (thumbnail.name, thumbnail.media_type)) == (
        None,
        ("thumbnail.webp", "image/webp"),
    )
    assert referred == {file: 1 for item in items for file in item.files}
