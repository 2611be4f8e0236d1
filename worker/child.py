"""A child process that works for an asyncio parent: torch lives in a reused one, untrusted bytes in a limited one.

The parent keeps the lease, the signals and the reports; whatever the child suffers (out of memory, a segfault, a hang)
reaches the parent as an exception. What they say to each other is in `worker.line`.
"""

import asyncio
import multiprocessing
import pickle
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from multiprocessing.context import SpawnProcess
from typing import Any, Self, assert_never

from structlog.contextvars import get_contextvars

from core.domain.value import Value
from worker.channel import TaskFailed
from worker.line import LENGTH, Broke, Called, Happened, Outcome, Returned, StopAsked, Told, framed, serve

EventHandler = Callable[[Any], Awaitable[None]]
"""Takes each event of a task, typed by that task; the child waits when the handler is slow."""

FAREWELL_SECONDS = 5.0


class ChildDied(Exception):  # noqa: N818 a past participle, as every result here
    """The process ended in the middle of a call; a negative exit code is the signal that ended it."""

    def __init__(self, exitcode: int | None) -> None:
        super().__init__(f"the child process ended with exit code {exitcode}")
        self.exitcode = exitcode


class ChildTimedOut(Exception):  # noqa: N818 a past participle, as every result here
    """A call took longer than its wall-clock limit; the process was killed."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the child process took longer than {seconds:g} s")
        self.seconds = seconds


class ChildFailed(Exception):  # noqa: N818 a past participle, as every result here
    """The task raised what it did not foresee; the child lives on. `traceback` is the child's own."""

    def __init__(self, traceback: str) -> None:
        super().__init__(traceback)
        self.traceback = traceback


class Child:
    """A spawned process holding one object, made by a factory, whose methods are called by name, one at a time.

    The process starts with the first call, is reused by the next ones, and is replaced after it died. A call that is
    cancelled, or whose event handler raises, takes the process with it.

    Args:
        factory: `module:name` of a callable without arguments; each method is `(task, channel) -> Value`.
        memory: Address space the process may use, in bytes.
        seconds: Wall-clock limit of one call, starting the process included.
    """

    def __init__(self, factory: str, *, memory: int | None = None, seconds: float | None = None) -> None:
        self._factory = factory
        self._memory = memory
        self._seconds = seconds
        self._turn = asyncio.Lock()
        self._process: SpawnProcess | None = None
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._unsaid: list[StopAsked | Told] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def call(self, method: str, task: Value, *, on_event: EventHandler | None = None) -> Any:
        """Run one method in the child and return its result; a second call waits for the first.

        Raises:
            TaskFailed: The task foresaw its failure.
            ChildFailed: The task raised anything else, or the factory did.
            ChildDied: The process ended by itself or by `kill`.
            ChildTimedOut: The call took longer than the limit.
        """
        async with self._turn:
            self._unsaid = []
            called = Called(method=method, task=task, context=get_contextvars())
            limit = asyncio.timeout(self._seconds)
            try:
                async with limit:
                    report = await self._converse(called, on_event)
            except BaseException:
                await self._end()
                if limit.expired() and self._seconds is not None:
                    raise ChildTimedOut(self._seconds) from None
                raise
        match report:
            case Returned(result=result):
                return result
            case TaskFailed():
                raise report
            case Broke(traceback=text):
                raise ChildFailed(text)
            case _:
                assert_never(report)

    def ask_to_stop(self) -> None:
        """Make `channel.stopping()` true for the call that runs now."""
        self._say(StopAsked())

    def tell(self, wish: Value) -> None:
        """Bring a wish to `channel.wishes()` of the call that runs now; when none does, nobody hears of it."""
        self._say(Told(wish=wish))

    def _say(self, message: StopAsked | Told) -> None:
        """Send it behind the running call, which is still to be sent where the process has yet to start."""
        if self._line is None:
            self._unsaid.append(message)
        else:
            self._line[1].write(framed(message))

    def kill(self) -> None:
        """End the process at once; a running call raises ChildDied."""
        if self._process is not None:
            self._process.kill()

    async def _converse(self, called: Called, on_event: EventHandler | None) -> Outcome:
        if self._process is not None and not self._process.is_alive():
            await self._end()
        reader, writer = self._line or await self._start()
        for message in (called, *self._unsaid):
            writer.write(framed(message))
        with suppress(ConnectionError):  # reading tells more
            await writer.drain()
        while isinstance(report := await self._heard(reader), Happened):
            if on_event is not None:
                await on_event(report.event)
        return report

    async def _heard(self, reader: asyncio.StreamReader) -> Happened | Outcome:
        try:
            (length,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
            payload = await reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise ChildDied(await self._end(patience=FAREWELL_SECONDS)) from None
        report: Happened | Outcome = pickle.loads(payload)  # noqa: S301 our own process wrote it
        return report

    async def _start(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        ours, theirs = socket.socketpair()
        with theirs:
            arguments = (theirs, self._factory, self._memory)
            self._process = multiprocessing.get_context("spawn").Process(target=serve, args=arguments, daemon=True)
            self._process.start()
        line = await asyncio.open_connection(sock=ours)
        self._line = line
        return line

    async def _end(self, *, patience: float = 0) -> int | None:
        """Kill the process and return its exit code: its own, if it had begun to end by itself and does so in time."""
        process, line = self._process, self._line
        self._process = self._line = None
        if line is not None:
            line[1].transport.abort()
        if process is None:
            return None
        try:
            if patience:
                await asyncio.to_thread(process.join, patience)
        finally:
            process.kill()
        await asyncio.to_thread(process.join)
        exitcode = process.exitcode
        process.close()
        return exitcode
