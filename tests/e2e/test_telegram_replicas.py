"""Two bots behind webhooks, as whole processes: when the one that leads is killed, the other goes on in its place."""

import asyncio
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from bots.telegram.meeting import PLATFORM
from loraguild.composition import House
from tests.e2e.processes import a_house, set_free
from tests.e2e.telegram_scene import SLOW, a_bot
from tests.emulators.telegram import Telegram

FAILOVER = 60.0  # seconds until the other bot has answered: the lead lasts less than 15, the rest is for a busy machine

pytestmark = pytest.mark.timeout(300)


def a_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def called_at(port: int) -> dict[str, str]:
    """Settings of a bot that Telegram calls."""
    return {"TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{port}", "TELEGRAM_WEBHOOK_PORT": str(port)}


async def dealt_with(house: House) -> None:
    """Wait until everything that came in is dealt with: what is not would be done again."""
    async with asyncio.timeout(SLOW):
        while await house.services.inboxes.waiting(PLATFORM):  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.1)


async def listens(port: int) -> None:
    """Wait until somebody listens at a port."""
    async with asyncio.timeout(SLOW):
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.1)


async def test_another_bot_goes_on_where_one_was_killed(tmp_path: Path) -> None:
    mine, theirs = a_port(), a_port()
    async with (
        a_house(tmp_path) as house,
        Telegram.running() as telegram,
    ):  # who opens the house first closes the database
        ann = telegram.person(7, "Ann")
        with a_bot(tmp_path, telegram, **called_at(mine)) as leader:
            await telegram.until(lambda: telegram.updates.webhook, patience=SLOW)
            with a_bot(tmp_path, telegram, log="second.log", **called_at(theirs)):
                await listens(theirs)
                await ann.says("/dataset_new")
                await telegram.heard(ann.id, containing="What to call it")
                await dealt_with(house)
                leader.kill()
                await set_free(house)
                await ann.says("zorp")
                await telegram.heard(ann.id, containing="The word that will call the model", patience=FAILOVER)

    assert str(theirs) in (telegram.updates.webhook or {})["url"]
    assert len(telegram.sent(ann.id)) == 2
