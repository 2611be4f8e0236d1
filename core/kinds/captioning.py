"""Captioning: a captioner describes the pictures of a dataset; each text becomes a new caption version."""

from collections.abc import Mapping
from datetime import datetime

from core.domain.caption import CaptionMode, CaptionSource, merged, succeeding
from core.domain.doctor import recaptioned
from core.domain.job import Job
from core.domain.value import Value
from core.ports.clock import Ids
from core.ports.store import Repositories


class Payload(Value):
    """The dataset, who describes it, and what happens where a caption stands already."""

    dataset: str
    captioner: str
    mode: CaptionMode


class Result(Value):
    """The scene of each item by item id, without the trigger word, and without what all pictures `shared`."""

    scenes: Mapping[str, str]
    shared: tuple[str, ...] = ()


async def settle(tx: Repositories, job: Job, result: Value | None, *, ids: Ids, now: datetime) -> None:
    """Write the new caption versions and let the doctor look again; items that came meanwhile stay as they are."""
    if not isinstance(result, Result):
        return
    payload = Payload.model_validate(job.payload)
    dataset = await tx.datasets.get(payload.dataset)
    for item in await tx.items.of(dataset.id):
        old = item.caption
        scene = result.scenes.get(item.id)
        text = merged(dataset.trigger, old.text if old else None, scene, payload.mode) if scene else None
        if text is None:
            continue
        source = CaptionSource.AUTOMATIC
        version = succeeding(old, item=item.id, text=text, author=job.owner, source=source, now=now)
        await tx.captions.add(version)
        await tx.items.save(item.but(caption=version))
    await tx.datasets.save(recaptioned(dataset, await tx.items.of(dataset.id), now=now))
