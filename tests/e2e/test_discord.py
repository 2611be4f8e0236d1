"""From the first picture to the LoRA in a Discord server, by whole processes; and what a killed bot costs: nothing."""

import json
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import psutil
import pytest

from core.domain.ledger import Act
from tests.builders.scenes import prove_the_ledger
from tests.e2e.processes import LORAGUILD, a_house, ended, environment, started
from tests.emulators.discord import Channel, Discord, File, Message, Person

MOST = 10  # files that a form of Discord takes
PICTURES: list[File] = [
    (one.name, one.read_bytes())
    for one in sorted(files("loraguild.demo").joinpath("pictures").iterdir(), key=lambda one: one.name)
    if one.name.endswith(".png")
][:MOST]
STEPS = 400
SLOW = 40.0  # seconds for a process to start, or a training to end, on a busy machine
RESULT = "Use it by its trigger word"

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.running() as discord:
        yield discord


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
    assert [Path(name).suffix for name in card.files] == [".png"]
    assert next(iter(card.buttons)) == "Add more"


async def ordered(ann: Person) -> int:
    """Order a training, to be told in the channel; return its price."""
    await ann.slash("notify", where="channel")
    [(_, dataset)] = await ann.autocomplete("train order", "dataset", "zo")
    offerings = dict(await ann.autocomplete("train order", "offering", "long", dataset=dataset))
    settings = f"steps={STEPS}"
    quote = (await ann.slash("train order", dataset=dataset, offering=offerings["Long"], settings=settings)).last
    assert list(quote.buttons) == ["Confirm", "Change", "Cancel"]
    pressed = await ann.presses(quote, "Confirm")
    assert pressed.ephemeral
    assert not pressed.last.buttons
    return int(quote.title.split()[0])


async def trains(discord: Discord) -> Message:
    """Wait until the card in the channel shows that the training runs."""
    return await heard(discord, discord.general, f"/{STEPS} ")


async def prove_the_lora_came_once(discord: Discord, ann: Person) -> None:
    result = await heard(discord, discord.general, RESULT)
    assert result.pings == (ann.id,)
    assert list(result.buttons) == ["Publish", "Try it", "Receipt"]
    weights, picture = sorted(result.files, key=lambda name: not name.endswith(".safetensors"))
    length = struct.unpack("<Q", result.files[weights][:8])[0]
    assert json.loads(result.files[weights][8 : 8 + length])["__metadata__"]["ss_output_name"] == "zorp"
    assert result.embeds[0]["image"]["url"].split("?")[0].endswith(picture)


async def prove_the_wallet(data: Path, *, price: int) -> None:
    async with a_house(data) as house:
        moved = [(one.act, one.amount) async for one in house.store.ledger.everything() if one.act is Act.CAPTURE]
        assert moved == [(Act.CAPTURE, price)]
        await prove_the_ledger(house.store)


async def test_a_form_full_of_pictures_becomes_a_lora(tmp_path: Path, discord: Discord) -> None:
    ann, bob = discord.person(7, "Ann"), discord.person(8, "Bob")
    with started(*LORAGUILD, "worker", data=tmp_path), a_bot(tmp_path, discord) as bot:
        await ready(discord)
        await added(discord, ann)
        price = await ordered(ann)
        card = await trains(discord)
        await prove_the_lora_came_once(discord, ann)
        await discord.until(lambda: "The result is below." in card.text)
        assert len(card.history) > 1
        await prove_the_wallet(tmp_path, price=price)
        drawn = await ann.slash("imagine", prompt="zorp on a white background")
        assert not drawn.ephemeral
        picture = await heard(discord, discord.general, "on a white background · done")
        assert picture.pings == (ann.id,)
        assert len(picture.files) == 1
        assert "zorp" not in "".join(name for name, _ in await bob.autocomplete("dataset add", "dataset", "zo"))
        bot.terminate()
        assert await ended(bot, seconds=30) == 0


async def test_a_bot_that_is_killed_goes_on(tmp_path: Path, discord: Discord) -> None:
    ann = discord.person(7, "Ann")
    with started(*LORAGUILD, "worker", data=tmp_path):
        with a_bot(tmp_path, discord) as first:
            await ready(discord)
            await added(discord, ann)
            price = await ordered(ann)
            card = await trains(discord)
            first.kill()
        with a_bot(tmp_path, discord, log="second.log"):
            await ready(discord, times=2)
            await prove_the_lora_came_once(discord, ann)
            await discord.until(lambda: "The result is below." in card.text)
            await prove_the_wallet(tmp_path, price=price)
            await ann.slash("train list")
    assert [one.text.count(RESULT) for one in discord.posted(discord.general)] == [0, 1]
