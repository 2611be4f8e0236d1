"""What becomes of datasets when the worker is killed in the middle of what it does with them: whole processes.

The dataset is watched from outside all the while: nobody may ever see a state between before and after.
"""

import asyncio
import io
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.domain.account import Actor
from core.domain.artifact import KEPT_UNREFERENCED, Artifact
from core.domain.caption import CaptionMode
from core.domain.dataset import Dataset, Status
from core.domain.job import Job, JobState
from core.domain.ledger import Act
from core.kinds import intake
from core.ports.clock import HandClock
from core.ports.store import Repositories
from loraguild.composition import House, ready
from storage.blobs import GridBlobs
from storage.repositories.entities import Database
from tests.builders.attempts import awaited
from tests.builders.entities import HOME
from tests.builders.scenes import Upload, finished, prove_the_ledger, somebody, stored
from tests.builders.scenes import a_picture as taken
from tests.e2e.processes import WORKER, ClockAhead, a_house, children, environment, gone, started, taken_back
from tests.emulators.vision import KEY, MODEL, Answer, seeing
from tests.worker.pictures import a_picture, a_zip, encoded
from worker.adapters.sheets import MAX_ON_SHEET

BROUGHT, DESCRIBED, EXPORTED = 40, 12, 150  # pictures: enough of them that there is time to kill somebody
PAUSE = 0.05  # seconds between two looks

Moment = Callable[[Job], Awaitable[bool]]
Look = tuple[Status, int, int, int, int]  # how many items, captions, sheets and exports go with a status

CHECKED = (64, 64)  # the picture that a captioner is tried with

pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A house, the same a minute ahead, its database, and how to start a worker for it."""

    house: House
    ahead: House
    database: Database
    data: Path
    env: Mapping[str, str]

    async def interrupted(self, job: Job, moment: Moment) -> None:
        """Have a worker begin with a job, kill it at a moment, and let its lease run out."""

        async def now() -> bool:
            found = await self.house.store.jobs.get(job.id)
            assert not found.state.ended, "it was over before anybody could be killed"
            return found.state is JobState.RUNNING and await moment(found)

        with started(*WORKER, data=self.data, env=self.env) as worker:
            await awaited(now, seconds=60)
            helpers = children(worker)
            worker.kill()
            await awaited(lambda: all_gone(helpers))
        await taken_back(self.ahead, job)

    async def gone_on(self, job: Job) -> Job:
        """Let another worker go on, until nothing is left to do; return what became of the job."""

        async def over() -> bool:
            return not await self.house.store.jobs.about(job.subject)

        with started(*WORKER, data=self.data, env=self.env, log="last.log"):
            await awaited(over, seconds=60)
        done = await self.house.store.jobs.get(job.id)
        assert done.state is JobState.SUCCEEDED, done.failure
        return done

    @asynccontextmanager
    async def watched(self, dataset: Dataset) -> AsyncIterator[list[Look]]:
        """What there is to see of a dataset from now on, each look that differs from the one before."""
        seen, over = list[Look](), asyncio.Event()

        async def watch() -> None:
            is_last = False
            while not is_last:
                is_last = over.is_set()
                if (look := await self._look(dataset)) not in seen[-1:]:
                    seen.append(look)
                await asyncio.sleep(PAUSE)

        async with asyncio.TaskGroup() as watching:
            watching.create_task(watch())
            try:
                yield seen
            finally:
                over.set()

    async def _look(self, dataset: Dataset) -> Look:
        async def work(tx: Repositories) -> Look:
            current, items = await tx.datasets.get(dataset.id), await tx.items.of(dataset.id)
            captioned = sum(current.caption_of(item) is not None for item in items)
            exports = [one async for one in tx.exports.everything()]
            return current.status, len(items), captioned, len(current.sheets), len(exports)

        return await self.house.store.transact(work)

    async def some_are_described(self, job: Job) -> bool:
        """Whether some descriptions are recorded."""
        return bool(await self.house.store.scenes.of(job.id))

    async def something_stored(self) -> Moment:
        """The moment at which more bytes are stored than there are now."""

        async def count() -> int:
            return await self.database["blobs"].count_documents({})

        before = await count()

        async def more(_: Job) -> bool:
            return await count() > before

        return more

    async def prove_the_references(self, dataset: Dataset, *further: Artifact) -> None:
        """Assert that each stored file is referred to as often as rows name it."""
        current, items = await self.house.store.datasets.get(dataset.id), await self.house.store.items.of(dataset.id)
        pairs = [current.pairs] if current.pairs else []
        shown = [artifact.sha256 for artifact in (*current.sheets, *current.previews, *pairs, *further)]
        kept = self.database["blobs"].find({"references": {"$ne": 0}})
        counted = {row["_id"]: row["references"] async for row in kept}
        assert counted == Counter([*shown, *(file for item in items for file in item.files)])


@asynccontextmanager
async def a_place(data: Path, **vision: Any) -> AsyncIterator[Place]:
    env = {**environment(data), **{name.upper(): str(value) for name, value in vision.items()}}
    async with (
        a_house(data, **vision) as house,
        a_house(data, clock=ClockAhead(), **vision) as ahead,
        ready(house.settings) as database,
    ):
        yield Place(house=house, ahead=ahead, database=database, data=data, env=env)


async def all_gone(processes: Sequence[psutil.Process]) -> bool:
    return all(gone(process) for process in processes)


async def a_dataset(house: House, pictures: Sequence[bytes], *, captioned: bool = True) -> tuple[Actor, Dataset, Job]:
    """Bundle real pictures, without a worker; the doctor has still to look."""
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    job = await house.services.intakes.add(ann, dataset, [Upload(name="raw", content=b"raw")], place=HOME, key="in")
    artifacts = {content: await stored(house, "zorp.png", content) for content in dict.fromkeys(pictures)}
    told = [await taken(house, f"{number}.png", number) for number in range(len(pictures))]
    facts = [
        one.but(artifact=artifacts[content], caption=one.caption if captioned else None)
        for one, content in zip(told, pictures, strict=True)
    ]
    await finished(house, job, intake.Result(pictures=tuple(facts)))
    [look] = await house.store.jobs.about(dataset.id)
    return ann, await house.store.datasets.get(dataset.id), look


async def under_way(job: Job) -> bool:
    return job.progress is not None and job.progress.step > 0


async def test_an_intake_goes_on_where_two_workers_were_killed(tmp_path: Path) -> None:
    pictures = [encoded(a_picture(seed=number, size=(400, 400)), "BMP") for number in range(BROUGHT)]
    captions = {f"{number}.txt": b"zorp" for number in range(BROUGHT)}
    entries = captions | {f"{number}.bmp": content for number, content in enumerate(pictures)}
    async with a_place(tmp_path) as place:
        ann = await somebody(place.house)
        dataset = await place.house.services.datasets.create(ann, name="zorp", trigger="zorp")
        upload = Upload(name="zorp.zip", content=a_zip(entries, compression=zipfile.ZIP_STORED))
        job = await place.house.services.intakes.add(ann, dataset, [upload], place=HOME, key="in")
        async with place.watched(dataset) as seen:
            await place.interrupted(job, under_way)
            await place.interrupted(job, await place.something_stored())
            await place.gone_on(job)

        assert seen == [
            (Status.UPLOADING, 0, 0, 0, 0),
            (Status.VALIDATING, BROUGHT, BROUGHT, 0, 0),
            (Status.READY, BROUGHT, BROUGHT, 1, 0),
        ]
        items = await place.house.store.items.of(dataset.id)
        originals = {sha256(content).hexdigest() for content in pictures}
        assert (len(items), {item.original_sha256 for item in items}) == (BROUGHT, originals)
        assert [item.position for item in items] == list(range(BROUGHT))
        assert all(item.thumbnail for item in items)
        await place.prove_the_references(dataset)
        await GridBlobs(place.database, HandClock(datetime.now(UTC) + 2 * KEPT_UNREFERENCED)).sweep()
        await place.prove_the_references(dataset)
        left = [await place.database[name].count_documents({}) for name in ("blobs", "files.files")]
        assert left == [2 * BROUGHT + 1] * 2  # pictures, thumbnails and the sheet: nothing that a dead worker wrote


async def test_a_look_of_the_doctor_goes_on_where_two_workers_were_killed(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        pictures = [encoded(a_picture(seed=number, size=(128, 128))) for number in range(MAX_ON_SHEET)]
        _, dataset, look = await a_dataset(place.house, pictures)
        async with place.watched(dataset) as seen:
            await place.interrupted(look, under_way)
            await place.interrupted(look, await place.something_stored())
            await place.gone_on(look)

        count = len(pictures)
        assert seen == [(Status.VALIDATING, count, count, 0, 0), (Status.READY, count, count, 1, 0)]
        assert (await place.house.store.datasets.get(dataset.id)).statistics.items == count
        await place.prove_the_references(dataset)


async def test_what_was_described_before_a_worker_was_killed_is_not_asked_for_again(tmp_path: Path) -> None:
    sizes = [(65 + number, 48) for number in range(DESCRIBED)]
    async with seeing() as vision:
        told = {"vision_url": vision.url, "vision_model": MODEL, "vision_key": KEY, "captioner": "vision"}
        async with a_place(tmp_path, **told, vision_concurrency=2, vision_price=1) as place:
            pictures = [encoded(a_picture(seed=number, size=size)) for number, size in enumerate(sizes)]
            ann, dataset, look = await a_dataset(place.house, pictures, captioned=False)
            await finished(place.house, look)
            vision.will(*(Answer(text=f"on floor {number}", seconds=0.3) for number in range(3 * DESCRIBED)))
            wished: dict[str, Any] = {"mode": CaptionMode.IGNORE, "allowed": "127.0.0.1", "key": "captions"}
            job = await place.house.services.captionings.auto(ann, dataset, place=HOME, **wished)
            async with place.watched(dataset) as seen:
                await place.interrupted(job, place.some_are_described)
                kept = {scene.item: scene.text for scene in await place.house.store.scenes.of(job.id)}
                vision.pictures.clear()
                await place.gone_on(job)

            assert seen == [(Status.READY, DESCRIBED, 0, 1, 0), (Status.READY, DESCRIBED, DESCRIBED, 1, 0)]
            items = await place.house.store.items.of(dataset.id)
            texts = {item.id: caption.text for item in items if (caption := dataset.caption_of(item))}
            assert {item: texts[item] for item in kept} == {item: f"zorp, {text}" for item, text in kept.items()}
            missing = [size for item, size in zip(items, sizes, strict=True) if item.id not in kept]
            assert len(set(texts.values())) == DESCRIBED
            assert sorted(vision.pictures) == sorted([CHECKED, *missing])
            charge = [(one.act, one.amount) for one in await place.house.store.ledger.about(job.id)]
            assert charge == [(Act.HOLD, DESCRIBED), (Act.CAPTURE, DESCRIBED)]
            await prove_the_ledger(place.house.store)
            await place.prove_the_references(dataset)


async def test_an_export_is_made_once_by_whoever_is_left(tmp_path: Path) -> None:
    content = encoded(a_picture(size=(512, 512)))
    async with a_place(tmp_path) as place:
        ann, dataset, look = await a_dataset(place.house, [content] * EXPORTED)
        await finished(place.house, look)
        job = await place.house.services.exports.order(ann, dataset, wished=None, place=HOME, key="export")
        async with place.watched(dataset) as seen:
            await place.interrupted(job, under_way)
            await place.gone_on(job)

        before, after = [(Status.READY, EXPORTED, EXPORTED, 1, exports) for exports in (0, 1)]
        assert seen == [before, after]
        kept = await place.house.services.exports.kept(job.id)
        assert kept
        packed = b"".join([chunk async for chunk in place.house.blobs.open(kept.artifact.sha256)])
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            pictures = [archive.read(name) for name in archive.namelist() if name.endswith(".png")]
        assert pictures == [content] * EXPORTED
        await place.prove_the_references(dataset, kept.artifact)
