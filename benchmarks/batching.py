"""What drawing together brings: one-picture orders of as many people, done one by one and done in one go.

All call the same model on the tiny base that ships. Both sides claim, draw and finish as a worker does, with the same
warm studio and the same seeds, in turn and twice. Run `python benchmarks/batching.py [ORDERS]`.
"""

import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from config.settings import Settings
from core.domain.account import Place, Platform
from core.domain.artifact import Artifact
from core.domain.fleet import Worker
from core.domain.job import Job
from core.domain.model import Model, Visibility
from core.kinds.generation import Result
from core.ports.clock import RandomIds, SystemClock
from core.services.generations import Ordered, Wish
from loraguild.composition import House, opened
from worker.attempt import attempt
from worker.batch import Batch
from worker.child import Child
from worker.loop import TOGETHER
from worker.metrics import Metrics
from worker.pipelines.tasks import Trained, TrainingItem, TrainingTask
from worker.presence import Presence
from worker.task import Task, chunks

ORDERS = 8
OFFERING = "demo-tiny"
HERE = Place(platform=Platform.CONSOLE, chat="here")
MEMORY = 2**30
PICTURES = Path(__file__).parents[1] / "loraguild" / "demo" / "pictures"


async def adapter(studio: Child, folder: Path) -> Path:
    """Train a LoRA of the usual size for a moment."""
    task = TrainingTask(
        folder=folder,
        architecture="sd15",
        base="package:tiny-sd",
        recipe="sd15_lora",
        hyperparameters={"steps": 10, "epochs": 1, "resolution": 64, "rank": 16, "text_encoder_lr": 5e-3},
        items=tuple(TrainingItem(picture=path, caption="zorp") for path in sorted(PICTURES.glob("*.png"))),
        trigger="zorp",
        title="zorp",
        author="benchmark",
        seed=0,
    )
    trained: Trained = await studio.call("train", task)
    return trained.artifact


async def published(house: House, path: Path) -> None:
    """Let there be a model for everyone whose word is zorp."""
    blob = await house.blobs.put(chunks(path), name=path.name, limit=MEMORY)
    owner, now = await house.services.accounts.welcome(Platform.CONSOLE, "owner", name="owner"), SystemClock().now()
    model = Model(
        id="zorp",
        owner=owner.account,
        owner_name="owner",
        slug="zorp",
        names=("zorp",),
        trigger="zorp",
        family="tiny-shapes",
        base="tiny-sd",
        offering=OFFERING,
        run="none",
        artifact=Artifact(name=path.name, sha256=blob.id, size=blob.size, media_type="application/octet-stream"),
        visibility=Visibility.PUBLIC,
        created_at=now,
        published_at=now,
    )
    await house.store.models.save(model)


async def ordered(house: House, count: int) -> list[Job]:
    """Let so many people order a picture each, of one seed after another."""
    jobs = []
    for number in range(count):
        name = f"person {number}"
        actor = await house.services.accounts.welcome(Platform.CONSOLE, name, name=name)
        wish, key = Wish(text="zorp on a blue background", seed=number), RandomIds().new()
        order = await house.services.generations.order(actor, wish, place=HERE, key=key)
        if not isinstance(order, Ordered):
            sys.exit(f"this is unclear: {order.said}")
        jobs.append(order.job)
    return jobs


async def drained(house: House, worker: Worker, studio: Child, folder: Path, *, together: int) -> float:
    """Do all jobs there are, at most so many in one go; return how many seconds it took."""
    jobs, since, stop = house.services.jobs, time.perf_counter(), asyncio.Event()
    while job := await jobs.claim(worker):
        alike = await jobs.claim_alike(job, worker, most=together - 1) if together > 1 else ()
        async with Batch(studio, size=1 + len(alike), folder=folder / str(job.token)) as batch:
            tasks = [a_task(house, one, studio, batch, worker) for one in (job, *alike)]
            await asyncio.gather(*(attempt(task, stop=stop) for task in tasks))
    return time.perf_counter() - since


def a_task(house: House, job: Job, studio: Child, batch: Batch, worker: Worker) -> Task:
    """One attempt, in a folder of its own."""
    folder = batch.folder / job.id
    folder.mkdir(parents=True)
    return Task(
        job=job,
        services=house.services,
        blobs=house.blobs,
        settings=house.settings,
        folder=folder,
        cache=batch.folder,
        studio=studio,
        batch=batch,
        memory=MEMORY,
        checkpoint_seconds=60,
        presence=Presence(worker, say=house.services.jobs.beat),
        metrics=Metrics(),
    )


async def pictures(house: House, jobs: Sequence[Job]) -> list[str]:
    """The hashes of what was drawn."""
    done = [await house.store.jobs.get(job.id) for job in jobs]
    return [picture.sha256 for job in done for picture in Result.model_validate(job.result).pictures]


async def main(arguments: Sequence[str]) -> None:
    """Measure both sides in turn, twice, and print the better of each."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    count, now = int(arguments[0]) if arguments else ORDERS, SystemClock().now()
    worker = Worker(id="w", host="here", pid=0, device="cpu", kinds=("generation",), started_at=now, seen_at=now)
    seconds: dict[int, list[float]] = {1: [], TOGETHER: []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(mongodb_uri=None, data_folder=folder / "data", offerings_folder=None)
        async with opened(settings) as house, Child("worker.pipelines.studio:Studio") as studio:
            await published(house, await adapter(studio, folder))
            first = await ordered(house, count)
            await drained(house, worker, studio, folder / "work", together=1)  # which warms the studio
            for together in (1, TOGETHER, TOGETHER, 1):
                jobs = await ordered(house, count)
                took = await drained(house, worker, studio, folder / "work", together=together)
                if await pictures(house, jobs) != await pictures(house, first):
                    sys.exit("the same seeds gave other pictures")
                seconds[together].append(took)
                print(f"at most {together} in one go: {took:.2f} s")
    alone, company = (min(found) for found in seconds.values())
    print(f"{count} orders: one by one {alone:.2f} s, together {company:.2f} s, ratio {alone / company:.2f}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
