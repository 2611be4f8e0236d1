"""Scenes of a house on Discord, by whole processes: a bot as people start it, a dataset, a training."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import psutil

from tests.e2e.processes import LORAGUILD, environment, started
from tests.emulators.discord import Channel, Discord, File, Message, Person

MOST = 10  # files that a form of Discord takes
PICTURES: list[File] = [
    (one.name, one.read_bytes())
    for one in sorted(files("loraguild.demo").joinpath("pictures").iterdir(), key=lambda one: one.name)
    if one.name.endswith(".png")
][:MOST]
REMEDIES = ["Drop look-alikes", "Keep look-alikes", "Caption them", "Check again"]
STEPS = 1500  # more than anybody waits for: a card is looked at every 12 seconds
SLOW = 150.0  # seconds for a process to start, or a training to end, on a busy machine


@contextmanager
def a_bot(data: Path, discord: Discord, *, log: str = "bot.log") -> Iterator[psutil.Popen]:
    """`loraguild discord` as people start it, over this Discord."""
    settings = {"DISCORD_TOKEN": discord.token, "DISCORD_API_URL": discord.base}
    with started(*LORAGUILD, "discord", data=data, log=log, env={**environment(data), **settings}) as process:
        yield process


async def ready(discord: Discord, *, times: int = 1) -> None:
    """Wait until a bot has come in for so many times."""
    await discord.until(lambda: discord.gateway.identified >= times, seconds=SLOW)


async def heard(discord: Discord, channel: Channel, words: str) -> Message:
    """Wait for a message of the bot that says so."""
    look = lambda: next((one for one in discord.posted(channel) if words in one.text), None)  # noqa: E731 - one line
    return await discord.until(look, seconds=SLOW)


async def added(discord: Discord, ann: Person) -> None:
    """Open a dataset and add pictures by a form, since none went with the command; prove that each is answered."""
    assert "Dataset «zorp» is open" in (await ann.slash("dataset new", name="zorp", trigger="zorp")).last.text
    [(_, dataset)] = await ann.autocomplete("dataset add", "dataset", "zo")
    asked = await ann.slash("dataset add", dataset=dataset)
    received = await ann.submits(asked.modal, files=PICTURES)
    assert received.ephemeral
    assert f"{len(PICTURES)} files received for «zorp»" in received.last.text
    card = await heard(discord, ann.dm, f"{len(PICTURES)} pictures taken into «zorp»")
    assert (list(card.files), list(card.buttons)) == ([], ["Add more"])
    looked = await heard(discord, ann.dm, f"{len(PICTURES)} pictures, 256×256 px")
    assert [Path(name).suffix for name in looked.files] == [".png", ".png"]
    assert list(looked.buttons) == REMEDIES


async def ordered(ann: Person, *, steps: int = STEPS) -> int:
    """Order a training, to be told in the channel; return its price."""
    await ann.slash("notify", where="channel")
    [(_, dataset)] = await ann.autocomplete("train order", "dataset", "zo")
    offerings = dict(await ann.autocomplete("train order", "offering", "long", dataset=dataset))
    settings = f"steps={steps}"
    quote = (await ann.slash("train order", dataset=dataset, offering=offerings["Long"], settings=settings)).last
    assert list(quote.buttons) == ["Confirm", "Change", "Cancel"]
    price = int(quote.title.split()[0])
    await ann.presses(quote, "Confirm")
    assert (quote.seen_by, list(quote.buttons)) == (ann.id, [])
    return price


async def trains(discord: Discord, *, steps: int = STEPS) -> Message:
    """Wait until the card in the channel shows that the training runs."""
    return await heard(discord, discord.general, f"/{steps} ")
