"""From the first picture to the LoRA in a Discord server, by whole processes; and what a killed bot costs: nothing."""

import json
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.domain.account import Platform
from core.domain.job import Job
from core.domain.ledger import Act
from loraguild.composition import House
from tests.builders.scenes import prove_the_ledger
from tests.e2e.discord_scene import SLOW, a_bot, added, heard, ordered, ready, trains
from tests.e2e.processes import LORAGUILD, ended, set_free, started
from tests.e2e.training_scene import cut_short
from tests.emulators.discord import Discord, Person

RESULT = "Use it by its trigger word"

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with Discord.running() as discord:
        yield discord


async def prove_the_lora_came_once(discord: Discord, ann: Person) -> None:
    result = await heard(discord, discord.general, RESULT)
    assert result.pings == (ann.id,)
    assert list(result.buttons) == ["Publish", "Try it", "Receipt"]
    weights, picture = sorted(result.files, key=lambda name: not name.endswith(".safetensors"))
    length = struct.unpack("<Q", result.files[weights][:8])[0]
    assert json.loads(result.files[weights][8 : 8 + length])["__metadata__"]["ss_output_name"] == "zorp"
    assert result.embeds[0]["image"]["url"].split("?")[0].endswith(picture)


async def prove_it_was_paid_once(house: House, job: Job, *, price: int) -> None:
    assert [one.amount async for one in house.store.ledger.everything() if one.act is Act.CAPTURE] == [job.due]
    assert (job.price, job.due < price) == (price, True)
    await prove_the_ledger(house.store)


async def stopped(house: House, ann: Person) -> Job:
    """Let the training that runs end early, and be paid for what was done."""
    actor = await house.services.accounts.welcome(Platform.DISCORD, str(ann.id), name="Ann")
    [job] = await house.store.jobs.running()
    return await cut_short(house, job, actor)


async def test_a_form_full_of_pictures_becomes_a_lora(tmp_path: Path, house: House, discord: Discord) -> None:
    ann, bob = discord.person(7, "Ann"), discord.person(8, "Bob")
    with started(*LORAGUILD, "worker", data=tmp_path), a_bot(tmp_path, discord) as bot:
        await ready(discord)
        await added(discord, ann)
        price = await ordered(ann)
        card = await trains(discord)
        job = await stopped(house, ann)
        await prove_the_lora_came_once(discord, ann)
        await discord.until(lambda: "The result is below." in card.text, seconds=SLOW)
        assert len(card.history) > 1
        await prove_it_was_paid_once(house, job, price=price)
        drawn = await ann.slash("imagine", prompt="zorp on a white background")
        assert not drawn.ephemeral
        picture = await heard(discord, discord.general, "on a white background · done")
        assert picture.pings == (ann.id,)
        assert len(picture.files) == 1
        assert "zorp" not in "".join(name for name, _ in await bob.autocomplete("dataset add", "dataset", "zo"))
        bot.terminate()
        assert await ended(bot, seconds=30) == 0


async def test_a_bot_that_is_killed_goes_on(tmp_path: Path, house: House, discord: Discord) -> None:
    ann = discord.person(7, "Ann")
    with started(*LORAGUILD, "worker", data=tmp_path):
        with a_bot(tmp_path, discord) as first:
            await ready(discord)
            await added(discord, ann)
            price = await ordered(ann)
            card = await trains(discord)
            await ann.slash("train list")
            first.kill()
        await set_free(house)
        said = len(card.history)
        with a_bot(tmp_path, discord, log="second.log"):
            await ready(discord, times=2)
            await discord.until(lambda: len(card.history) > said, seconds=SLOW)
            job = await stopped(house, ann)
            await prove_the_lora_came_once(discord, ann)
            await discord.until(lambda: "The result is below." in card.text, seconds=SLOW)
            await prove_it_was_paid_once(house, job, price=price)
    assert [RESULT in one.text for one in discord.posted(discord.general)] == [False, True]
