"""Uploads as they are played in tests: sent through the real services, looked into by real children."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from core.domain.account import Actor
from core.domain.dataset import Dataset
from core.domain.item import Item
from core.domain.job import Job, JobState
from core.kinds.intake import Result, Verdict
from loraguild.composition import House
from tests.builders.attempts import attempted
from tests.builders.entities import HOME
from tests.builders.scenes import Upload, finished, somebody
from worker.child import Child

UNUSED = "tests.worker.studios:Quick"


async def a_dataset(house: House) -> tuple[Actor, Dataset]:
    ann = await somebody(house)
    return ann, await house.services.datasets.create(ann, name="zorp", trigger="zorp")


async def done(house: House, job: Job, folder: Path) -> Job:
    async with Child(UNUSED) as studio:
        return await attempted(house, job, studio=studio, folder=folder)


async def sent(
    house: House, ann: Actor, dataset: Dataset, folder: Path, files: Mapping[str, bytes], *, links: Sequence[str] = ()
) -> Job:
    """Send files, let the intake look into them and then the doctor at what came out; return the intake."""
    ended = await done(house, await asked(house, ann, dataset, files, links=links), folder)
    for look in await house.store.jobs.about(dataset.id):
        await done(house, look, folder)
    return ended


async def taken(
    house: House, ann: Actor, dataset: Dataset, folder: Path, files: Mapping[str, bytes], *, links: Sequence[str] = ()
) -> Job:
    """Do the same, with the doctor's part played."""
    ended = await done(house, await asked(house, ann, dataset, files, links=links), folder)
    for look in await house.store.jobs.about(dataset.id):
        await finished(house, look)
    return ended


async def asked(
    house: House, ann: Actor, dataset: Dataset, files: Mapping[str, bytes], *, links: Sequence[str] = ()
) -> Job:
    """Send files; the job that looks into them is queued."""
    uploads = [Upload(name=name, content=content) for name, content in files.items()]
    key = house.services.conversations.token()
    return await house.services.intakes.add(ann, dataset, uploads, links=links, place=HOME, key=key)


async def seen(house: House, ann: Actor, dataset: Dataset) -> tuple[Dataset, Sequence[Item]]:
    view = await house.services.datasets.view(ann, dataset.id)
    return view.dataset, view.items


def caption(item: Item) -> str | None:
    version = item.caption()
    return version.text if version else None


def outcomes(job: Job) -> dict[str, tuple[Verdict, str]]:
    assert job.state is JobState.SUCCEEDED
    return {one.name: (one.verdict, one.words) for one in Result.model_validate(job.result).outcomes}
