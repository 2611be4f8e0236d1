"""The embedded database: SecantusDB as a process of its own, shared by all processes that open the same folder.

Three flocks decide everything, and the kernel lets go of them however their holder dies, so there is nothing to count
and no pid to trust: the database itself holds `database.lock` for as long as it lives; every user holds `users.lock`
shared, and whoever can make it exclusive was the last; `start.lock` is held while anybody attaches, restarts or leaves.
When every user is killed with -9 the database stays, until the next one attaches and leaves.
"""

import asyncio
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import structlog
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from core.domain.errors import EmbeddedDatabaseFailed, EmbeddedDatabaseMissing

HOST = "127.0.0.1"
# Below the ephemeral range: in it, a client that keeps trying a dead port can end up connected to itself, on that port.
PORTS = range(20_000, 32_000)
POLL_SECONDS = 0.05
WATCH_SECONDS = 0.5
START_SECONDS = 60.0
STOP_SECONDS = 15.0

PROGRAM = "secantusd-py"
CONFIG = f"""\
# Written anew at every start.
[server]
host = "{HOST}"
log_level = "WARNING"
[storage]
cache_size = "256M"
# Without it acknowledged writes are lost when the database is killed.
sync_on_commit = {{durable}}
[oplog]
max_entries = 20000
"""
# The shell limits the address space (macOS cannot), notes pid and port and goes, so nobody has to reap the database.
LAUNCH = 'ulimit -v "$1" 2>/dev/null; lock=$2 port=$3; shift 3; "$@" & echo "$! $port" >"$lock"'

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class EmbeddedDatabase:
    """A database folder and the port its clients know; both outlive a restart, the process does not."""

    folder: Path
    port: int

    @property
    def uri(self) -> str:
        """Where clients connect. Retryable writes would slow SecantusDB down after some thousands of them."""
        return f"mongodb://{HOST}:{self.port}/?directConnection=true&retryWrites=false&maxIdleTimeMS=120000"

    @property
    def pid(self) -> int:
        """The process that serves the folder now: another one after a restart."""
        return _noted(self.folder)[0]


@asynccontextmanager
async def embedded_database(
    folder: Path, *, memory_limit: int = 6 << 30, patience: float = 15.0, durable: bool = True
) -> AsyncIterator[EmbeddedDatabase]:
    """Attach to a folder's database: start it when nobody has, restart it when it dies, stop it when nobody is left.

    Args:
        folder: Where the data lives; made when it is not there.
        memory_limit: Bytes of address space that the database may map; each connection maps a thread's stack of 8 MB.
        patience: Seconds a running database may stay silent, when one attaches, before it counts as hung and is killed.
        durable: Whether a database that is started here has every write on the disk before it acknowledges it.

    Raises:
        EmbeddedDatabaseMissing: The program is not installed.
        EmbeddedDatabaseFailed: It does not come up.
    """
    folder = _made(folder)
    starter = _Starter(folder=folder, program=_program(), memory_limit=memory_limit, durable=durable)
    with _opened(folder / "users.lock") as users:
        try:
            async with _turn(folder):
                await _flock(users, fcntl.LOCK_SH)
                port = await starter.ensure(patience=patience)
            watch = asyncio.create_task(starter.watch(port))
            try:
                yield EmbeddedDatabase(folder=folder, port=port)
            finally:
                watch.cancel()
                await asyncio.wait([watch])
        finally:
            async with _turn(folder):
                if _try_flock(users, fcntl.LOCK_EX):
                    await _stop(folder, patience=STOP_SECONDS)


@dataclass(frozen=True, kw_only=True)
class _Starter:
    """What it takes to start the database; all but `watch` are called by whoever has the turn."""

    folder: Path
    program: str
    memory_limit: int
    durable: bool

    async def ensure(self, *, patience: float) -> int:
        """See that a database answers, and return its port."""
        if not await _answers_within(self.folder, patience):
            await _stop(self.folder, patience=0)
            await self.start(_free_port(preferred=_noted(self.folder)[1]))
        return _noted(self.folder)[1]

    async def start(self, port: int) -> None:
        """Start the database on a port and wait until it answers."""
        await asyncio.to_thread(self._launch, port)
        if await _answers_within(self.folder, START_SECONDS):
            return
        await _stop(self.folder, patience=0)
        words = (self.folder / "database.log").read_text(errors="replace").splitlines()[-5:]
        raise EmbeddedDatabaseFailed(folder=str(self.folder), last_words="\n".join(words) or "none.")

    async def watch(self, port: int) -> None:
        """Restart a dead database on the port that its clients know, for ever."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                if _alive(self.folder):
                    continue
                async with _turn(self.folder):
                    if not _alive(self.folder):  # nobody was faster
                        await self.start(port)
                        log.warning("database.restarted", pid=_noted(self.folder)[0], port=port)
            except (EmbeddedDatabaseFailed, OSError, subprocess.SubprocessError) as error:
                log.warning("database.restart_failed", why=str(error))

    def _launch(self, port: int) -> None:
        config, lock, log_file = (self.folder / name for name in ("secantusd.toml", "database.lock", "database.log"))
        config.write_text(CONFIG.format(durable=str(self.durable).lower()))
        if log_file.exists():
            log_file.replace(self.folder / "database.log.1")
        shell = ["/bin/sh", "-c", LAUNCH, "sh", f"{self.memory_limit // 1024}", f"{lock}", f"{port}"]
        command = [
            self.program,
            "--config",
            f"{config}",
            "--port",
            f"{port}",
            "--storage-path",
            f"{self.folder / 'data'}",
        ]
        with _opened(lock) as held, log_file.open("wb") as output:
            fcntl.flock(held, fcntl.LOCK_EX)
            held.truncate(0)
            subprocess.run(  # noqa: S603 - LAUNCH is constant and quotes what it is given
                [*shell, *command],
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={"PATH": os.environ.get("PATH", os.defpath), "MALLOC_ARENA_MAX": "2"},  # and none of our secrets
                pass_fds=[held.fileno()],  # the database inherits the lock
                start_new_session=True,  # Ctrl-C in the starter's terminal is not meant for it
            )


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder.absolute()  # a restart may come after a change of the working directory


def _program() -> str:
    beside = Path(sys.executable).with_name(PROGRAM)
    found = str(beside) if beside.exists() else shutil.which(PROGRAM)
    if found is None:
        raise EmbeddedDatabaseMissing
    return found


def _free_port(*, preferred: int) -> int:
    """Return the port of last time when it is still free, else any."""
    for port in [preferred] * bool(preferred) + random.sample(PORTS, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return port
    raise OSError(f"none of 100 ports of {HOST} is free")


def _noted(folder: Path) -> tuple[int, int]:
    """Return pid and port of the database last started here; zeros when there is no such note."""
    path = folder / "database.lock"
    words = path.read_text().split() if path.exists() else []
    return (int(words[0]), int(words[1])) if len(words) == 2 else (0, 0)  # noqa: PLR2004 - the pair that LAUNCH writes


async def _answers_within(folder: Path, seconds: float) -> bool:
    """Wait until the database of a folder answers; False once it is dead, or still silent after so many seconds."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    while _alive(folder) and clock() < deadline:
        with suppress(OSError, PyMongoError, TimeoutError):
            async with asyncio.timeout_at(deadline):
                if await _answers(folder):
                    return True
        await asyncio.sleep(POLL_SECONDS)
    return False


async def _answers(folder: Path) -> bool:
    pid, port = _noted(folder)
    # Refused connections show at once here; the driver would wait for its next heartbeat.
    _, writer = await asyncio.open_connection(HOST, port)
    writer.close()
    await writer.wait_closed()
    uri = EmbeddedDatabase(folder=folder, port=port).uri
    async with AsyncMongoClient[dict[str, Any]](uri, timeoutMS=5000) as client:
        status = await client.admin.command("serverStatus")
    return bool(status["pid"] == pid)


async def _stop(folder: Path, *, patience: float) -> None:
    """Stop the database of a folder, by force after so many seconds, and wait until it is gone."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + patience
    _signal(folder, signal.SIGTERM)
    while _alive(folder):
        await asyncio.sleep(POLL_SECONDS)
        if clock() > deadline:
            _signal(folder, signal.SIGKILL)


def _signal(folder: Path, number: signal.Signals) -> None:
    pid, _ = _noted(folder)
    if pid and _alive(folder):  # else the pid may be somebody else's by now
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _alive(folder: Path) -> bool:
    """Whether the database holds its lock. Asked with a shared lock, so that those who ask do not see one another."""
    with _opened(folder / "database.lock") as lock:
        return not _try_flock(lock, fcntl.LOCK_SH)


@asynccontextmanager
async def _turn(folder: Path) -> AsyncIterator[None]:
    """Hold `start.lock`."""
    with _opened(folder / "start.lock") as lock:
        await _flock(lock, fcntl.LOCK_EX)
        yield


def _opened(path: Path) -> IO[bytes]:
    return path.open("ab")


async def _flock(file: IO[bytes], mode: int) -> None:
    while not _try_flock(file, mode):  # noqa: ASYNC110 - other processes hold it; no event tells of them
        await asyncio.sleep(POLL_SECONDS)


def _try_flock(file: IO[bytes], mode: int) -> bool:
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
