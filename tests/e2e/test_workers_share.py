"""Two worker processes and two hundred jobs of many people: each is run exactly once, and both workers take part."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from core.domain.artifact import Artifact
from core.domain.caption import CaptionMode
from core.domain.dataset import Dataset, Kind
from core.domain.item import Item
from core.domain.job import Job, JobState
from core.domain.notice import Topic
from core.domain.switch import QUEUE
from core.ports.store import Repositories
from loraguild.composition import House
from tests.builders.attempts import awaited
from tests.builders.entities import HOME, an_item
from tests.builders.scenes import prove_the_ledger, somebody, stored
from tests.e2e.processes import LORAGUILD, a_house, started
from tests.worker.pictures import a_zorp, encoded

PEOPLE, JOBS_EACH = 50, 4

pytestmark = pytest.mark.timeout(240)


async def with_a_picture(house: House, dataset: Dataset, picture: Artifact) -> Item:
    item = an_item(id=f"item-{dataset.id}", dataset=dataset.id, artifact=picture)

    async def work(tx: Repositories) -> None:
        await tx.items.add(item)
        await tx.datasets.save(dataset.received(Kind.IMAGES, count=1, bytes=picture.size, now=dataset.updated_at))
        await tx.references.refer(picture.sha256)

    await house.store.transact(work)
    return item


async def asked_by(house: House, name: str, picture: Artifact) -> list[tuple[Job, Item]]:
    """Let somebody ask for the captions of several datasets; done twice, each would leave a second version."""
    actor = await somebody(house, name)
    asked = []
    for number in range(JOBS_EACH):
        dataset = await house.services.datasets.create(actor, name=f"set {number}", trigger="zorp")
        item = await with_a_picture(house, dataset, picture)
        job = await house.services.captionings.auto(
            actor, dataset, mode=CaptionMode.OVERWRITE, place=HOME, key=f"{name} {number}"
        )
        asked.append((job, item))
    return asked


async def test_two_workers_run_two_hundred_jobs_once_each(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        picture = await stored(house, "zorp.png", encoded(a_zorp("blue", size=64)))
        people, root = [f"person {number}" for number in range(PEOPLE)], await somebody(house, "root")
        asked = [pair for name in people for pair in await asked_by(house, name, picture)]

        async def all_done() -> list[Job] | None:
            jobs = await asyncio.gather(*(house.store.jobs.get(job.id) for job, _ in asked))
            return list(jobs) if all(job.state.ended for job in jobs) else None

        async def both_there() -> bool:
            return len(await house.services.jobs.workers()) == len(("one", "two"))

        await house.services.operations.turn(root, QUEUE, on=False)
        with (
            started(*LORAGUILD, "worker", data=tmp_path, log="one.log") as one,
            started(*LORAGUILD, "worker", "--concurrency", "2", data=tmp_path, log="two.log") as two,
        ):
            await awaited(both_there, seconds=100)
            await house.services.operations.turn(root, QUEUE, on=True)
            done = await awaited(all_done, seconds=150)
            for worker in (one, two):
                worker.terminate()
                assert await asyncio.to_thread(worker.wait, 30) == 0

        assert Counter((job.state, job.attempt) for job in done) == {(JobState.SUCCEEDED, 1): PEOPLE * JOBS_EACH}
        versions = [await house.store.captions.of(item.id) for _, item in asked]
        assert Counter(len(history) for history in versions) == {1: PEOPLE * JOBS_EACH}
        cards = [card for job in done for card in await house.store.cards.of(job.id)]
        told = [await house.store.notices.find(f"{JobState.SUCCEEDED}:{card.id}") for card in cards]
        assert Counter(notice.topic for notice in told if notice) == {Topic.JOB_SUCCEEDED: PEOPLE * JOBS_EACH}
        ends = [(tmp_path / log).read_text().count("job.ended") for log in ("one.log", "two.log")]
        assert sum(ends) == PEOPLE * JOBS_EACH
        assert min(ends) > PEOPLE * JOBS_EACH // 10, "one worker did nearly everything"
        await prove_the_ledger(house.store)
