"""What a worker says of itself: at once when it changes, but at most once a second, and now and then in any case."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from core.domain.fleet import Worker

PULSE, PAUSE = 10.0, 1.0  # seconds between two beats: at most, and at least


class Presence:
    """The worker as it is now; `say` tells the house."""

    def __init__(self, worker: Worker, *, say: Callable[[Worker], Awaitable[object]]) -> None:
        self.worker = worker
        self._say = say
        self._changed = asyncio.Event()

    def changed(self, **facts: object) -> None:
        """Some facts are others now: jobs, base, speed, missing."""
        after = self.worker.but(**facts)
        if after != self.worker:
            self.worker = after
            self._changed.set()

    def took(self, job: str) -> None:
        """It works on a job."""
        self.changed(jobs=tuple(sorted({*self.worker.jobs, job})))

    def left(self, job: str) -> None:
        """It works on a job no longer."""
        self.changed(jobs=tuple(one for one in self.worker.jobs if one != job))

    async def beat(self) -> None:
        """Say it."""
        self._changed.clear()
        await self._say(self.worker)

    async def due(self) -> None:
        """Wait until it is time for the next beat."""
        await asyncio.sleep(PAUSE)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), PULSE - PAUSE)
