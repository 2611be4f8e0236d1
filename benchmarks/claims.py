"""How fast jobs are claimed: whether a claim takes as long however many wait, and how it stands to bare updates.

First one worker claims from queues of 10³ to 10⁵ jobs, bulk-loaded, of as many people; then from a short one beside
all of those, which it cannot serve, and beside many that sleep. Then 8 processes empty a queue by
`services.jobs.claim`, and again by the reads and conditional updates that it is made of, with the driver alone.

Run `python benchmarks/claims.py [JOBS]`; MONGODB_URI chooses a server, else an embedded one is started for it.
A queue of 10⁶ is measured where TEST_MONGODB_URI names a MongoDB.
"""

import asyncio
import multiprocessing
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pymongo import AsyncMongoClient

from config.settings import Settings
from core.domain.fleet import Worker
from core.domain.job import Job, JobState, asked
from core.domain.scheduling import placed, pool_of
from core.ports.clock import RandomIds, SystemClock
from loraguild.composition import House, opened
from storage.documents import document
from storage.embedded import embedded_database

PROCESSES, JOBS, WINDOW = 8, 400, 32
SIZES, MOST = (1_000, 10_000, 100_000), 1_000_000
CLAIMS, SLEEPERS, BATCH = 50, 10_000, 5_000
APART = timedelta(seconds=10)  # one person comes after the other
NAME = "claims"


def settings(uri: str) -> Settings:
    """How a house is opened on a server; nothing is signed that outlives this."""
    return Settings(mongodb_uri=uri, mongodb_database=NAME, secret_key=SecretStr(secrets.token_hex(32)))


def a_worker(*labels: str) -> Worker:
    """Somebody who trains."""
    now, name = SystemClock().now(), RandomIds().new()
    kinds = ("training",)
    return Worker(id=name, host="here", pid=0, device="cpu", kinds=kinds, labels=labels, started_at=now, seen_at=now)


def waiting(name: str, moment: datetime, *labels: str, until: datetime | None = None) -> Job:
    """A job of somebody of whom it is the only one, at its place."""
    job = asked("training", id=name, key=name, owner=name, subject="", title="", labels=labels, now=moment)
    queued = placed(job.but(eligible=True), pool_of(job), None, now=moment)
    return queued.but(not_before=until or moment, asleep=until is not None)


async def add(uri: str, jobs: Sequence[Job]) -> None:
    """Load jobs in bulk, and their pools."""
    async with AsyncMongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        for start in range(0, len(jobs), BATCH):
            await client[NAME]["jobs"].insert_many([document(job) for job in jobs[start : start + BATCH]])
        for pool in {job.pool: pool_of(job).but(reached=job.start) for job in reversed(jobs)}.values():
            known = {name: value for name, value in document(pool).items() if name != "_id"}
            await client[NAME]["pools"].update_one({"_id": pool.id}, {"$setOnInsert": known}, upsert=True)


async def timed(uri: str, worker: Worker) -> tuple[float, float]:
    """Milliseconds that the first claim of a process takes, and the median of those after it."""
    async with opened(settings(uri)) as house:
        times = [await timed_once(house, worker) for _ in range(CLAIMS)]
    return times[0], statistics.median(times[1:])


async def timed_once(house: House, worker: Worker) -> float:
    """Milliseconds that a claim takes."""
    since = time.perf_counter()
    if await house.services.jobs.claim(worker) is None:
        sys.exit("nothing was left to claim")
    return (time.perf_counter() - since) * 1000


async def flat(uri: str, sizes: Sequence[int]) -> None:
    """Print how long claims take from longer and longer queues, and beside what cannot be claimed."""
    await emptied(uri)
    begun, loaded, medians = SystemClock().now() - (sizes[0] + sizes[-1]) * APART, 0, dict[str, float]()
    for size in sizes:
        await add(uri, [waiting(f"{n:07}", begun + n * APART, "big") for n in range(loaded, size)])
        loaded = size
        medians[f"{size} jobs"] = await reported(uri, f"{size} jobs", a_worker("big"))
    beside = begun + loaded * APART
    await add(uri, [waiting(f"short {n}", beside + n * APART) for n in range(sizes[0])])
    name = f"{sizes[0]} jobs beside {loaded} for other workers"
    medians[name] = await reported(uri, name, a_worker())
    later = SystemClock().now() + timedelta(days=1)
    await add(uri, [waiting(f"asleep {n}", begun + n * APART, until=later) for n in range(SLEEPERS)])
    name = f"{sizes[0]} jobs behind {SLEEPERS} that sleep"
    medians[name] = await reported(uri, name, a_worker())
    first = medians[f"{sizes[0]} jobs"]
    print("ratios to the shortest:", ", ".join(f"{name} {took / first:.2f}" for name, took in medians.items()))


async def reported(uri: str, name: str, worker: Worker) -> float:
    """The median, printed."""
    first, median = await timed(uri, worker)
    print(f"{name}: {median:.1f} ms a claim (a process's first {first:.0f} ms)", flush=True)
    return median


async def claims(uri: str, started: Barrier) -> int:
    """Claim as workers do until nothing is left; return how many."""
    worker = a_worker()
    async with opened(settings(uri)) as house:
        await asyncio.to_thread(started.wait)
        count = 0
        while await house.services.jobs.claim(worker):
            count += 1
    return count


async def updates(uri: str, started: Barrier) -> int:
    """Do the same with the driver alone."""
    pool = pool_of(waiting("", SystemClock().now())).id
    query = {"state": "queued", "eligible": True, "asleep": False, "pool": pool, "rank": {"$lt": float("inf")}}
    async with AsyncMongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        jobs = client[NAME]["jobs"]
        await client.admin.command("ping")
        await asyncio.to_thread(started.wait)
        count = 0
        while True:
            window = await jobs.find(query).sort("rank", 1).limit(WINDOW).to_list()
            if not window:
                return count
            for row in secrets.SystemRandom().sample(window, len(window)):
                same = {"_id": row["_id"], "state": "queued", "attempt": row["attempt"]}
                change = {"state": "running", "attempt": row["attempt"] + 1, "token": secrets.token_urlsafe(12)}
                if (await jobs.update_one(same, {"$set": change})).modified_count:
                    count += 1
                    break


SIDES = {"claim": claims, "raw": updates}


def claimer(side: str, uri: str, started: Barrier, counts: "multiprocessing.Queue[int]") -> None:
    """Be one of the processes."""
    counts.put(asyncio.run(SIDES[side](uri, started)))


async def emptied(uri: str) -> None:
    """Have an empty house, with its indexes."""
    async with opened(settings(uri)):
        pass  # which makes the indexes
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        for name in ("jobs", "pools", "flows"):
            await client[NAME][name].delete_many({})


async def fill(uri: str, count: int) -> None:
    """Queue so many jobs in an otherwise empty house."""
    await emptied(uri)
    begun = SystemClock().now() - count * APART
    await add(uri, [waiting(f"{number:06}", begun + number * APART) for number in range(count)])


async def claimed_once(uri: str, count: int) -> bool:
    """Whether every job is running in its first attempt."""
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        jobs = client[NAME]["jobs"]
        return await jobs.count_documents({"state": JobState.RUNNING, "attempt": 1}) == count


async def rate(side: str, uri: str, count: int) -> float:
    """Claims per second of all processes together."""
    await fill(uri, count)
    spawn = multiprocessing.get_context("spawn")
    started, counts = spawn.Barrier(PROCESSES + 1), spawn.Queue()
    workers = [spawn.Process(target=claimer, args=(side, uri, started, counts)) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    await asyncio.to_thread(started.wait)
    since = time.perf_counter()
    total = sum([await asyncio.to_thread(counts.get) for _ in workers])
    seconds = time.perf_counter() - since
    for worker in workers:
        worker.join()
    if total != count or not await claimed_once(uri, count):
        sys.exit(f"{side}: {total} claims of {count} jobs")
    return count / seconds


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    """The server of MONGODB_URI, or an embedded one."""
    if uri := os.environ.get("MONGODB_URI"):
        yield uri
        return
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_database(Path(folder)) as database:
            yield database.uri


async def main(arguments: Sequence[str]) -> None:
    """Measure one worker by the length of the queue; then both sides in turn, twice, and print the better of each."""
    count = int(arguments[0]) if arguments else JOBS
    rates: dict[str, list[float]] = {side: [] for side in SIDES}
    if mongodb := os.environ.get("TEST_MONGODB_URI"):
        await flat(mongodb, (*SIZES, MOST))
    else:
        print(f"{MOST} jobs: unmeasured, TEST_MONGODB_URI names no MongoDB")
    async with server() as uri:
        if not mongodb:
            await flat(uri, SIZES)
        for side in (*SIDES, *reversed(SIDES)):
            rates[side].append(await rate(side, uri, count))
            print(f"{side}: {rates[side][-1]:.0f}/s")
    claim, raw = (max(found) for found in rates.values())
    print(f"{PROCESSES} processes, {count} jobs: claim {claim:.0f}/s, raw {raw:.0f}/s, ratio {claim / raw:.2f}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
