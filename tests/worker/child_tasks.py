"""What the child processes of test_child.py do: every way in which a task can end."""

import ctypes
import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, NoReturn

from structlog.contextvars import get_contextvars

from core.domain.value import Value
from worker.channel import Channel, TaskFailed


class Count(Value):
    number: int


class Report(Value):
    pid: int
    calls: int
    number: int


class Seen(Value):
    context: Mapping[str, Any]


class TooOdd(TaskFailed):
    code = "too_odd"


class Tasks:
    """The object that a child makes once and keeps."""

    def __init__(self) -> None:
        self.calls = 0

    def count(self, task: Count, channel: Channel) -> Report:
        self.calls += 1
        for number in range(task.number):
            channel.send(Count(number=number))
        return Report(pid=os.getpid(), calls=self.calls, number=task.number)

    def until_stopped(self, task: Count, channel: Channel) -> Count:
        channel.send(Count(number=os.getpid()))
        step = task.number
        while not channel.stopping():
            step += 1
            time.sleep(0.001)
        return Count(number=step)

    def look_around(self, _task: Count, _channel: Channel) -> Seen:
        return Seen(context=get_contextvars())

    def until_told(self, task: Count, channel: Channel) -> Count:
        channel.send(Count(number=os.getpid()))
        heard: list[Count] = []
        while len(heard) < task.number:
            heard += [wish for wish in channel.wishes() if isinstance(wish, Count)]
            time.sleep(0.001)
        return Count(number=int("".join(str(wish.number) for wish in heard)))

    def compute(self, _task: Count, channel: Channel) -> NoReturn:
        channel.send(Count(number=os.getpid()))
        while True:
            sum(range(1000))

    def take_memory(self, task: Count, _channel: Channel) -> Count:
        return Count(number=len(bytearray(task.number)))

    def refuse(self, _task: Count, _channel: Channel) -> NoReturn:
        raise TooOdd("This number is too odd.")

    def stumble(self, task: Count, _channel: Channel) -> Count:
        return Count(number=1 // task.number)

    def leave(self, task: Count, _channel: Channel) -> NoReturn:
        sys.exit(task.number)

    def segfault(self, _task: Count, _channel: Channel) -> NoReturn:
        ctypes.string_at(0)
        raise AssertionError

    def answer_badly(self, _task: Count, _channel: Channel) -> threading.Lock:
        return threading.Lock()


def broken() -> NoReturn:
    raise RuntimeError("the factory is closed")
