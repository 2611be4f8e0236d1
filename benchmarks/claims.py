"""How fast jobs are claimed: `services.jobs.claim` by 8 processes, against the bare conditional updates it is made of.

Both sides read the same window with the same query from the same server, and try it in random order; the raw side does
so with the driver alone. Run `python benchmarks/claims.py [JOBS]`; MONGODB_URI chooses a server, else an embedded one
is started for the occasion.
"""

import asyncio
import multiprocessing
import os
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient

from config.settings import Settings
from core.domain.fleet import Worker
from core.domain.job import JobState, asked
from core.ports.clock import RandomIds, SystemClock
from loraguild.composition import opened
from storage.documents import document
from storage.embedded import embedded_database

PROCESSES, JOBS, WINDOW = 8, 400, 32
NAME = "claims"


async def claims(uri: str, started: Barrier) -> int:
    """Claim as workers do until nothing is left; return how many."""
    now = SystemClock().now()
    name = RandomIds().new()
    worker = Worker(id=name, host="here", pid=0, device="cpu", kinds=("training",), started_at=now, seen_at=now)
    async with opened(Settings(mongodb_uri=uri, mongodb_database=NAME)) as house:
        await asyncio.to_thread(started.wait)
        count = 0
        while await house.services.jobs.claim(worker):
            count += 1
    return count


async def updates(uri: str, started: Barrier) -> int:
    """Do the same with the driver alone."""
    async with AsyncMongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        jobs = client[NAME]["jobs"]
        await client.admin.command("ping")
        await asyncio.to_thread(started.wait)
        count = 0
        while True:
            query = {
                "state": "queued",
                "eligible": True,
                "kind": {"$in": ["training"]},
                "not_before": {"$lte": SystemClock().now()},
                "labels": {"$not": {"$elemMatch": {"$nin": []}}},
            }
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


async def fill(uri: str, count: int) -> None:
    """Queue so many jobs in an otherwise empty house."""
    now = SystemClock().now()
    async with opened(Settings(mongodb_uri=uri, mongodb_database=NAME)):
        pass  # which makes the indexes
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        jobs = client[NAME]["jobs"]
        await jobs.delete_many({})
        names = [f"{number:06}" for number in range(count)]
        queued = [asked("training", id=name, key=name, owner=name, subject="", title="", now=now) for name in names]
        await jobs.insert_many([document(job.but(eligible=True, rank=float(job.id))) for job in queued])


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
    """Measure both sides in turn, twice, and print the better of each."""
    count = int(arguments[0]) if arguments else JOBS
    rates: dict[str, list[float]] = {side: [] for side in SIDES}
    async with server() as uri:
        for side in (*SIDES, *reversed(SIDES)):
            rates[side].append(await rate(side, uri, count))
            print(f"{side}: {rates[side][-1]:.0f}/s")
    claim, raw = (max(found) for found in rates.values())
    print(f"{PROCESSES} processes, {count} jobs: claim {claim:.0f}/s, raw {raw:.0f}/s, ratio {claim / raw:.2f}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
