"""A long training on real processes: ordering one, and waiting for what becomes of it."""

from contextlib import suppress

from core.domain.account import Actor
from core.domain.consent import RIGHTS
from core.domain.errors import NotSteerable
from core.domain.job import Job, JobState
from core.domain.steering import Steer
from loraguild.composition import House
from tests.builders.attempts import awaited
from tests.builders.entities import HOME
from tests.builders.scenes import Upload, a_quote_for, somebody
from tests.worker.pictures import a_picture, encoded


async def ordered(house: House, **overrides: str) -> Job:
    """Bring a picture in and order a training of 150 steps unless overridden; a worker must be there."""
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    picture = Upload(name="zorp.png", content=encoded(a_picture()))
    intake = await house.services.intakes.add(ann, dataset, [picture], place=HOME, key="in")
    assert (await over(house, intake)).state is JobState.SUCCEEDED
    [look] = await house.store.jobs.about(dataset.id)
    assert (await over(house, look)).state is JobState.SUCCEEDED
    ready = (await house.services.datasets.view(ann, dataset.id)).dataset
    quoted = await a_quote_for(house, ann, ready, offering="long", **overrides)
    return await house.services.trainings.order(ann, quoted.quote.id, place=HOME, attested=RIGHTS)


async def over(house: House, job: Job, *, seconds: float = 120) -> Job:
    """Wait until a job has ended."""

    async def look() -> Job | None:
        found = await house.store.jobs.get(job.id)
        return found if found.state.ended else None

    return await awaited(look, seconds=seconds)


async def with_checkpoint(house: House, job: Job) -> Job:
    """Wait until a training has stored a checkpoint."""

    async def look() -> Job | None:
        found = await house.store.jobs.get(job.id)
        return found if found.checkpoint else None

    return await awaited(look, seconds=240)


async def cut_short(house: House, job: Job, owner: Actor) -> Job:
    """Let the owner wish that a training ends as soon as it runs, and wait until it has ended."""

    async def wished() -> bool:
        with suppress(NotSteerable):
            return bool(await house.services.steerings.wish(owner, job.id, Steer.STOP, key="stop"))
        return False

    await awaited(wished, seconds=120)
    return await over(house, job)
