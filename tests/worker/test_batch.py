"""Jobs that are alike are drawn in one call of the child; what becomes of one is no matter of the others."""

import asyncio
from collections import Counter, defaultdict
from functools import partial
from pathlib import Path

import psutil
import pytest

from core.domain.account import Actor
from core.domain.artifact import Artifact
from core.domain.job import Failure, Job, JobState
from core.kinds.generation import Result
from loraguild.composition import House
from tests.builders.attempts import a_floor, awaited, working
from tests.builders.bases import a_drawing, a_look
from tests.builders.scenes import imagined, prove_the_ledger, somebody
from tests.worker.studios import GO_ON
from worker.batch import Batch, Wish
from worker.child import Child
from worker.loop import Floor, work

SKETCHING = "tests.worker.studios:Sketching"
QUEUED, SUCCEEDED, FAILED, CANCELLED = JobState.QUEUED, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED


def drawing(house: House, folder: Path) -> Floor:
    """Make the floor of a worker that only sketches."""
    return a_floor(house, folder, kinds=("generation",), studio=SKETCHING)


async def orders(house: House, *texts: str, count: int = 1, width: int = 64) -> list[Job]:
    """Let somebody else order each of these."""
    people = [await somebody(house, f"person {number}") for number in range(len(texts))]
    return [
        await imagined(house, actor, text, offering="tiny", count=count, width=width, seed=number)
        for number, (actor, text) in enumerate(zip(people, texts, strict=True))
    ]


async def after(house: House, jobs: list[Job]) -> list[Job]:
    return [await house.store.jobs.get(job.id) for job in jobs]


async def states(house: House, jobs: list[Job]) -> list[JobState]:
    return [job.state for job in await after(house, jobs)]


async def notes(house: House, job: Job) -> list[str]:
    """Read what the pictures of a job say, without the process that made them."""
    pictures = Result.model_validate((await house.store.jobs.get(job.id)).result).pictures
    read = [b"".join([chunk async for chunk in house.blobs.open(picture.sha256)]).decode() for picture in pictures]
    return [note.rpartition(", ")[0] for note in read]


async def begun(folder: Path) -> list[str]:
    """Read the first pictures of those that are being drawn."""
    return await asyncio.to_thread(lambda: [path.read_text() for path in folder.glob("workers/*/*/*/*.png")])


def go_on(folder: Path) -> None:
    """Let all that is drawn slowly be drawn to its end."""
    for own in folder.glob("workers/*/*/*/"):
        (own / GO_ON).touch()


async def owner(house: House, job: Job) -> Actor:
    return await somebody(house, (await house.store.accounts.get(job.owner)).name)


async def test_those_that_are_alike_are_drawn_in_one_call_at_most_eight(house: House, tmp_path: Path) -> None:
    jobs = await orders(house, *["a circle"] * 10, count=2)
    assert await work(drawing(house, tmp_path), once=True, stop=asyncio.Event()) == 10
    assert await states(house, jobs) == [SUCCEEDED] * 10
    said = [await notes(house, job) for job in jobs]
    calls = Counter(note.partition(":")[0] for made in said for note in made)
    assert calls == {"call 1 for 8": 16, "call 2 for 2": 4}
    assert [[note.rpartition(" ")[2] for note in made] for made in said] == [[f"{n}", f"{n + 1}"] for n in range(10)]
    assert {job.progress.step for job in await after(house, jobs) if job.progress} == {2}
    await prove_the_ledger(house.store)


async def test_those_that_differ_are_drawn_apart(house: House, tmp_path: Path) -> None:
    jobs = [*await orders(house, "a circle"), *await orders(house, "a circle", width=128)]
    await work(drawing(house, tmp_path), once=True, stop=asyncio.Event())
    assert sorted([await notes(house, job) for job in jobs]) == [["call 1 for 1: 0"], ["call 2 for 1: 0"]]


async def test_a_bad_one_fails_alone(house: House, tmp_path: Path) -> None:
    jobs = await orders(house, "a circle", "a bad one", "a square")
    await work(drawing(house, tmp_path), once=True, stop=asyncio.Event())
    assert await states(house, jobs) == [SUCCEEDED, FAILED, SUCCEEDED]
    failure = (await after(house, jobs))[1].failure
    words = "The picture source cannot be read. Replace it, and order again."
    assert failure == Failure(code="bad_item", words=words, ours=False)
    await prove_the_ledger(house.store)


async def test_one_that_kills_the_child_is_tried_again_later_and_the_others_are_drawn(
    house: House, tmp_path: Path
) -> None:
    jobs = await orders(house, "a circle", "a deadly one", "a square")
    await work(drawing(house, tmp_path), once=True, stop=asyncio.Event())
    assert [(job.state, job.attempt) for job in await after(house, jobs)] == [
        (SUCCEEDED, 1),
        (QUEUED, 1),
        (SUCCEEDED, 1),
    ]


async def test_one_that_cannot_be_prepared_is_left_out(house: House, tmp_path: Path) -> None:
    jobs = await orders(house, "a circle", "a circle", "a circle")
    lost = await house.store.generations.get(jobs[1].id)
    gone = Artifact(name="gone.png", sha256="0" * 64, size=1, media_type="image/png")
    await house.store.generations.save(lost.but(source=gone))
    await work(drawing(house, tmp_path), once=True, stop=asyncio.Event())
    assert await states(house, jobs) == [SUCCEEDED, FAILED, SUCCEEDED]
    assert [await notes(house, jobs[number]) for number in (0, 2)] == [["call 1 for 2: 0"], ["call 1 for 2: 2"]]


async def test_one_that_is_cancelled_harms_nobody(house: House, tmp_path: Path) -> None:
    jobs = await orders(house, *["a slow one"] * 3, count=8)
    async with working(drawing(house, tmp_path)):
        await awaited(lambda: begun(tmp_path))
        await house.services.jobs.cancel(await owner(house, jobs[1]), jobs[1].id)
        assert (await house.services.wallets.view(await owner(house, jobs[1]))).total == 100
        await asyncio.to_thread(go_on, tmp_path)
        await awaited(lambda: ended(house, jobs))
    assert await states(house, jobs) == [SUCCEEDED, CANCELLED, SUCCEEDED]
    for number in (0, 2):
        assert await notes(house, jobs[number]) == [f"call 1 for 3: {number + n}" for n in range(8)]
    await prove_the_ledger(house.store)


async def ended(house: House, jobs: list[Job]) -> bool:
    return all(state.ended for state in await states(house, jobs))


async def test_when_all_are_cancelled_the_child_is_stopped_and_the_worker_goes_on(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.attempt.HEARTBEAT", 0.2)
    jobs = await orders(house, "an endless one", "an endless one", count=2)
    async with working(drawing(house, tmp_path)):
        said = await awaited(lambda: begun(tmp_path))
        child = psutil.Process(int(said[0].rpartition(" ")[2]))
        for job in jobs:
            await house.services.jobs.cancel(await owner(house, job), job.id)
        (another,) = await orders(house, "a circle")
        await awaited(lambda: ended(house, [another]))
        assert not child.is_running()
    assert await states(house, [*jobs, another]) == [CANCELLED, CANCELLED, SUCCEEDED]


async def test_one_whose_pictures_are_there_does_not_wait_for_the_others(tmp_path: Path) -> None:
    told = defaultdict[str, list[int]](list)

    async def tell(count: int, *, prompt: str) -> None:
        told[prompt].append(count)

    async with Child(SKETCHING) as child, Batch(child, size=2, folder=tmp_path) as batch:
        wishes = [
            Wish(
                look=a_look(tmp_path),
                drawing=a_drawing(tmp_path / prompt, prompt=prompt),
                on_picture=partial(tell, prompt=prompt),
            )
            for prompt in ("a circle", "an endless one")
        ]
        first, other = [asyncio.create_task(batch.draw(wish)) for wish in wishes]
        assert [path.name for path in await first] == ["3.png", "4.png"]
        assert not other.done()
        other.cancel()
    assert told["a circle"] == [1, 2]


async def test_a_worker_that_leaves_hands_all_over_and_the_next_draws_them(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.attempt.GRACE", 0.3)
    jobs = await orders(house, *["an endless one"] * 3, count=2)
    async with working(drawing(house, tmp_path)):
        await awaited(lambda: begun(tmp_path))
    assert [(job.state, job.attempt, job.token) for job in await after(house, jobs)] == [(QUEUED, 0, None)] * 3
    assert await begun(tmp_path) == []
    for job in jobs:
        generation = await house.store.generations.get(job.id)
        await house.store.generations.save(generation.but(prompt="a circle"))
    assert await work(drawing(house, tmp_path), once=True, stop=asyncio.Event()) == 3
    assert await states(house, jobs) == [SUCCEEDED] * 3
