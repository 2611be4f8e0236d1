"""A child process that works for an asyncio parent: torch lives in a reused one, untrusted bytes in a limited one.

The parent keeps the lease, the signals and the reports; whatever the child suffers (out of memory, a segfault, a hang)
reaches the parent as an exception. Both ends are ours and on one machine, so messages are pickled over a socket pair.
"""

import asyncio
import importlib
import multiprocessing
import os
import pickle
import queue
import resource
import signal
import socket
import struct
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from multiprocessing.context import SpawnProcess
from typing import Any, Self, assert_never

from core.domain.value import Value
from worker.channel import TaskFailed

EventHandler = Callable[[Any], Awaitable[None]]
"""Takes each event of a task, typed by that task; the child waits when the handler is slow."""

LENGTH = struct.Struct("!Q")
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


class Called(Value):
    """Parent to child: run this method on this task."""

    method: str
    task: Value


class StopAsked(Value):
    """Parent to child: come to an end soon."""


class Happened(Value):
    """Child to parent: an event of the running task."""

    event: Value


class Returned(Value):
    """Child to parent: the task is done."""

    result: Value


class Broke(Value):
    """Child to parent: the task raised something else."""

    traceback: str


Outcome = Returned | TaskFailed | Broke


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
        self._stop_asked = False

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
            self._stop_asked = False
            limit = asyncio.timeout(self._seconds)
            try:
                async with limit:
                    report = await self._converse(Called(method=method, task=task), on_event)
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
        self._stop_asked = True
        if self._line is not None:
            self._line[1].write(framed(StopAsked()))

    def kill(self) -> None:
        """End the process at once; a running call raises ChildDied."""
        if self._process is not None:
            self._process.kill()

    async def _converse(self, called: Called, on_event: EventHandler | None) -> Outcome:
        if self._process is not None and not self._process.is_alive():
            await self._end()
        reader, writer = self._line or await self._start()
        writer.write(framed(called))
        if self._stop_asked:
            writer.write(framed(StopAsked()))
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


class ParentLine:
    """The child's end of the line: the Channel of its tasks, heard by a thread also while they compute."""

    def __init__(self, line: socket.socket) -> None:
        self.calls: queue.SimpleQueue[Called] = queue.SimpleQueue()
        self._line = line
        self._sending = threading.Lock()
        self._stop = threading.Event()

    def listen(self) -> None:
        """Take what the parent says until it hangs up; then there is nobody to work for, whatever runs meanwhile."""
        with self._line.makefile("rb") as stream:
            while head := stream.read(LENGTH.size):
                try:
                    message = pickle.loads(stream.read(*LENGTH.unpack(head)))  # noqa: S301 our own parent wrote it
                except Exception:  # noqa: BLE001 what a task is made of may not be importable here, or not for lack of memory
                    self.report(framed(Broke(traceback=traceback.format_exc())))
                    continue
                if isinstance(message, Called):
                    self._stop.clear()
                    self.calls.put(message)
                else:
                    self._stop.set()
        os._exit(0)

    def report(self, frame: bytes) -> None:
        """Send a framed report to the parent; without a parent, end."""
        with self._sending:
            try:
                self._line.sendall(frame)
            except OSError:
                os._exit(0)

    def send(self, event: Value) -> None:
        """Report an event of the running task."""
        self.report(framed(Happened(event=event)))

    def stopping(self) -> bool:
        """Say whether the parent asked the running task to stop."""
        return self._stop.is_set()


def framed(message: Called | StopAsked | Happened | Outcome) -> bytes:
    """Return a message as the line carries it: eight bytes of length, then its pickle."""
    payload = pickle.dumps(message)
    return LENGTH.pack(len(payload)) + payload


def serve(line: socket.socket, factory: str, memory: int | None) -> None:
    """Work for the parent at the other end of `line` until it hangs up: the body of the child process."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a terminal or a supervisor signals the group; the parent decides
        signal.signal(number, signal.SIG_IGN)
    if memory is not None:
        limit_memory(memory)
    parent = ParentLine(line)
    threading.Thread(target=parent.listen, daemon=True).start()
    made: Any = None
    while True:
        called = parent.calls.get()
        try:
            made = build(factory) if made is None else made
            answer = framed(Returned(result=getattr(made, called.method)(called.task, parent)))
        except TaskFailed as failure:
            answer = framed(failure)
        except Exception:  # noqa: BLE001 whatever it is, the parent must hear of it
            answer = framed(Broke(traceback=traceback.format_exc()))
        parent.report(answer)


def build(factory: str) -> object:
    """Import `module:name` and call it."""
    module, name = factory.split(":")
    made: object = getattr(importlib.import_module(module), name)()
    return made


def limit_memory(memory: int) -> None:
    """Bound the address space of this process, so that a hostile picture cannot take the machine's memory.

    OpenBLAS, which comes with numpy, reserves memory for every core at import: one thread is all that pictures need.
    """
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    if sys.platform == "linux":  # elsewhere the kernel refuses or ignores this limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
