"""Training and generation as jobs with the real studio: what stands in the house afterwards, and that it repeats."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image
from safetensors.torch import load

from config.settings import Settings
from core.domain.account import Actor
from core.domain.consent import RIGHTS
from core.domain.dataset import Dataset, Kind
from core.domain.errors import LeaseLost
from core.domain.job import Failure, Job, JobState
from core.domain.ledger import Act
from core.domain.run import MetricsPoint
from core.domain.steering import Steer
from core.kinds.generation import Result as Pictures
from core.kinds.training import Result
from loraguild.composition import House, opened
from tests.builders.attempts import PATIENCE, a_task, attempted, awaited
from tests.builders.entities import HOME, an_item
from tests.builders.scenes import a_quote_for, claimed, given, imagined, prove_the_ledger, somebody, stored
from tests.worker.pictures import a_picture, encoded
from worker.attempt import attempt
from worker.batch import Batch
from worker.child import Child

pytestmark = pytest.mark.asyncio(loop_scope="module")

OFFERINGS = Path(__file__).parents[1] / "e2e" / "offerings"


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """A house with a warm studio, for all tests of this module: each brings somebody of its own."""

    house: House
    studio: Child
    folder: Path

    async def attempted(self, job: Job) -> Job:
        """Do a job."""
        return await attempted(self.house, job, studio=self.studio, folder=self.folder)

    async def attempted_together(self, *jobs: Job) -> list[Job]:
        """Do jobs that are alike in one go."""
        async with Batch(self.studio, size=len(jobs), folder=self.folder) as batch:
            found = [(await claimed(self.house, job))[0] for job in jobs]
            tasks = [a_task(self.house, job, studio=self.studio, folder=self.folder, batch=batch) for job in found]
            await asyncio.gather(*(attempt(task, stop=asyncio.Event()) for task in tasks))
        return [await self.house.store.jobs.get(job.id) for job in jobs]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    folder = tmp_path_factory.mktemp("workshop")
    settings = Settings(data_folder=folder / "data", offerings_folder=OFFERINGS)
    async with opened(settings) as house, Child("worker.pipelines.studio:Studio") as studio:
        yield Workshop(house=house, studio=studio, folder=folder / "work")


async def a_dataset(shop: Workshop, actor: Actor, *, picture: bytes | None = None) -> Dataset:
    """Make a dataset of three pictures that is ready to be trained on."""
    house = shop.house
    dataset = await house.services.datasets.create(actor, name="zorp", trigger="zorp")
    for number in range(3):
        content = picture or encoded(a_picture(seed=number))
        artifact = await stored(house, f"{number}.png", content)
        await house.store.items.add(an_item(number, id=f"{dataset.id}-{number}", dataset=dataset.id, artifact=artifact))
    now = dataset.created_at
    ready = (
        dataset.received(Kind.IMAGES, count=3, bytes=3, now=now)
        .validating(now=now)
        .checked((), dataset.statistics, now=now)
    )
    await house.store.datasets.save(ready)
    return ready


async def ordered(shop: Workshop, actor: Actor, dataset: Dataset, *, steps: int = 10, seed: int = 1) -> Job:
    quoted = await a_quote_for(shop.house, actor, dataset, offering="long", steps=str(steps), seed=str(seed))
    return await shop.house.services.trainings.order(actor, quoted.quote.id, place=HOME, attested=RIGHTS)


async def drawn(shop: Workshop, job: Job) -> tuple[str, ...]:
    """Name the pictures of a finished job by their content."""
    pictures = Pictures.model_validate(job.result).pictures
    assert (await shop.house.store.generations.get(job.id)).pictures == pictures
    return tuple(picture.sha256 for picture in pictures)


async def content(shop: Workshop, sha256: str) -> bytes:
    return b"".join([chunk async for chunk in shop.house.blobs.open(sha256)])


async def test_a_training_leaves_a_run_with_its_facts_and_a_model_that_draws_the_same_twice(shop: Workshop) -> None:
    house, ann = shop.house, await somebody(shop.house, "ann")
    job = await ordered(shop, ann, await a_dataset(shop, ann))
    done = await shop.attempted(job)
    assert done.state is JobState.SUCCEEDED, done.failure
    result = Result.model_validate(done.result)
    run = await house.store.runs.get(job.id)
    assert [(epoch.number, epoch.step, len(epoch.samples)) for epoch in run.epochs] == [(1, 5, 1), (2, 10, 1)]
    assert run.epochs[-1].artifact.sha256 == result.artifact.sha256
    assert (run.base_hash, run.code_version) == (result.base_hash, "0.1.0")
    assert run.evaluation_before == result.evaluation_before
    assert run.evaluation_after == result.evaluation_after
    chart = await house.store.runs.chart(job.id)
    assert [point.step for point in chart] == list(range(1, 11))
    assert all(0 < point.loss < 10 for point in chart)
    assert load(await content(shop, result.artifact.sha256))
    (model,) = await house.store.models.owned(ann.account)
    assert (model.slug, model.trigger, model.run, model.artifact) == ("zorp", "zorp", job.id, result.artifact)

    async def asked(seed: int) -> Job:
        return await imagined(house, ann, "zorp on blue", count=2, seed=seed)

    first, second = await drawn(shop, await shop.attempted(await asked(7)))
    assert first != second
    assert await drawn(shop, await shop.attempted(await asked(7))) == (first, second)
    again, third = await drawn(shop, await shop.attempted(await asked(8)))
    assert (again, len({first, second, third})) == (second, 3)
    together = await shop.attempted_together(await asked(8), await asked(7))
    assert [await drawn(shop, job) for job in together] == [(second, third), (first, second)]
    await prove_the_ledger(house.store)


async def test_a_variation_starts_from_a_picture_and_says_so(shop: Workshop) -> None:
    house, fay = shop.house, await somebody(shop.house, "fay")
    (first,) = await drawn(shop, await shop.attempted(await imagined(house, fay, "a red circle", offering="long")))
    job = await imagined(house, fay, "a red circle", offering="long", seed=5)
    source = await stored(house, "source.png", await content(shop, first))
    wanted = await house.store.generations.get(job.id)
    await house.store.generations.save(wanted.but(source=source, strength=40))
    (varied,) = await drawn(shop, await shop.attempted(job))
    with Image.open(BytesIO(await content(shop, varied))) as opened:
        assert opened.info["parameters"].splitlines()[0] == "a red circle"
        assert "Seed: 5, Size: 64x64" in opened.info["parameters"]
        assert "Denoising strength: 0.4" in opened.info["parameters"]


async def test_a_training_uses_its_snapshot_whatever_became_of_the_dataset(shop: Workshop) -> None:
    house, bob = shop.house, await somebody(shop.house, "bob")
    dataset = await a_dataset(shop, bob)
    job = await ordered(shop, bob, dataset)
    for item in await house.store.items.of(dataset.id):
        await house.services.captions.edit(bob, item, text="another caption")
        ruined = await stored(house, "ruined.png", b"no picture any more")
        await house.store.items.save(item.but(artifact=ruined))
    await house.services.datasets.delete(bob, dataset)
    done = await shop.attempted(job)
    assert done.state is JobState.SUCCEEDED, done.failure
    run = await house.store.runs.get(job.id)
    captions = {entry.caption for entry in (await house.store.snapshots.get(run.snapshot)).entries}
    assert captions == {"zorp"}


async def test_the_same_snapshot_with_the_same_seed_gives_the_same_weights_byte_by_byte(shop: Workshop) -> None:
    house, gus = shop.house, await somebody(shop.house, "gus")
    await given(house, gus, 100)
    dataset = await a_dataset(shop, gus)
    jobs = [await ordered(shop, gus, dataset, seed=seed) for seed in (7, 7, 8)]
    weights = []
    for job in jobs:
        done = await shop.attempted(job)
        tensors = load(await content(shop, Result.model_validate(done.result).artifact.sha256))
        weights.append({name: tensor.numpy().tobytes() for name, tensor in tensors.items()})
    runs = [await house.store.runs.get(job.id) for job in jobs]
    assert len({run.snapshot for run in runs}) == 1
    assert weights[0] == weights[1]
    assert weights[0] != weights[2]


async def test_a_picture_that_cannot_be_read_is_the_owners_to_mend(shop: Workshop) -> None:
    house, cat = shop.house, await somebody(shop.house, "cat")
    job = await ordered(shop, cat, await a_dataset(shop, cat, picture=b"this is no picture"))
    failure = (await shop.attempted(job)).failure
    assert failure
    assert (failure.code, failure.ours) == ("bad_item", False)
    assert (await house.services.wallets.view(cat)).total == 100
    assert [one.act for one in await house.store.ledger.about(job.id)] == [Act.HOLD, Act.RELEASE]


async def test_a_training_handed_over_goes_on_where_it_stood(shop: Workshop) -> None:
    house, dan = shop.house, await somebody(shop.house, "dan")
    job = await ordered(shop, dan, await a_dataset(shop, dan), steps=1500)
    found, _ = await claimed(house, job)
    stop = asyncio.Event()
    task = a_task(house, found, studio=shop.studio, folder=shop.folder)
    running = asyncio.create_task(attempt(task, stop=stop))
    await awaited(lambda: house.store.runs.chart(job.id))
    stop.set()
    assert await asyncio.wait_for(running, PATIENCE) is False
    left = await house.store.jobs.get(job.id)
    assert (left.state, left.attempt) == (JobState.QUEUED, 0)
    assert left.checkpoint
    told = task.presence.worker
    assert (told.base, (told.speed or 0) > 0) == ("tiny-sd", True)
    reached = len(await house.store.runs.chart(job.id))
    mark = MetricsPoint(step=1, loss=-1.0, lr=0.0)
    await house.store.runs.plot(job.id, [mark])
    again, _ = await claimed(house, job)
    await house.services.steerings.wish(dan, job.id, Steer.STOP, key="enough")
    assert await attempt(a_task(house, again, studio=shop.studio, folder=shop.folder), stop=asyncio.Event()) is True
    ended = Result.model_validate((await house.store.jobs.get(job.id)).result)
    chart = await house.store.runs.chart(job.id)
    assert [point.step for point in chart] == list(range(1, (ended.step or 0) + 1))
    assert 0 < reached < len(chart) < 1500
    assert chart[0] == mark


async def test_a_training_does_what_its_owner_wishes_and_stops_early(shop: Workshop) -> None:
    house, hal = shop.house, await somebody(shop.house, "hal")
    steerings = house.services.steerings
    job = await ordered(shop, hal, await a_dataset(shop, hal), steps=1700)
    found, _ = await claimed(house, job)
    task = a_task(house, found, studio=shop.studio, folder=shop.folder)
    running = asyncio.create_task(attempt(task, stop=asyncio.Event()))
    await awaited(lambda: house.store.runs.chart(job.id))
    more = await steerings.extension(hal, job.id, 50)
    await steerings.extend(hal, job.id, 50, price=more.price, key="more")
    await steerings.wish(hal, job.id, Steer.SAMPLE, key="sample")
    await steerings.wish(hal, job.id, Steer.SAVE, key="save")
    await awaited(lambda: wishes_done(house, job, 3))
    await steerings.wish(hal, job.id, Steer.STOP, key="stop")
    assert await asyncio.wait_for(running, PATIENCE) is True
    done, run = await house.store.jobs.get(job.id), await house.store.runs.get(job.id)
    result = Result.model_validate(done.result)
    assert done.progress
    assert result.step
    assert done.progress.total == run.steps == 1750
    assert (done.state, result.step < 1750) == (JobState.SUCCEEDED, True)
    assert 0 < done.due < done.price
    (glimpse,) = run.glimpses
    (copy,) = [epoch for epoch in run.epochs if epoch.wished]
    assert (
        load(await content(shop, copy.artifact.sha256)).keys()
        == load(await content(shop, result.artifact.sha256)).keys()
    )
    with Image.open(BytesIO(await content(shop, glimpse.samples[0].sha256))) as opened:
        assert opened.size == (64, 64)
    await prove_the_ledger(house.store)


async def wishes_done(house: House, job: Job, count: int) -> bool:
    return sum(bool(wish.done_at) for wish in (await house.store.jobs.get(job.id)).wishes) == count


async def test_cancelling_a_running_training_stops_the_studio(shop: Workshop) -> None:
    house, eve = shop.house, await somebody(shop.house, "eve")
    job = await ordered(shop, eve, await a_dataset(shop, eve), steps=1500)
    found, token = await claimed(house, job)
    task = a_task(house, found, studio=shop.studio, folder=shop.folder)
    running = asyncio.create_task(attempt(task, stop=asyncio.Event()))
    await awaited(lambda: house.store.runs.chart(job.id))
    await house.services.jobs.cancel(eve, job.id)
    assert (await house.services.wallets.view(eve)).total == 100
    assert await asyncio.wait_for(running, PATIENCE) is False
    with pytest.raises(LeaseLost):
        await house.services.jobs.finish(job.id, token, Failure(code="late", words="Late."))
