"""How soon a bot reacts to 50 people at once: while it is all there is to do, and while a training runs.

The bot, the worker and the embedded database are processes as people start them; the platform is the emulator of the
tests, so the figures hold everything but the way over the internet. Everybody uses commands and buttons, looks at the
answer for a moment and goes on; what counts is the time until a click or a command is acknowledged. Run
`python benchmarks/acknowledgements.py [discord|telegram] [SECONDS]`.
"""

import asyncio
import itertools
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.e2e import discord_scene, telegram_scene
from tests.e2e.processes import LORAGUILD, a_house, started
from tests.emulators import discord as discords
from tests.emulators import telegram as telegrams

PEOPLE, SECONDS = 50, 15.0
BREATH = (0.5, 1.5)  # seconds that a person looks at an answer before they go on
STEPS = 1500  # of the training: more than it gets done meanwhile
GOAL = 300.0  # milliseconds for 99 of 100 acknowledgements
FIRST = 100  # numbers of people begin here

Turn = Callable[[int], Awaitable[Sequence[float]]]


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """People on a platform: what each does in a turn, with the seconds until it was acknowledged; how one trains."""

    turns: Sequence[Turn]
    train: Callable[[], Awaitable[None]]


@asynccontextmanager
async def on_discord(data: Path) -> AsyncIterator[Crowd]:
    """People who send a command, press a button of its answer, send another command and begin again."""
    async with discords.Discord.running() as discord:
        people = [discord.person(FIRST + number) for number in range(PEOPLE)]

        async def turn(person: discords.Person, number: int) -> Sequence[float]:
            if number % 2:
                return [(await person.slash("wallet")).seconds]
            told = await person.slash("me")
            return [told.seconds, (await person.presses(told.last, "How I am told")).seconds]

        async def train() -> None:
            await discord_scene.added(discord, people[0])
            await discord_scene.ordered(people[0], steps=STEPS)
            await discord_scene.trains(discord, steps=STEPS)

        with discord_scene.a_bot(data, discord):
            await discord_scene.ready(discord)
            await asyncio.gather(*(person.slash("start") for person in people))
            yield Crowd(turns=[partial(turn, person) for person in people], train=train)


@asynccontextmanager
async def on_telegram(data: Path) -> AsyncIterator[Crowd]:
    """People who press a button, again and again, that puts another answer into the place of the one that it is under.

    A click waits from the moment it happens: for being fetched, too.
    """
    async with telegrams.Telegram.running() as telegram:
        people = [telegram.person(FIRST + number, f"Ann {number}") for number in range(PEOPLE)]
        seen: dict[int, telegrams.Message] = {}

        async def begin(person: telegrams.Person) -> None:
            await person.says("/notify where=dm telling=live")
            seen[person.id] = await telegram.heard(person.id, containing="How you are told", patience=60)

        async def turn(person: telegrams.Person, _: int) -> Sequence[float]:
            before = seen[person.id]
            begun = time.perf_counter()
            click = await person.clicks(before, telegrams.labels(before)[0])
            await telegram.until(lambda: telegram.world.answers[click["callback_query"]["id"]])
            took = time.perf_counter() - begun
            await telegram.until(lambda: telegram.world.messages[before.chat, before.id] is not before)
            seen[person.id] = telegram.world.messages[before.chat, before.id]
            return [took]

        async def train() -> None:
            trainer = telegram.person(FIRST + PEOPLE, "Bob")
            await telegram_scene.added(telegram, trainer)
            await telegram_scene.ordered(telegram, trainer, steps=STEPS)
            await telegram_scene.trains(telegram, trainer, steps=STEPS)

        with telegram_scene.a_bot(data, telegram):
            await asyncio.gather(*(begin(person) for person in people))
            yield Crowd(turns=[partial(turn, person) for person in people], train=train)


PLATFORMS: dict[str, Callable[[Path], AbstractAsyncContextManager[Crowd]]] = {
    "discord": on_discord,
    "telegram": on_telegram,
}


async def uses(turn: Turn, until: float) -> list[float]:
    """Use the bot until then; return the seconds that each acknowledgement took."""
    waited: list[float] = []
    for number in itertools.count():
        await asyncio.sleep(secrets.SystemRandom().uniform(*BREATH))
        if time.perf_counter() > until:
            break
        waited += await turn(number)
    return waited


async def measured(crowd: Crowd, seconds: float) -> list[float]:
    """The milliseconds of every acknowledgement while all of them use the bot."""
    until = time.perf_counter() + seconds
    found = await asyncio.gather(*(uses(turn, until) for turn in crowd.turns))
    return sorted(1000 * one for waited in found for one in waited)


def percentiles(found: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    hundredths = statistics.quantiles(found, n=100, method="inclusive")
    return hundredths[49], hundredths[98]


async def main(arguments: Sequence[str]) -> None:
    """Measure a bot when it is alone, then beside a training, and print both; every bot, where none is named."""
    chosen = [name for name in PLATFORMS if name in arguments] or list(PLATFORMS)
    seconds = next((float(one) for one in arguments if one not in PLATFORMS), SECONDS)
    for name in chosen:
        await bot_measured(name, seconds)


async def bot_measured(name: str, seconds: float) -> None:
    """Measure one bot and print its figures."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        async with a_house(data), PLATFORMS[name](data) as crowd:  # who opens the house first closes the database
            idle_middle, idle_slow = told(f"{name} idle", await measured(crowd, seconds))
            with started(*LORAGUILD, "worker", data=data):
                await crowd.train()
                middle, slow = told(f"{name} training", await measured(crowd, seconds))
    print(f"ratio training to idle: p50 {middle / idle_middle:.2f}, p99 {slow / idle_slow:.2f}")
    print(f"p99 while training {slow:.0f} ms, goal {GOAL:.0f} ms: {'reached' if slow < GOAL else 'missed'}")


def told(name: str, found: Sequence[float]) -> tuple[float, float]:
    """Print the figures of one run and return them."""
    middle, slow = percentiles(found)
    print(f"{name}: {PEOPLE} people, {len(found)} acknowledged, p50 {middle:.1f} ms, p99 {slow:.1f} ms", flush=True)
    return middle, slow


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
