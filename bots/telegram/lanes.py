"""Lanes: what somebody asked for is done in order, and nobody waits for somebody else."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

FAREWELL = 10.0  # seconds for what is going on when it has to stop

log = structlog.get_logger()

Work = Callable[[], Awaitable[object]]


class Lanes:
    """A lane for each person, by whatever name."""

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    def later(self, lane: str, work: Work) -> None:
        """Do something after everything that this lane has to do before; once all is left, nothing."""
        if self._closed:
            return
        task = asyncio.create_task(_after(self._last.get(lane), work))
        self._last[lane] = task
        task.add_done_callback(lambda ended: self._over(lane, ended))

    async def leave(self) -> None:
        """Finish what is going on, if that does not take long."""
        self._closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await self._ended()
        for task in self._last.values():
            task.cancel()
        await self._ended()

    async def _ended(self) -> None:
        if self._last:
            await asyncio.wait(list(self._last.values()))

    def _over(self, lane: str, ended: asyncio.Task[None]) -> None:
        if self._last.get(lane) is ended:
            del self._last[lane]


async def _after(before: asyncio.Task[None] | None, work: Work) -> None:
    if before:
        await asyncio.wait([before])
    try:
        await work()
    except Exception:
        log.exception("telegram.broke")
