"""What a worker says of itself, and how often."""

import asyncio

import pytest

from core.domain.fleet import Worker
from tests.builders.entities import NOON
from worker import presence
from worker.presence import Presence

ME = Worker(id="w1", host="here", pid=1, device="cpu", kinds=(), started_at=NOON, seen_at=NOON)


async def test_many_changes_are_one_beat_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "PULSE", 3600.0)  # no beat but for a change
    monkeypatch.setattr(presence, "PAUSE", 0.01)
    said: list[Worker] = []

    async def say(worker: Worker) -> None:
        said.append(worker)

    me = Presence(ME, say=say)
    for number in range(100):
        me.took(f"j{number:02}")
    for number in range(1, 100):
        me.left(f"j{number:02}")
    me.changed(base="sd15", speed=2.5)
    await asyncio.wait_for(me.due(), 30)
    await me.beat()
    me.changed(base="sd15")
    waiting = asyncio.create_task(me.due())
    me.left("j00")
    await asyncio.wait_for(waiting, 30)
    await me.beat()

    assert said == [ME.but(jobs=("j00",), base="sd15", speed=2.5), ME.but(base="sd15", speed=2.5)]
