"""Long-running processes: one worker, and `up`, which keeps a house with its workers going in one terminal."""

import asyncio
import os
import signal
import socket
import sys

from rich.console import Console
from rich.text import Text

from config.settings import Settings
from core.domain.errors import BadValue
from core.domain.fleet import Worker
from core.kinds import discovered
from core.ports.clock import RandomIds, SystemClock
from loraguild.composition import House, opened
from loraguild.health import gpu_present
from loraguild.supervisor import Program, supervised

MB = 2**20
COLOURS = ("cyan", "magenta", "yellow", "blue")


async def worker(house: House, *, kinds: str, labels: str, concurrency: int, once: bool) -> int:
    """Do jobs until a signal comes, or with `once` until none is left.

    Raises:
        BadValue: There is no such kind of job.
    """
    from worker.loop import Floor, work  # noqa: PLC0415 - only workers need what it needs

    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # the torch child inherits it, and says less at start
    stop = _stopping()
    floor = Floor(
        services=house.services,
        blobs=house.blobs,
        worker=_described(house.settings, kinds=_kinds(kinds), labels=labels),
        folder=house.settings.data_folder / "work",
        memory=house.settings.worker_memory_mb * MB,
        checkpoint_seconds=house.settings.checkpoint_seconds,
    )
    await work(floor, concurrency=concurrency, once=once, stop=stop)
    return 0


async def up(settings: Settings, *, workers: int) -> int:
    """Run database and workers until a signal comes."""
    stop, out = _stopping(), Console(highlight=False)
    names = [f"worker-{number}" for number in range(1, workers + 1)]
    programs = [Program(name=name, command=(sys.executable, "-m", "loraguild", "worker")) for name in names]
    colours = {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}

    def say(name: str, line: str) -> None:
        out.print(Text.assemble((f"{name} │ ", colours[name]), line), soft_wrap=True)

    async with opened(settings):
        where = f"embedded, in {settings.data_folder / 'database'}" if settings.embedded else "MONGODB_URI"
        out.print(f"database │ {where}", markup=False)
        out.print(f"workers  │ {workers}")
        out.print("next     │ in another terminal: loraguild chat. Ctrl-C here stops everything.")
        async with supervised(programs, say=say):
            await stop.wait()
            out.print("stopping │ running work is handed over …")
    return 0


def _stopping() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


def _described(settings: Settings, *, kinds: tuple[str, ...], labels: str) -> Worker:
    gpu, now = gpu_present(), SystemClock().now()
    found = (*settings.worker_labels, *(("gpu",) if gpu else ()))
    return Worker(
        id=RandomIds().new(),
        host=socket.gethostname(),
        pid=os.getpid(),
        device="gpu" if gpu else "cpu",
        kinds=kinds,
        labels=tuple(dict.fromkeys(_listed(labels) or found)),
        started_at=now,
        seen_at=now,
    )


def _kinds(text: str) -> tuple[str, ...]:
    known, wanted = tuple(discovered()), _listed(text)
    for kind in wanted:
        if kind not in known:
            raise BadValue(what="kind of job", value=kind, why=f"there are {', '.join(known)}")
    return wanted or known


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
