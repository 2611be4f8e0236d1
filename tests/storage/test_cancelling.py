import asyncio
import gc

import pytest

from core.domain.account import Platform
from core.services import Services
from loraguild.composition import House

ROUNDS = 60


async def for_ever(services: Services) -> None:
    while True:
        await services.accounts.welcome(Platform.CONSOLE, "ann", name="ann")


# The driver leaves a socket that it was still connecting to the collector, which comes here and not in another test.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
async def test_no_cancellation_gets_lost_in_the_driver(house: House) -> None:
    lost = 0
    for number in range(ROUNDS):
        task = asyncio.create_task(for_ever(house.services))
        await asyncio.sleep(0.01 + number % 7 * 0.0007)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=30)
        if not done:
            lost += 1
            while not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=0.01)
    gc.collect()
    assert lost == 0
