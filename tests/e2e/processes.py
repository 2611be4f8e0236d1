"""Whole processes for the tests: workers as people start them, and a house in the test's own process beside them."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from aiohttp import ClientError, ClientSession

from config.settings import Settings
from core.domain.errors import Unavailable
from core.domain.job import Job, JobState
from core.ports.clock import Clock, SystemClock
from loraguild.composition import House, opened
from storage.errors import translated
from storage.store import MongoStore
from tests.builders.attempts import awaited

ROOT = Path(__file__).parents[2]
OFFERINGS = Path(__file__).with_name("offerings")
WORKER = (sys.executable, str(Path(__file__).with_name("a_worker.py")))
LORAGUILD = (sys.executable, "-m", "loraguild")
ALONE = {"HF_HUB_OFFLINE": "1", "PYTHONDONTWRITEBYTECODE": ""}  # nobody is asked, nothing is compiled anew


class ClockAhead:
    """A clock that is a minute ahead: for it, the leases of now have run out."""

    def now(self) -> datetime:
        """The moment in a minute, in UTC."""
        return SystemClock().now() + timedelta(minutes=1)


def environment(data: Path) -> Mapping[str, str]:
    """What a process of this checkout needs to find the house in a folder."""
    ours = {"DATA_FOLDER": str(data), "OFFERINGS_FOLDER": str(OFFERINGS), "CHECKPOINT_SECONDS": "1"}
    return os.environ | ALONE | ours | {"PYTHONPATH": str(ROOT)}


@asynccontextmanager
async def a_house(data: Path, *, clock: Clock | None = None, **facts: Any) -> AsyncIterator[House]:
    """The house in a folder, opened in this process, with further settings."""
    settings = Settings(data_folder=data, offerings_folder=OFFERINGS, **facts)
    async with opened(settings, clock=clock) as house:
        yield house


@contextmanager
def started(
    *command: str, data: Path, log: str = "worker.log", env: Mapping[str, str] | None = None
) -> Iterator[psutil.Popen]:
    """A process over a data folder; whatever becomes of it, nothing of it is left behind."""
    with (data / log).open("wb") as output:
        process = psutil.Popen(command, env=env or environment(data), cwd=data, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        left = [process, *children(process)]
        for one in left:
            if one.is_running():
                one.kill()
        process.wait(10)


@asynccontextmanager
async def a_web(
    session: ClientSession, data: Path, env: Mapping[str, str], *, log: str = "web.log"
) -> AsyncIterator[psutil.Popen]:
    """`loraguild web` as people start it, once it answers."""

    async def healthy() -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{env['WEB_PORT']}/healthz") as answer:
                return answer.ok
        except ClientError:
            return False

    with started(*LORAGUILD, "web", data=data, log=log, env=env) as process:
        await awaited(healthy, seconds=90)
        yield process


def children(process: psutil.Popen) -> list[psutil.Process]:
    """Processes that a process has started and that work for it; the database is not one of them."""
    try:
        return [child for child in process.children(recursive=True) if "secantusd" not in child.name()]
    except psutil.NoSuchProcess:
        return []


def gone(process: psutil.Process) -> bool:
    """Whether a process has ended."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # between the two looks
        return True


async def ended(process: psutil.Popen, *, seconds: float = 60) -> int:
    """Wait for a process to end and return its status."""
    return int(await asyncio.to_thread(process.wait, seconds))


async def set_free(house: House) -> None:
    """Let go of what those had locked who were killed in a transaction: the database would do so after a minute.

    Whoever else is in a transaction begins it anew.
    """
    assert isinstance(house.store, MongoStore)
    with translated():
        await house.store.database.client.admin.command({"killAllSessions": []})


async def taken_back(ahead: House, *jobs: Job) -> None:
    """Wait until jobs of those who are gone are free again, in a house for which their leases have run out."""

    async def look() -> bool:
        await set_free(ahead)
        try:
            await ahead.services.jobs.expire()
        except* Unavailable:  # what a dead worker had sent came to the database only now
            pass
        found = [await ahead.store.jobs.get(job.id) for job in jobs]
        return all(job.state is JobState.QUEUED for job in found)

    await awaited(look, seconds=100)


def database_of(data: Path) -> psutil.Process:
    """The process that serves the embedded database of a folder."""
    return psutil.Process(int((data / "database" / "database.lock").read_text().split()[0]))
