"""Rounds: whatever is due goes out, again and again, and what is slow holds up nothing but its own lane."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")

LONGEST = 30.0  # seconds between two rounds while nobody knows what is due


@dataclass(frozen=True, kw_only=True)
class Rounds(Generic[T]):
    """Brings what is due. A lane is served by one task at a time, in order, so that a slow one holds up no other.

    `due` tells what is due by lane, apart from some lanes, or None while that cannot be known; `bring` brings one
    thing, and lets nothing out that goes wrong. At `most` so many lanes are served at a time, and what is being brought
    when it has to stop has `farewell` seconds.
    """

    due: Callable[[Collection[str]], Awaitable[Mapping[str, Sequence[T]] | None]]
    bring: Callable[[T], Awaitable[None]]
    most: int
    farewell: float
    _busy: dict[str, asyncio.Task[None]] = field(default_factory=dict, init=False)

    async def go(self, *, stop: asyncio.Event, poll: float) -> None:
        """Go round until `stop` is set, every so many seconds."""
        pause = poll
        try:
            while not stop.is_set():
                pause = poll if await self.begin() else min(2 * pause, LONGEST)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause)
        finally:
            await self.leave()

    async def once(self) -> None:
        """One round: bring everything that is due now."""
        await self.begin()
        await self._served()

    async def begin(self) -> bool:
        """Begin with what is due in lanes where nothing is being brought; False when it cannot be known."""
        free = self.most - len(self._busy)
        due = await self.due(tuple(self._busy)) if free else {}
        for lane, things in islice((due or {}).items(), free):
            self._busy[lane] = asyncio.create_task(self._serve(lane, things))
        return due is not None

    async def leave(self) -> None:
        """Finish what is being brought, if that does not take long: what has gone out is to be written down."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.farewell):
                await self._served()
        for task in self._busy.values():
            task.cancel()
        await self._served()

    async def _served(self) -> None:
        if self._busy:
            await asyncio.wait(list(self._busy.values()))

    async def _serve(self, lane: str, things: Sequence[T]) -> None:
        try:
            for thing in things:
                await self.bring(thing)
        finally:
            del self._busy[lane]
