"""Mending: stored pictures are scaled down, or the roles of stored conversations put in order, in a limited child."""

import asyncio
from collections.abc import Sequence

from core.domain.conversation import Part
from core.domain.doctor import LARGE, Fix, large, trained
from core.domain.errors import BlobGone
from core.domain.item import Item
from core.kinds.mending import MendedPart, MendedPicture, Payload, Result
from worker.adapters.conversations import Mended
from worker.adapters.mending import Ordering, Shrinking, Shrunk
from worker.child import Child
from worker.kinds.intake import stored
from worker.task import HandedOver, StoredFileDamaged, Task

SECONDS = 900


async def work(task: Task) -> Result:
    """Mend one thing after the other; what can no longer be read is left to the doctor.

    Raises:
        HandedOver: The worker is leaving; the next one begins anew.
        LeaseLost: The attempt is stale.
    """
    payload, datasets = Payload.model_validate(task.job.payload), task.services.datasets
    items, parts = await datasets.items(payload.dataset), await datasets.parts(payload.dataset)
    async with Child("worker.adapters.mending:Mending", memory=task.memory, seconds=SECONDS) as child:
        if payload.fix is Fix.RESIZE:
            return Result(pictures=await _shrunk(task, child, large(trained(items))))
        return Result(parts=await _ordered(task, child, [part for part in parts if part.facts.faults]))


async def _shrunk(task: Task, child: Child, items: Sequence[Item]) -> tuple[MendedPicture, ...]:
    mended = []
    for number, item in enumerate(items, start=1):
        if task.stopping.is_set():
            raise HandedOver
        if one := await _small(task, child, item):
            mended.append(one)
        await task.progressed(number, len(items), doing="scaling down")
    return tuple(mended)


async def _small(task: Task, child: Child, item: Item) -> MendedPicture | None:
    """The picture of an item scaled down and stored; None where it can no longer be read."""
    try:
        path = await task.fetch(item.artifact.sha256, task.folder / "raw")
    except (BlobGone, StoredFileDamaged):
        return None
    shrunk: Shrunk = await child.call("shrink", Shrinking(path=path, longest=LARGE, out=task.folder))
    if (small := shrunk.picture) is None:
        return None
    artifact, thumbnail = await stored(task, small, name=item.artifact.name)
    for file in small.files:
        await asyncio.to_thread(file.unlink)
    return MendedPicture(
        item=item.id,
        before=item.artifact.sha256,
        artifact=artifact,
        thumbnail=thumbnail,
        width=small.width,
        height=small.height,
        phash=small.phash,
        sharpness=small.sharpness,
    )


async def _ordered(task: Task, child: Child, parts: Sequence[Part]) -> tuple[MendedPart, ...]:
    mended = []
    for number, part in enumerate(parts, start=1):
        if task.stopping.is_set():
            raise HandedOver
        if one := await _in_order(task, child, part):
            mended.append(one)
        await task.progressed(number, len(parts), doing="putting roles in order")
    return tuple(mended)


async def _in_order(task: Task, child: Child, part: Part) -> MendedPart | None:
    """A part with its roles in order, stored; None where it can no longer be read."""
    before, out = part.artifact, task.folder / "ordered"
    try:
        path = await task.fetch(before.sha256, task.folder / "raw")
    except (BlobGone, StoredFileDamaged):
        return None
    mended: Mended = await child.call("order", Ordering(path=path, out=out))
    return MendedPart(
        part=part.id,
        before=before.sha256,
        artifact=await task.store(out, name=before.name, media_type=before.media_type) if mended.count else None,
        count=mended.count,
        facts=mended.facts,
        dropped=mended.dropped,
    )
