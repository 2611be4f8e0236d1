"""Intake, validation and captioning as jobs: real files, real children, and what stands in the dataset afterwards."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.domain.account import Actor
from core.domain.dataset import Dataset, Item, Status
from core.domain.job import Job, JobState
from core.kinds.intake import Result, Verdict
from loraguild.composition import House
from tests.builders.attempts import attempted
from tests.builders.entities import HOME
from tests.builders.scenes import Upload, somebody
from tests.worker.pictures import a_picture, a_png, a_zip, encoded
from worker.child import Child

MIB = 2**20
UNUSED = "tests.worker.studios:Quick"
PNGS = [encoded(a_picture(seed=seed, size=(96, 80))) for seed in range(4)]


async def a_dataset(house: House) -> tuple[Actor, Dataset]:
    ann = await somebody(house)
    return ann, await house.services.datasets.create(ann, name="zorp", trigger="zorp")


async def done(house: House, job: Job, folder: Path, *, memory: int = 4096 * MIB) -> Job:
    async with Child(UNUSED) as studio:
        return await attempted(house, job, studio=studio, folder=folder, memory=memory)


async def sent(
    house: House, ann: Actor, dataset: Dataset, folder: Path, files: dict[str, bytes], *, memory: int = 4096 * MIB
) -> Job:
    """Send files and let the intake look into them."""
    uploads = [Upload(name=name, content=content) for name, content in files.items()]
    key = house.services.conversations.token()
    job = await house.services.datasets.add(ann, dataset, uploads, place=HOME, key=key)
    return await done(house, job, folder, memory=memory)


async def seen(house: House, ann: Actor, dataset: Dataset) -> tuple[Dataset, Sequence[Item]]:
    view = await house.services.datasets.view(ann, dataset.id)
    return view.dataset, view.items


def outcomes(job: Job) -> dict[str, tuple[Verdict, str]]:
    assert job.state is JobState.SUCCEEDED
    return {one.name: (one.verdict, one.words) for one in Result.model_validate(job.result).outcomes}


async def test_good_files_become_items_with_their_captions(house: House, tmp_path: Path) -> None:
    ann, dataset = await a_dataset(house)
    archive = a_zip({"a.png": PNGS[1], "a.txt": b"zorp in a zip", "deep/b.png": PNGS[2]})
    job = await sent(house, ann, dataset, tmp_path, {"one.png": PNGS[0], "more.zip": archive})
    taken = (Verdict.TAKEN, "")
    assert outcomes(job) == {"one.png": taken, "more.zip": taken, "a.png": taken, "deep/b.png": taken}
    after, items = await seen(house, ann, dataset)
    assert (after.status, after.count) == (Status.READY, 3)
    assert [item.position for item in items] == [0, 1, 2]
    assert [item.caption.text if item.caption else None for item in items] == [None, "zorp in a zip", None]


def a_bomb_of_zeros() -> bytes:
    return a_zip({"bomb.png": bytes(64 * MIB)})


def a_climbing_zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("../evil.png", PNGS[0])
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("notes.png", b"this is a text, not a picture", "picture"),
        ("cut.png", PNGS[0][:-40], ""),
        ("huge.png", a_png(50_000, 50_000), "64 MP"),
        ("climbing.zip", a_climbing_zip(), ""),
        ("bomb.zip", a_bomb_of_zeros(), ""),
        ("empty.png", b"", ""),
    ],
)
async def test_a_bad_file_has_an_outcome_and_nothing_of_it_is_kept(
    house: House, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    ann, dataset = await a_dataset(house)
    job = await sent(house, ann, dataset, tmp_path / "work", {name: content})
    print(outcomes(job))
    (verdict, words) = outcomes(job)[name]
    assert verdict is Verdict.REFUSED
    assert reason in words
    after, items = await seen(house, ann, dataset)
    assert (after.status, after.count, items) == (Status.DRAFT, 0, ())
    assert [path for path in tmp_path.rglob("*evil*")] == []
