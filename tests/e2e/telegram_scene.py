"""Scenes of a house on Telegram, by whole processes: a bot as people start it, a dataset, a training."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import psutil

from tests.e2e.processes import LORAGUILD, environment, started
from tests.emulators.telegram import File, Message, Person, Telegram, labels

PICTURES = [
    File(name=one.name, content=one.read_bytes(), kind="photo")
    for one in sorted(files("loraguild.demo").joinpath("pictures").iterdir(), key=lambda one: one.name)
    if one.name.endswith(".png")
]
REMEDIES = ["Drop look-alikes", "Keep look-alikes", "Caption them", "Check again"]
STEPS = 1500  # more than anybody waits for: a card is looked at every 12 seconds
SLOW = 120.0  # seconds for a training, or for a database that waits a minute for somebody who was killed


@contextmanager
def a_bot(data: Path, telegram: Telegram, *, log: str = "bot.log", **further: str) -> Iterator[psutil.Popen]:
    """`loraguild telegram` as people start it, over this Telegram, with further settings."""
    settings = {"TELEGRAM_TOKEN": telegram.token, "TELEGRAM_API_URL": telegram.base, **further}
    with started(*LORAGUILD, "telegram", data=data, log=log, env={**environment(data), **settings}) as process:
        yield process


async def asked_for_pictures(telegram: Telegram, ann: Person) -> Message:
    """Open a dataset; return the question with the Done button."""
    await ann.says("/dataset_new zorp trigger=zorp")
    await ann.clicks(await telegram.heard(ann.id, containing="Who it is for", patience=SLOW), "sfw")
    there = await telegram.heard(ann.id, containing="Dataset «zorp» is open")
    await ann.clicks(there, "Add files")
    return await telegram.heard(ann.id, containing="then press Done")


async def added(telegram: Telegram, ann: Person) -> None:
    """Open a dataset and send pictures into it; prove that they are taken."""
    question = await asked_for_pictures(telegram, ann)
    await ann.sends(*PICTURES)
    await ann.clicks(question, "Done")
    await took_pictures(telegram, ann)


async def took_pictures(telegram: Telegram, ann: Person) -> None:
    """Prove that the card tells what became of the pictures, and the next what the doctor says, below two sheets."""
    card = await telegram.heard(ann.id, containing=f"{len(PICTURES)} pictures taken into «zorp»", patience=SLOW)
    assert (card.kind, labels(card)) == ("text", ["Add more"])
    looked = await telegram.heard(ann.id, containing=f"{len(PICTURES)} pictures, 256×256 px", patience=SLOW)
    assert (looked.kind, labels(looked)) == ("text", REMEDIES)
    assert [one.kind for one in telegram.sent(ann.id)].count("photo") == len(["contact sheet", "look-alikes"])


async def ordered(telegram: Telegram, ann: Person, *, steps: int = STEPS) -> int:
    """Order a training by keyboard; return its price."""
    await ann.says(f"/train_order settings=steps={steps}")
    await ann.clicks(await telegram.heard(ann.id, containing="What to train on"), "zorp")
    await ann.clicks(await telegram.heard(ann.id, containing="What to buy"), "▶")
    await ann.clicks(await telegram.heard(ann.id, containing="What to buy"), "Long")
    quote = await telegram.heard(ann.id, containing="points: Long")
    await ann.clicks(quote, "Confirm")
    return int(quote.text.split()[0])


async def trains(telegram: Telegram, ann: Person, *, steps: int = STEPS) -> Message:
    """Wait until the card shows that the training runs."""

    def moving() -> Message | None:
        return next((one for one in telegram.sent(ann.id) if re.search(rf"▰.* \d+/{steps} ", one.text)), None)

    return await telegram.until(moving, patience=SLOW)
