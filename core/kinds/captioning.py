"""Captioning: a captioner describes pictures of a dataset; each description becomes a new caption version."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from core.domain.caption import CaptionMode, CaptionSource, CaptionVersion, Scene, distinctive, merged, succeeding
from core.domain.dataset import Dataset
from core.domain.doctor import recaptioned
from core.domain.errors import MinorsGuarded
from core.domain.item import Item
from core.domain.job import Job
from core.domain.minors import require_fit
from core.domain.value import Value
from core.kinds import validation
from core.ports.clock import Ids
from core.ports.store import Repositories


class Payload(Value):
    """Pictures of a dataset, by item, who describes them, and what happens where a caption stands already.

    `again` says that another job has failed on them, `price` is that of one description.
    """

    dataset: str
    captioner: str
    mode: CaptionMode
    items: tuple[str, ...] = ()
    again: bool = False
    price: int = 0


class Result(Value):
    """How many pictures were described, what all of them `shared`, and why the others could not be, by item."""

    described: int
    shared: tuple[str, ...] = ()
    failures: Mapping[str, str] = {}


def fitting(scene: Scene, dataset: Dataset) -> Scene:
    """What was said, or a failure where such words cannot stand in a caption of this dataset."""
    try:
        require_fit(scene.text, rating=dataset.rating)
    except MinorsGuarded as error:
        return scene.but(text="", failure=str(error))
    return scene


def pruned(payload: Payload, scenes: Sequence[Scene]) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """What was said of each item, without what was said of all, and what that is.

    Nothing is left out unless all pictures were described, and in one go: what only some share is worth a word.
    """
    said = {scene.item: scene.text for scene in scenes if scene.text}
    ordered = {item: said[item] for item in payload.items if item in said}
    if payload.again or len(ordered) < len(payload.items):
        return ordered, ()
    return distinctive(ordered)


async def settle(tx: Repositories, job: Job, result: Value | None, *, ids: Ids, now: datetime) -> None:
    """Turn what was described into caption versions, however the job ended, and let the doctor look again.

    Items that came meanwhile stay as they are.
    """
    payload = Payload.model_validate(job.payload)
    scenes, _ = pruned(payload, await tx.scenes.of(job.id))
    await tx.scenes.clear(job.id)
    dataset = await tx.datasets.find(payload.dataset)
    if dataset is None or not scenes:
        return
    items, traits = await tx.items.of(dataset.id), await validation.phrases(tx, dataset)
    told = [
        version
        for item in items
        if item.id in scenes
        and (version := _captioned(dataset, item, scenes[item.id], traits=traits, mode=payload.mode, job=job, now=now))
    ]
    await written(tx, dataset, items, told, now=now)


async def written(
    tx: Repositories, dataset: Dataset, items: Sequence[Item], versions: Sequence[CaptionVersion], *, now: datetime
) -> Dataset:
    """Give pictures other captions, and save the dataset with what the doctor says of them now."""
    told = {version.item: version for version in versions}
    present = [item.captioned(told[item.id]) if item.id in told else item for item in items]
    await tx.captions.add_all(versions)
    await tx.items.save_all([item for item in present if item.id in told])
    return await renewed(tx, dataset, present, now=now)


async def renewed(tx: Repositories, dataset: Dataset, items: Sequence[Item], *, now: datetime) -> Dataset:
    """Save a dataset of which other captions stand now, or have to say something else, with what the doctor says."""
    after = recaptioned(dataset, items, phrases=await validation.phrases(tx, dataset), now=now)
    await tx.datasets.save(after)
    return after


def _captioned(
    dataset: Dataset, item: Item, scene: str, *, traits: Sequence[str], mode: CaptionMode, job: Job, now: datetime
) -> CaptionVersion | None:
    """The next version of an item's caption, or None where the mode leaves the old one alone."""
    old = dataset.caption_of(item)
    text = merged(dataset.trigger, old.text if old else None, scene, mode, traits=traits)
    if text is None:
        return None
    return succeeding(
        item.captions.get(dataset.default_set),
        item=item.id,
        text=text,
        author=job.owner,
        source=CaptionSource.AUTOMATIC,
        now=now,
        set=dataset.default_set,
        job=job.id,
    )
