"""A whole life of a dataset: whatever referred to bytes on the way has let go of them at its end."""

from datetime import timedelta

import pytest

from core.domain.artifact import Artifact
from core.domain.caption import CaptionMode
from core.domain.dataset import Dataset
from core.domain.doctor import Fix
from core.domain.export import Format
from core.domain.job import Job
from core.kinds import export, mending, validation
from core.ports.clock import HandClock
from loraguild.composition import House
from loraguild.tidying import tidied
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import (
    an_order,
    claimed,
    everything_in,
    finished,
    in_chunks,
    prove_the_ledger,
    somebody,
    stored,
    uploaded,
    well_done,
)

OF_DATASETS = ("captions", "datasets", "exports", "items", "parts", "scenes")


async def counts(database: Database) -> dict[str, int]:
    """How often what is referred to at all, or less than that, is referred to."""
    return {row["_id"]: row["references"] async for row in database["blobs"].find({"references": {"$ne": 0}})}


async def looked_at(house: House, dataset: str) -> None:
    """Let the doctor look as it does: with sheets, previews and pairs of its own each time."""
    for look in await house.store.jobs.about(dataset):
        if look.kind == "validation":
            found, token = await claimed(house, look)
            result = validation.Result.model_validate(await well_done(house, found))
            drawn = {name: await stored(house, f"{name} {look.id}.png") for name in ("sheet", "preview", "pairs")}
            sheets = {"sheets": (drawn["sheet"],), "previews": (drawn["preview"],), "pairs": drawn["pairs"]}
            await house.services.jobs.finish(found.id, token, result.but(**sheets))


async def resized(house: House, actor_job: Job, dataset: Dataset) -> None:
    """Let a worker put smaller pictures in the place of large ones."""
    mended = []
    for item in await house.store.items.of(dataset.id):
        if item.width > 2048:
            artifact = await stored(house, f"smaller {item.id}.png")
            facts = {"width": 2048, "height": 2048, "phash": item.phash, "sharpness": 9.0}
            before = item.artifact.sha256
            mended.append(mending.MendedPicture(item=item.id, before=before, artifact=artifact, **facts))
    await finished(house, actor_job, mending.Result(pictures=tuple(mended)))


async def exported(house: House, job: Job) -> Artifact:
    file = await stored(house, f"{job.id}.zip")
    await finished(house, job, export.Result(artifact=file, count=1))
    return file


@pytest.mark.parametrize("leaving", ["purge", "retention", "forget"])
async def test_nothing_is_referred_to_at_the_end(
    house: House, database: Database, clock: HandClock, leaving: str
) -> None:
    ann, services = await somebody(house), house.services
    dataset = await services.datasets.create(ann, name="zorp", trigger="zorp")
    await finished(house, await uploaded(house, ann, dataset, "a.png", "b.png", "c.png", "d.png"))
    await looked_at(house, dataset.id)
    token = (await services.uploads.open(ann, dataset, place=HOME)).rpartition("/")[2]
    await services.uploads.begin(token, "e.png", size=5)
    await services.uploads.put(token, "e.png", offset=0, chunks=in_chunks(b"raw e"))
    await finished(house, await services.uploads.confirm(token))
    await looked_at(house, dataset.id)
    half = (await services.uploads.open(ann, dataset, place=HOME)).rpartition("/")[2]
    await services.uploads.begin(half, "f.png", size=50)
    await services.uploads.put(half, "f.png", offset=0, chunks=in_chunks(b"raw f"))

    items = await house.store.items.of(dataset.id)
    await house.store.items.save(items[0].but(width=4096, height=4096))
    fix = await services.mendings.mend(ann, dataset, Fix.RESIZE, place=HOME, key="resize")
    assert isinstance(fix, Job)
    await resized(house, fix, dataset)
    await looked_at(house, dataset.id)
    await services.purges.remove(ann, dataset.id, [items[1].id], place=HOME, key="drop")
    await looked_at(house, dataset.id)
    captioning = await services.captionings.auto(ann, dataset, mode=CaptionMode.OVERWRITE, place=HOME, key="captions")
    await finished(house, captioning)
    await exported(house, await services.exports.order(ann, dataset, wished=Format.ZIP, place=HOME, key="x1"))
    training = await finished(house, await an_order(house, ann, await house.store.datasets.get(dataset.id)))
    await services.captions.edit(ann, (await house.store.items.of(dataset.id))[0], text="zorp by hand")
    cancelled = await an_order(house, ann, await house.store.datasets.get(dataset.id))
    await services.jobs.cancel(ann, cancelled.id)
    (withdrawn, *_) = await house.store.items.of(dataset.id)
    await services.consents.withdraw(ann, dataset.id, withdrawn, key="withdrawn")
    await exported(house, await services.exports.order(ann, dataset, wished=Format.ZIP, place=HOME, key="x2"))
    assert min((await counts(database)).values()) > 0

    model = await house.store.models.of_run(training.id)
    if leaving == "forget":
        await services.forgettings.forget(ann, giving_up=0)
    else:
        await services.datasets.delete(ann, dataset)
        if leaving == "purge":
            await services.purges.purge(ann, dataset.id)
        clock.advance(timedelta(days=31))
    await tidied(house)

    left = {name: rows for name, rows in (await everything_in(database)).items() if rows and name in OF_DATASETS}
    made = await house.store.jobs.get(training.id)
    stays = {made.result["artifact"]["sha256"], made.result["grid"]["sha256"]} if made.result else set()  # type: ignore[index, call-overload]
    assert model
    assert left == {}
    assert await counts(database) == dict.fromkeys(stays, 1)
    assert bool(stays) is (leaving != "forget")
    await prove_the_ledger(house.store)
