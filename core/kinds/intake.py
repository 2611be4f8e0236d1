"""Intake: raw uploads become items, each file with an outcome. The raw bytes are let go at the end."""

from datetime import datetime
from enum import StrEnum

from core.domain.artifact import Artifact
from core.domain.caption import CaptionSource, succeeding
from core.domain.dataset import Dataset, Item
from core.domain.doctor import reexamined
from core.domain.job import Job, asked
from core.domain.value import Value
from core.ports.clock import Ids
from core.ports.store import Repositories


def incoming(dataset: Dataset, count: int, *, id: str, key: str, now: datetime) -> Job:  # noqa: A002 - the field's name
    """The job that looks into so many files for a dataset, as it is asked for."""
    title = f"{dataset.name} · {count} {'file' if count == 1 else 'files'} coming in"
    return asked("intake", id=id, key=key, owner=dataset.owner, subject=dataset.id, title=title, now=now)


class Verdict(StrEnum):
    """What became of a file."""

    TAKEN = "taken"
    REPAIRED = "repaired"
    REFUSED = "refused"


class FileOutcome(Value):
    """What became of one file, in words where they are needed."""

    name: str
    verdict: Verdict
    words: str = ""


class Picture(Value):
    """One clean picture as it came in; sizes in pixels, `phash` 64 bits in hex."""

    artifact: Artifact
    original_sha256: str
    width: int
    height: int
    phash: str
    sharpness: float
    caption: str | None


class Payload(Value):
    """The raw files for a dataset."""

    dataset: str
    files: tuple[Artifact, ...]


class Result(Value):
    """The pictures that were in them, every file's outcome, and a contact sheet of what was taken.

    `preview` is that sheet blurred beyond recognition, where the dataset is for adults.
    """

    pictures: tuple[Picture, ...]
    outcomes: tuple[FileOutcome, ...]
    sheet: Artifact | None = None
    preview: Artifact | None = None


async def settle(tx: Repositories, job: Job, result: Value | None, *, ids: Ids, now: datetime) -> None:
    """Add the items, let the raw uploads go, and let the doctor look when no other upload is under way."""
    payload = Payload.model_validate(job.payload)
    dataset = await tx.datasets.get(payload.dataset)
    await tx.references.forget(*(file.sha256 for file in payload.files))
    if isinstance(result, Result):
        await _add(tx, dataset, result, author=job.owner, ids=ids, now=now)
        size = sum(picture.artifact.size for picture in result.pictures)
        dataset = dataset.received(count=len(result.pictures), bytes=size, now=now)
        if result.sheet:
            await tx.references.refer(result.sheet.sha256)
        if result.preview:
            await tx.references.refer(result.preview.sha256)
            dataset, old = dataset.previewed(result.preview)
            await tx.references.forget(*(sheet.sha256 for sheet in old))
    others = [other for other in await tx.jobs.about(dataset.id) if other.kind == job.kind and other.id != job.id]
    after = dataset.uploading(now=now) if others else reexamined(dataset, await tx.items.of(dataset.id), now=now)
    await tx.datasets.save(after)


async def _add(tx: Repositories, dataset: Dataset, result: Result, *, author: str, ids: Ids, now: datetime) -> None:
    await tx.references.refer(*(picture.artifact.sha256 for picture in result.pictures))
    for position, picture in enumerate(result.pictures, start=dataset.count):
        item = Item(
            id=ids.new(),
            dataset=dataset.id,
            position=position,
            **picture.model_dump(exclude={"caption"}),
        )
        if picture.caption:
            source = CaptionSource.UPLOAD
            version = succeeding(None, item=item.id, text=picture.caption, author=author, source=source, now=now)
            await tx.captions.add(version)
            item = item.but(caption=version)
        await tx.items.add(item)
