"""How a worker waits: for a house that is away, and for tasks that have to end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog

from core.domain.errors import Unavailable

T = TypeVar("T")

SECONDS_BETWEEN_TRIES = 1.0

log = structlog.get_logger()


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Call until the house answers: for what would be lost otherwise, and may be said twice."""
    while True:
        try:
            return await call()
        except Unavailable as error:
            log.warning("house.away", why=str(error))
            await asyncio.sleep(SECONDS_BETWEEN_TRIES)


async def stopped(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until they have ended: `asyncio.wait_for`, which the driver uses, swallows one now and then.

    That is mended in Python 3.12.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=SECONDS_BETWEEN_TRIES)
