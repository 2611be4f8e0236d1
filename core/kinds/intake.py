"""Intake: raw uploads become items, each file with an outcome. The raw bytes are let go at the end."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from core.domain.artifact import Artifact
from core.domain.caption import CaptionSource, succeeding
from core.domain.conversation import Part, PartFacts
from core.domain.dataset import Dataset, Kind
from core.domain.errors import KindsMixed
from core.domain.finding import ERRORS, LineError
from core.domain.item import Item
from core.domain.job import Job, asked
from core.domain.value import Value
from core.kinds import validation
from core.ports.clock import Ids
from core.ports.store import Repositories

WORDS = {Kind.IMAGES: "pictures", Kind.CONVERSATIONS: "conversations"}


def incoming(dataset: Dataset, count: int, *, id: str, key: str, now: datetime) -> Job:  # noqa: A002 - the field's name
    """The job that looks into so many files for a dataset, as it is asked for."""
    title = f"{dataset.name} · {count} {'file' if count == 1 else 'files'} coming in"
    return asked("intake", id=id, key=key, owner=dataset.owner, subject=dataset.id, title=title, now=now)


def mixed(name: str, holds: Kind) -> KindsMixed:
    """Why a dataset that holds one kind takes nothing of the other."""
    others = Kind.CONVERSATIONS if holds is Kind.IMAGES else Kind.IMAGES
    return KindsMixed(name=name, kind=WORDS[holds], other=WORDS[others])


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
    metadata: Mapping[str, str] = {}
    thumbnail: Artifact | None = None


class Portion(Value):
    """Some conversations as they came in, stored together."""

    artifact: Artifact
    count: int
    facts: PartFacts = PartFacts()


class Payload(Value):
    """The raw files for a dataset, and links to more."""

    dataset: str
    files: tuple[Artifact, ...]
    links: tuple[str, ...] = ()


class Result(Value):
    """The pictures, or the conversations, that were in them, and every file's outcome.

    `errors` are the first lines that could not be read, of `error_count`.
    """

    pictures: tuple[Picture, ...] = ()
    portions: tuple[Portion, ...] = ()
    outcomes: tuple[FileOutcome, ...] = ()
    errors: tuple[LineError, ...] = ()
    error_count: int = 0
    source_format: str = ""


async def settle(tx: Repositories, job: Job, result: Value | None, *, ids: Ids, now: datetime) -> None:
    """Add the items, let the raw uploads go, and have the doctor look when no other upload is under way."""
    payload = Payload.model_validate(job.payload)
    dataset = await tx.datasets.get(payload.dataset)
    await tx.references.forget(*(file.sha256 for file in payload.files))
    if isinstance(result, Result):
        name = next(iter((*(file.name for file in payload.files), *payload.links)), "")
        dataset = await _received(tx, dataset, result, name=name, job=job, ids=ids, now=now)
    others = [other for other in await tx.jobs.about(dataset.id) if other.kind == job.kind and other.id != job.id]
    if others:
        await tx.datasets.save(dataset.uploading(now=now))
    else:
        await validation.begun(tx, dataset, after=job, ids=ids, now=now)


async def _received(
    tx: Repositories, dataset: Dataset, result: Result, *, name: str, job: Job, ids: Ids, now: datetime
) -> Dataset:
    """The dataset with what came in; of two uploads at a time the first decides what kind it is."""
    told = dataset.but(
        source_format=dataset.source_format or result.source_format,
        source_name=dataset.source_name or name,
        errors=(*dataset.errors, *result.errors)[:ERRORS],
        error_count=dataset.error_count + result.error_count,
    )
    if result.pictures and dataset.kind is not Kind.CONVERSATIONS:
        await _pictured(tx, dataset, result.pictures, author=job.owner, ids=ids, now=now)
        size = sum(picture.artifact.size for picture in result.pictures)
        return told.received(Kind.IMAGES, count=len(result.pictures), bytes=size, now=now)
    if result.portions and dataset.kind is not Kind.IMAGES:
        await _said(tx, dataset, result.portions, ids=ids)
        count = sum(portion.count for portion in result.portions)
        size = sum(portion.artifact.size for portion in result.portions)
        return told.received(Kind.CONVERSATIONS, count=count, bytes=size, now=now)
    return told


async def _pictured(
    tx: Repositories, dataset: Dataset, pictures: Sequence[Picture], *, author: str, ids: Ids, now: datetime
) -> None:
    items = []
    for position, picture in enumerate(pictures, start=dataset.count):
        facts = picture.model_dump(exclude={"caption"})
        item = Item(id=ids.new(), dataset=dataset.id, position=position, **facts)
        if picture.caption:
            source = CaptionSource.UPLOAD
            version = succeeding(None, item=item.id, text=picture.caption, author=author, source=source, now=now)
            item = item.captioned(version)
        items.append(item)
    await tx.references.refer(*(file for item in items for file in item.files))
    await tx.items.add_all(items)
    await tx.captions.add_all([version for item in items for version in item.captions.values()])


async def _said(tx: Repositories, dataset: Dataset, portions: Sequence[Portion], *, ids: Ids) -> None:
    await tx.references.refer(*(portion.artifact.sha256 for portion in portions))
    first = len(await tx.parts.of(dataset.id))
    parts = [
        Part(id=ids.new(), dataset=dataset.id, position=position, **portion.model_dump())
        for position, portion in enumerate(portions, start=first)
    ]
    await tx.parts.add_all(parts)
