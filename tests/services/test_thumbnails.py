"""Thumbnails are stored beside pictures: they come, change and go with them, and count for nothing else."""

from core.domain.doctor import LARGE, Fix
from core.domain.job import Job
from core.domain.quota import Usage
from core.domain.snapshot import taken
from core.kinds import intake, mending
from core.kinds.mending import MendedPicture
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME, NOON, a_dataset, an_artifact, an_item
from tests.builders.scenes import a_picture, finished, somebody, stored, uploaded


async def test_thumbnails_come_change_and_go_with_their_pictures(house: House, database: Database) -> None:
    ann, services = await somebody(house), house.services
    alike, own, less = [await stored(house, f"{name} thumbnail.png") for name in ("alike", "own", "less")]

    async def counted() -> list[int]:
        rows = {row["_id"]: row["references"] async for row in database["blobs"].find()}
        return [rows[thumbnail.sha256] for thumbnail in (alike, own, less)]

    dataset = await services.datasets.create(ann, name="zorp", trigger="zorp")
    files = await uploaded(house, ann, dataset, "raw.zip")
    brought = [(await a_picture(house, f"{n}.png", n)).but(thumbnail=one) for n, one in enumerate((alike, alike, own))]
    large = (await a_picture(house, "3.png", 3)).but(thumbnail=alike, width=LARGE + 1)
    bare = await a_picture(house, "4.png")
    await finished(house, files, intake.Result(pictures=(*brought, large, bare)))
    for look in await house.store.jobs.about(dataset.id):
        await finished(house, look)
    items = await house.store.items.of(dataset.id)
    counts = [await counted()]
    assert [item.thumbnail for item in items] == [alike, alike, own, alike, None]
    assert await services.datasets.usage(ann) == Usage(bytes=sum(item.artifact.size for item in items), items=5)

    job = await services.mendings.mend(
        ann, await house.store.datasets.get(dataset.id), Fix.RESIZE, place=HOME, key="mend"
    )
    assert isinstance(job, Job)
    facts = large.but(artifact=await stored(house, "less.png"), thumbnail=less, width=LARGE).model_dump()
    small = {name: value for name, value in facts.items() if name in MendedPicture.model_fields}
    result = mending.Result(pictures=(MendedPicture(item=items[3].id, before=items[3].artifact.sha256, **small),))
    await finished(house, job, result)
    counts.append(await counted())
    await services.purges.remove(ann, dataset.id, [items[1].id, items[2].id], place=HOME, key="remove")
    counts.append(await counted())
    await services.datasets.delete(ann, await house.store.datasets.get(dataset.id))
    await services.purges.purge(ann, dataset.id)
    counts.append(await counted())

    assert counts == [[3, 1, 0], [2, 1, 1], [1, 0, 1], [0, 0, 0]]


def test_a_snapshot_is_the_same_with_thumbnails_and_without() -> None:
    bare = [an_item(0), an_item(1)]
    shown = [item.but(thumbnail=an_artifact("thumbnail.webp")) for item in bare]

    with_them, without = (taken(a_dataset(), items, [], now=NOON) for items in (shown, bare))

    assert with_them == without
