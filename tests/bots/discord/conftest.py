"""The bot, as it runs, on an emulated Discord."""

from collections.abc import AsyncIterator, Iterator

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from core.ports.clock import HandClock
from loraguild.composition import House
from tests.bots.discord.scene import serving
from tests.emulators.discord import Discord


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[EventDict]]:
    """What is logged meanwhile."""
    with capture_logs() as events:
        yield events


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delivery begins soon, and looks often."""
    monkeypatch.setattr("bots.discord.client.DELIVER", 0.2)
    monkeypatch.setattr("bots.discord.host.GUILDS", 0.02)


@pytest.fixture
async def discord(clock: HandClock) -> AsyncIterator[Discord]:
    """Discord, with nobody in it yet, on the clock of the house."""
    async with Discord.running(clock=clock) as emulator:
        yield emulator


@pytest.fixture
async def bot(house: House, discord: Discord) -> AsyncIterator[None]:
    """One replica of the bot."""
    async with serving(house, discord):
        yield
