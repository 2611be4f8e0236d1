"""The process supervisor: starts programs, prefixes what they say, restarts what ends, stops all in order."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from logging import INFO, WARNING
from pathlib import Path

import structlog

STOP_SECONDS = 35.0  # a worker hands over within 28, and the last one stops the embedded database
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds before a crashed program is started again; doubles each time
HEALTHY_AFTER = 60.0  # seconds after which a crash counts as the first again

WRONG = 2  # the status of a program whose settings do not fit: starting it again would not help

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Program:
    """Something to keep running: what starts it, in which environment and folder."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: Path = field(default_factory=Path.cwd)


@asynccontextmanager
async def supervised(programs: Sequence[Program], *, say: Callable[[str, str], None]) -> AsyncIterator[None]:
    """Keep programs running for as long; `say` is given each line of theirs with the program's name.

    At the end all are told to leave (SIGTERM), and killed after 35 seconds.
    """
    keepers = [asyncio.create_task(_kept(program, say)) for program in programs]
    try:
        yield
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


async def _kept(program: Program, say: Callable[[str, str], None]) -> None:
    clock = asyncio.get_running_loop().time
    pause = FIRST_PAUSE
    while True:
        started = clock()
        status = await _ran(program, say)
        if status == WRONG:
            log.error("program.misconfigured", program=program.name, advice="mend the settings and start again")
            return
        pause = FIRST_PAUSE if status == 0 or clock() - started > HEALTHY_AFTER else pause
        log.log(INFO if status == 0 else WARNING, "program.ended", program=program.name, status=status, again_in=pause)
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


async def _ran(program: Program, say: Callable[[str, str], None]) -> int:
    """Run a program until it ends by itself; when cancelled, see that it is gone."""
    process = await asyncio.create_subprocess_exec(
        *program.command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        env=program.environment,
        cwd=program.folder,
        start_new_session=True,  # Ctrl-C in the terminal is for the supervisor, which then stops everything in order
    )
    reader = asyncio.create_task(_repeated(process, program.name, say))
    try:
        return await process.wait()
    finally:
        await asyncio.shield(_stopped(process))
        with suppress(TimeoutError):
            await asyncio.wait_for(reader, 1.0)


async def _stopped(process: Process) -> None:
    if process.returncode is None:
        process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # and what it may have left behind in its session
    await process.wait()


async def _repeated(process: Process, name: str, say: Callable[[str, str], None]) -> None:
    stream = process.stdout
    while stream and (line := await _line(stream)):
        say(name, line.decode(errors="replace").rstrip())


async def _line(stream: asyncio.StreamReader) -> bytes:
    """A line, or the part of it that fits."""
    try:
        return await stream.readline()
    except ValueError:  # longer than the buffer, which is cleared
        return b"(a very long line)\n"
