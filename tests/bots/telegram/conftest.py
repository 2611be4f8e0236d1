"""The bot of the house in an emulated Telegram."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from bots.telegram.filing import THEIRS
from bots.telegram.leading import Pace
from bots.telegram.serving import serve
from loraguild.composition import House
from tests.emulators.telegram import Telegram

PACE = Pace(poll=1, renew=0.5, tidy=0.3, count=0.1, deliver=0.2)
Serving = Callable[..., AbstractAsyncContextManager[None]]


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    """A Telegram of its own, so that nobody hears of another test."""
    async with Telegram.running() as telegram:
        yield telegram


@pytest.fixture
def serving(house: House, telegram: Telegram) -> Serving:
    """Serves a replica of the bot for as long."""

    @asynccontextmanager
    async def serving(**named: Any) -> AsyncIterator[None]:
        stop = asyncio.Event()
        settings: dict[str, Any] = {
            "services": house.services,
            "blobs": house.blobs,
            "token": telegram.token,
            "api_url": telegram.base,
            "webhook_url": None,
            "webhook_port": 0,
            "secret": "a secret",
            "limits": THEIRS,
            "pace": PACE,
        }
        task = asyncio.create_task(serve(stop=stop, **(settings | named)))
        try:
            yield
        finally:
            stop.set()
            await task

    return serving


@pytest.fixture
async def bot(serving: Serving) -> AsyncIterator[None]:
    """One replica."""
    async with serving():
        yield
