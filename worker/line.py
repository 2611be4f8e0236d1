"""The line between a parent and its child process: what is said on it, and the child's end.

Both ends are ours and on one machine, so messages are pickled over a socket pair.
"""

import importlib
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
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, assert_never

import structlog

from core.domain.value import Value
from worker.channel import TaskFailed

LENGTH = struct.Struct("!Q")


class Called(Value):
    """Parent to child: run this method on this task; `context` stands on every line that is logged meanwhile."""

    method: str
    task: Value
    context: Mapping[str, Any] = {}


class StopAsked(Value):
    """Parent to child: come to an end soon."""


class Told(Value):
    """Parent to child: something that the running task may want to know."""

    wish: Value


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


class ParentLine:
    """The child's end of the line: the Channel of its tasks, heard by a thread also while they compute."""

    def __init__(self, line: socket.socket) -> None:
        self.calls: queue.SimpleQueue[Called] = queue.SimpleQueue()
        self._line = line
        self._sending = threading.Lock()
        self._stop = threading.Event()
        self._wishes: deque[Value] = deque()

    def listen(self) -> None:
        """Take what the parent says until it hangs up; then there is nobody to work for, whatever runs meanwhile."""
        with suppress(ConnectionError), self._line.makefile("rb") as stream:  # reset: it left something unread
            while head := stream.read(LENGTH.size):
                try:
                    message = pickle.loads(stream.read(*LENGTH.unpack(head)))  # noqa: S301 our own parent wrote it
                except Exception:  # noqa: BLE001 what a task is made of may not be importable here, or not for lack of memory
                    self.report(framed(Broke(traceback=traceback.format_exc())))
                    continue
                self._take(message)
        os._exit(0)

    def _take(self, message: Called | StopAsked | Told) -> None:
        match message:
            case Called():  # what was said behind the last one has come too late for it
                self._stop.clear()
                self._wishes.clear()
                self.calls.put(message)
            case StopAsked():
                self._stop.set()
            case Told(wish=wish):
                self._wishes.append(wish)
            case _:
                assert_never(message)

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

    def wishes(self) -> tuple[Value, ...]:
        """Return what the parent has told the running task since it was last asked, in order."""
        return tuple(self._wishes.popleft() for _ in range(len(self._wishes)))


def framed(message: Called | StopAsked | Told | Happened | Outcome) -> bytes:
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
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**called.context)
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
