"""Attempts at jobs that are alike: they meet in one call of the torch child and end apart."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from worker.child import Child
from worker.pipelines.tasks import Drawing, Drawn, Generated, GenerationTask, Look
from worker.waiting import stopped

Pictures = tuple[Path, ...]


def _future() -> asyncio.Future[Pictures]:
    return asyncio.get_running_loop().create_future()


@dataclass(kw_only=True, eq=False)
class Wish:
    """What one attempt wants drawn, and whom to tell how many pictures there are; `made` is what it waits for."""

    look: Look
    drawing: Drawing
    on_picture: Callable[[int], Awaitable[None]]
    made: asyncio.Future[Pictures] = field(default_factory=_future)

    async def drew(self, pictures: Pictures) -> None:
        """Take the pictures so far; with the last one the waiting ends, whatever else is still to be drawn."""
        if self.made.done():
            return
        try:
            await self.on_picture(len(pictures))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is for this attempt alone
            self.failed(error)
        if len(pictures) == self.drawing.count:
            self.got(pictures)

    def got(self, pictures: Pictures) -> None:
        """End the waiting well, if it has not ended."""
        if not self.made.done():
            self.made.set_result(pictures)

    def failed(self, error: Exception) -> None:
        """End the waiting badly, if it has not ended."""
        if not self.made.done():
            self.made.set_exception(error)


class Batch:
    """So many attempts, of which each has a seat until it has ended.

    The child is called once all who are seated have said what they wish. Who leaves is left out, and what fails in
    company is tried alone, so that nobody suffers from the others.
    """

    def __init__(self, studio: Child, *, size: int, folder: Path) -> None:
        """Expect `size` attempts; what they share lies in `folder`, and is fetched in turn."""
        self.folder = folder
        self.turn = asyncio.Lock()
        self._studio = studio
        self._seated = size
        self._waiting: list[Wish] = []
        self._called: list[Wish] = []
        self._call: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._call is not None:
            await asyncio.wait([self._call])

    @contextmanager
    def seat(self) -> Iterator[None]:
        """One attempt, from beginning to end: the others wait for it no longer."""
        try:
            yield
        finally:
            self._seated -= 1
            self._begin()

    async def draw(self, wish: Wish) -> Pictures:
        """Wait for the others, and then for the pictures; the child is stopped when nobody waits any more.

        Raises:
            TaskFailed, ChildFailed, ChildDied: As the child's call for this wish alone.
            LeaseLost: So said whoever was told of a picture.
        """
        self._waiting.append(wish)
        self._begin()
        try:
            return await wish.made
        except BaseException:
            if wish in self._waiting:
                self._waiting.remove(wish)
            elif self._call is not None and all(one.made.done() for one in self._called):
                await stopped(self._call)
            raise

    def _begin(self) -> None:
        if self._waiting and len(self._waiting) == self._seated:
            self._called, self._waiting = self._waiting, []
            self._call = asyncio.create_task(self._drawn(self._called))

    async def _drawn(self, wishes: Sequence[Wish]) -> None:
        alike: dict[Look, list[Wish]] = {}
        for wish in wishes:
            alike.setdefault(wish.look, []).append(wish)
        for look, company in alike.items():
            await self._together(look, company)

    async def _together(self, look: Look, wishes: Sequence[Wish]) -> None:
        async def on_event(event: Drawn) -> None:
            await wishes[event.drawing].drew(event.pictures)

        task = GenerationTask(look=look, drawings=tuple(wish.drawing for wish in wishes))
        try:
            generated: Generated = await self._studio.call("generate", task, on_event=on_event)
        except Exception as error:  # noqa: BLE001 - it is told whom it concerns
            if len(wishes) == 1:
                wishes[0].failed(error)
                return
            for wish in wishes:
                if not wish.made.done():
                    await self._together(look, [wish])
        else:
            for wish, pictures in zip(wishes, generated.pictures, strict=True):
                wish.got(pictures)
