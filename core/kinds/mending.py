"""Mending: what the doctor found is mended; what changes stored bytes is a job."""

from collections.abc import Sequence
from datetime import datetime

from core.domain.account import Place
from core.domain.artifact import Artifact
from core.domain.conversation import PartFacts
from core.domain.dataset import Dataset
from core.domain.doctor import Fix
from core.domain.item import Item
from core.domain.job import Job, asked
from core.domain.value import Value
from core.kinds import unshown, validation
from core.ports.clock import Ids
from core.ports.store import Repositories

TITLES = {Fix.RESIZE: "large pictures are scaled down", Fix.ROLES: "roles are put in order"}
"""What a worker mends, and how that job is called."""


class Payload(Value):
    """The dataset, and what to mend in it."""

    dataset: str
    fix: Fix


class MendedPicture(Value):
    """A picture in the place of the one of a sha256 (`before`) that an item has; sizes in pixels."""

    item: str
    before: str
    artifact: Artifact
    width: int
    height: int
    phash: str
    sharpness: float
    thumbnail: Artifact | None = None


class MendedPart(Value):
    """A part of conversations in the place of what it was (`before`); `artifact` is None where nothing is left of it.

    `dropped` conversations had nothing to learn.
    """

    part: str
    before: str
    artifact: Artifact | None
    count: int
    facts: PartFacts = PartFacts()
    dropped: int = 0


class Result(Value):
    """What became of the pictures, or the parts, that had to be mended."""

    pictures: tuple[MendedPicture, ...] = ()
    parts: tuple[MendedPart, ...] = ()


def mending(dataset: Dataset, fix: Fix, *, id: str, key: str, now: datetime) -> Job:  # noqa: A002 - the field's name
    """The job that mends, as it is asked for."""
    title = f"{dataset.name} · {TITLES[fix]}"
    return asked("mending", id=id, key=key, owner=dataset.owner, subject=dataset.id, title=title, now=now)


async def dropped(
    tx: Repositories, dataset: Dataset, items: Sequence[Item], *, ids: Ids, now: datetime, place: Place, key: str
) -> Dataset:
    """Take items out of a dataset: rows, captions and bytes; the others close up, and the doctor looks again.

    `key` becomes that of the doctor's job, of which there is none where nothing is left. What was ordered goes on from
    its snapshot.
    """
    gone = {item.id for item in items}
    left = [item for item in await tx.items.of(dataset.id) if item.id not in gone]
    await tx.references.forget(*(file for item in items for file in item.files))
    await tx.captions.clear(gone)
    await tx.items.clear(dataset.id)
    await tx.items.add_all([item.but(position=place) for place, item in enumerate(left)])
    bare = (await unshown(tx, dataset)).but(kept=tuple(name for name in dataset.kept if name not in gone))
    size = sum(item.artifact.size for item in items)
    fewer = bare.changed(count=-len(gone), bytes=-size, now=now)
    return await validation.looked(tx, fewer, place=place, key=key, ids=ids, now=now)


async def settle(tx: Repositories, job: Job, result: Value | None, *, ids: Ids, now: datetime) -> None:
    """Put what was mended in its place, where that is still as it was, and have the doctor look again."""
    dataset = await tx.datasets.find(Payload.model_validate(job.payload).dataset)
    if dataset is None or not isinstance(result, Result):
        return
    pictures, parts = await _pictured(tx, dataset, result.pictures), await _said(tx, dataset, result.parts)
    if grown := [*pictures, *parts]:
        count, size = (sum(numbers) for numbers in zip(*grown, strict=True))
        changed = dataset.changed(count=count, bytes=size, now=now)
        await validation.begun(tx, changed, after=job, ids=ids, now=now)


async def _pictured(tx: Repositories, dataset: Dataset, pictures: Sequence[MendedPicture]) -> list[tuple[int, int]]:
    """Replace pictures; return by how many items and bytes the dataset grows with each."""
    items = {(item.id, item.artifact.sha256): item for item in await tx.items.of(dataset.id)}
    fitting = [(items[key], one) for one in pictures if (key := (one.item, one.before)) in items]
    mended = [item.but(**one.model_dump(exclude={"item", "before"})) for item, one in fitting]
    await tx.references.refer(*(file for item in mended for file in item.files))
    await tx.references.forget(*(file for item, _ in fitting for file in item.files))
    await tx.items.save_all(mended)
    return [(0, one.artifact.size - item.artifact.size) for item, one in fitting]


async def _said(tx: Repositories, dataset: Dataset, mended: Sequence[MendedPart]) -> list[tuple[int, int]]:
    """Replace parts, and remove those of which nothing is left; return as for pictures."""
    parts = {(part.id, part.artifact.sha256): part for part in await tx.parts.of(dataset.id)}
    fitting = [(parts.pop(key), one) for one in mended if (key := (one.part, one.before)) in parts]
    await tx.references.refer(*(one.artifact.sha256 for _, one in fitting if one.artifact))
    await tx.references.forget(*(part.artifact.sha256 for part, _ in fitting))
    for part, one in fitting:
        if one.artifact is None:
            await tx.parts.remove(part.id)
    replaced = [
        part.but(artifact=one.artifact, count=one.count, facts=one.facts) for part, one in fitting if one.artifact
    ]
    left = sorted((*parts.values(), *replaced), key=lambda part: part.position)
    await tx.parts.save_all([part.but(position=place) for place, part in enumerate(left)])
    return [
        (one.count - part.count, (one.artifact.size if one.artifact else 0) - part.artifact.size)
        for part, one in fitting
    ]
