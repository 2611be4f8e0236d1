"""An emulated Telegram with somebody who has started the bot, and the real client of it."""

from collections.abc import AsyncIterator

import pytest
from telegram import Bot

from tests.emulators.telegram import Person, Telegram
from tests.emulators.telegram_client import an_application


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    async with Telegram.running() as telegram:
        yield telegram


@pytest.fixture
def ann(telegram: Telegram) -> Person:
    return telegram.person(7, "Ann", started=True)


@pytest.fixture
async def bot(telegram: Telegram) -> AsyncIterator[Bot]:
    async with an_application(telegram).bot as bot:
        yield bot
