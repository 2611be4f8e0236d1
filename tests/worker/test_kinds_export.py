"""Exports as jobs: what is in the file, who gets it, and how long it is kept."""

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from core.domain.account import Actor
from core.domain.conversation import Conversation, Part, Turn
from core.domain.dataset import Access, Dataset, Kind
from core.domain.errors import BadValue, DatasetEmpty, NotFound
from core.domain.export import KEPT, Format
from core.domain.job import Job, JobState
from core.kinds.export import Result
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.attempts import attempted
from tests.builders.entities import HOME
from tests.builders.scenes import a_ready_dataset, somebody, stored
from worker.child import Child

UNUSED = "tests.worker.studios:Quick"
TALKS = [
    Conversation(
        conversation_id=f"c{number}", turns=(Turn(role="user", content="Hé?"), Turn(role="assistant", content="Ja."))
    )
    for number in range(3)
]


async def ordered(house: House, actor: Actor, dataset: Dataset, wished: Format | None = None) -> Job:
    key = house.services.conversations.token()
    return await house.services.exports.order(actor, dataset, wished=wished, place=HOME, key=key)


async def exported(house: House, job: Job, folder: Path) -> bytes:
    async with Child(UNUSED) as studio:
        done = await attempted(house, job, studio=studio, folder=folder)
    assert done.state is JobState.SUCCEEDED, done.failure
    artifact = Result.model_validate(done.result).artifact
    return b"".join([chunk async for chunk in house.blobs.open(artifact.sha256)])


async def a_talk(house: House, actor: Actor) -> Dataset:
    """Make a dataset of conversations in two parts."""
    dataset = await house.services.datasets.create(actor, name="talk", trigger="talkx1")
    for position, said in enumerate((TALKS[:2], TALKS[2:])):
        lines = "".join(f"{one.model_dump_json()}\n" for one in said)
        artifact = await stored(house, f"{position}.jsonl", lines.encode())
        part = Part(id=f"p{position}", dataset=dataset.id, position=position, artifact=artifact, count=len(said))
        await house.store.parts.add(part)
    filled = dataset.received(Kind.CONVERSATIONS, count=3, bytes=9, now=dataset.created_at)
    await house.store.datasets.save(filled)
    return filled


async def test_pictures_and_captions_come_as_a_zip_of_the_same_bytes_each_time(house: House, tmp_path: Path) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    first = await exported(house, await ordered(house, ann, dataset), tmp_path / "1")
    again = await exported(house, await ordered(house, ann, dataset, Format.ZIP), tmp_path / "2")

    with zipfile.ZipFile(io.BytesIO(first)) as opened:
        content = {name: opened.read(name) for name in opened.namelist()}

    pictures = {f"zorp {number}.png": f"zorp {number}.png".encode() for number in range(3)}
    captions = {f"zorp {number}.txt": f"zorp number {number}\n".encode() for number in range(3)}
    assert (again, content) == (first, pictures | captions)


async def test_conversations_come_as_json_lines(house: House, tmp_path: Path) -> None:
    ann = await somebody(house)
    dataset = await a_talk(house, ann)

    own = await exported(house, await ordered(house, ann, dataset), tmp_path / "1")
    openai = await exported(house, await ordered(house, ann, dataset, Format.OPENAI), tmp_path / "2")

    turns = [[turn.model_dump() for turn in one.turns] for one in TALKS]
    assert [json.loads(line) for line in own.splitlines()] == [
        {"conversation_id": f"c{number}", "turns": said} for number, said in enumerate(turns)
    ]
    assert [json.loads(line) for line in openai.splitlines()] == [{"messages": said} for said in turns]


async def test_a_picture_whose_consent_was_withdrawn_stays_here(house: House, tmp_path: Path) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    item = (await house.store.items.of(dataset.id))[1]
    await house.store.items.save(item.but(withdrawn_at=dataset.created_at))

    content = await exported(house, await ordered(house, ann, dataset), tmp_path)

    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert [name for name in opened.namelist() if name.endswith(".png")] == ["zorp 0.png", "zorp 2.png"]


async def test_who_may_use_a_dataset_may_take_it_away(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    dataset = await a_ready_dataset(house, ann)
    empty = await house.services.datasets.create(ann, name="empty", trigger="empty")

    with pytest.raises(NotFound):
        await ordered(house, bob, dataset)
    with pytest.raises(DatasetEmpty):
        await ordered(house, ann, empty)
    with pytest.raises(BadValue):
        await ordered(house, ann, dataset, Format.OPENAI)
    await house.store.datasets.save(dataset.but(access=Access.PUBLIC))
    assert (await ordered(house, bob, dataset)).owner == bob.account
    await house.store.datasets.save(dataset.but(access=Access.PUBLIC, suspended="r1"))
    with pytest.raises(NotFound):
        await ordered(house, bob, dataset)
    assert (await ordered(house, ann, dataset)).owner == ann.account


async def test_bytes_that_are_gone_end_an_export_with_words(house: House, database: Database, tmp_path: Path) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    await database["blobs"].delete_many({})

    async with Child(UNUSED) as studio:
        done = await attempted(house, await ordered(house, ann, dataset), studio=studio, folder=tmp_path)

    assert done.failure
    assert done.failure.words == "A file of «zorp» is gone. Have the doctor look, and export again."


async def test_a_file_is_kept_for_a_week(house: House, database: Database, clock: HandClock, tmp_path: Path) -> None:
    ann = await somebody(house)
    job = await ordered(house, ann, await a_ready_dataset(house, ann))
    await exported(house, job, tmp_path)
    kept = await house.services.exports.kept(job.id)
    assert kept

    clock.advance(KEPT - timedelta(seconds=1))
    assert await house.services.exports.sweep() == 0
    clock.advance(timedelta(seconds=1))
    assert await house.services.exports.sweep() == 1

    row = await database["blobs"].find_one({"_id": kept.artifact.sha256})
    assert row
    assert (row["references"], await house.services.exports.kept(job.id)) == (0, None)
