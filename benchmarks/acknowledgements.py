"""How soon the Discord bot reacts to 50 people at once: while it is all there is to do, and while a training runs.

The bot, the worker and the embedded database are processes as people start them; Discord is the emulator of the tests,
so the figures hold everything but the way over the internet. Everybody sends a command, presses a button of its answer,
sends another command and begins again, with a breath between. Run `python benchmarks/acknowledgements.py [SECONDS]`.
"""

import asyncio
import itertools
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.discord_scene import a_bot, added, ordered, ready, trains
from tests.e2e.processes import LORAGUILD, a_house, started
from tests.emulators.discord import Discord, Interaction, Person

PEOPLE, SECONDS = 50, 15.0
BREATH = (0.5, 1.5)  # seconds that a person looks at an answer before they go on
STEPS = 1500  # of the training: more than it gets done meanwhile
GOAL = 300.0  # milliseconds for 99 of 100 first answers
FIRST = 100  # numbers of people begin here


async def uses(person: Person, until: float) -> list[float]:
    """Use the bot until then; return the seconds that each first answer took."""
    waited: list[float] = []
    for turn in itertools.count():
        await asyncio.sleep(secrets.SystemRandom().uniform(*BREATH))
        if time.perf_counter() > until:
            break
        answers = await _turn(person, turn)
        waited += [one.seconds for one in answers]
    return waited


async def _turn(person: Person, turn: int) -> Sequence[Interaction]:
    if turn % 2:
        return [await person.slash("wallet")]
    told = await person.slash("me")
    return [told, await person.presses(told.last, "How I am told")]


async def measured(people: Sequence[Person], seconds: float) -> list[float]:
    """The milliseconds of every first answer while all of them use the bot."""
    until = time.perf_counter() + seconds
    found = await asyncio.gather(*(uses(person, until) for person in people))
    return sorted(1000 * one for waited in found for one in waited)


def percentiles(found: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    hundredths = statistics.quantiles(found, n=100, method="inclusive")
    return hundredths[49], hundredths[98]


async def main(arguments: Sequence[str]) -> None:
    """Measure the bot when it is alone, then beside a training, and print both."""
    seconds = float(arguments[0]) if arguments else SECONDS
    figures: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        async with a_house(data), Discord.running() as discord:  # who opens the house first closes the database
            people = [discord.person(FIRST + number) for number in range(PEOPLE)]
            with a_bot(data, discord):
                await ready(discord)
                await asyncio.gather(*(person.slash("start") for person in people))
                figures["idle"] = told("idle", await measured(people, seconds))
                with started(*LORAGUILD, "worker", data=data):
                    await added(discord, people[0])
                    await ordered(people[0], steps=STEPS)
                    await trains(discord, steps=STEPS)
                    figures["training"] = told("training", await measured(people, seconds))
    (idle_middle, idle_slow), (middle, slow) = figures["idle"], figures["training"]
    print(f"ratio training to idle: p50 {middle / idle_middle:.2f}, p99 {slow / idle_slow:.2f}")
    print(f"p99 while training {slow:.0f} ms, goal {GOAL:.0f} ms: {'reached' if slow < GOAL else 'missed'}")


def told(name: str, found: Sequence[float]) -> tuple[float, float]:
    """Print the figures of one run and return them."""
    middle, slow = percentiles(found)
    print(f"{name}: {PEOPLE} people, {len(found)} first answers, p50 {middle:.1f} ms, p99 {slow:.1f} ms", flush=True)
    return middle, slow


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
