"""From the first picture to the LoRA in Telegram, by whole processes; and what a killed bot costs: nothing."""

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
from tests.e2e.processes import LORAGUILD, ended, set_free, started
from tests.e2e.telegram_scene import PICTURES, SLOW, a_bot, added, asked_for_pictures, ordered, took_pictures, trains
from tests.e2e.training_scene import cut_short
from tests.emulators.telegram import Message, Person, Telegram, labels

DAILY = 100
RESULT = "Use it by its trigger word"

pytestmark = pytest.mark.timeout(500)


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    async with Telegram.running() as telegram:
        yield telegram


def edits(telegram: Telegram, message: Message) -> list[str]:
    """What a message has said so far, one after the other."""
    return [one.text for one in telegram.world.posts if (one.chat, one.id) == (message.chat, message.id)]


async def prove_the_lora_came_once(telegram: Telegram, ann: Person, *, card: Message) -> None:
    """Prove that one last message brought picture and weights, and that the card moves no more."""
    await telegram.heard(ann.id, containing=RESULT, patience=SLOW)
    await telegram.until(lambda: "document" in [one.kind for one in telegram.sent(ann.id)], patience=SLOW)
    await telegram.until(lambda: "The result is below." in edits(telegram, card)[-1], patience=SLOW)
    [result] = [one for one in telegram.sent(ann.id) if RESULT in one.text]
    assert result.kind == "photo"
    assert labels(result) == ["Publish", "Try it", "Receipt"]
    [weights] = [one for one in telegram.sent(ann.id) if one.kind == "document"]
    assert weights.body["document"]["file_name"] == "zorp.safetensors"
    content = telegram.content(weights)
    length = struct.unpack("<Q", content[:8])[0]
    assert json.loads(content[8 : 8 + length])["__metadata__"]["ss_output_name"] == "zorp"


async def stopped(house: House, ann: Person) -> Job:
    """Let the training that runs end early, and be paid for what was done."""
    actor = await house.services.accounts.welcome(Platform.TELEGRAM, str(ann.id), name="Ann")
    [job] = await house.store.jobs.running()
    return await cut_short(house, job, actor)


async def prove_the_wallet(telegram: Telegram, ann: Person, house: House, job: Job, *, price: int) -> None:
    await ann.says("/wallet")
    wallet = await telegram.heard(ann.id, containing=f"{DAILY - job.due} to spend")
    assert f"points: {DAILY - job.due} (refill daily to {DAILY})" in wallet.text
    assert (job.price, job.due < price) == (price, True)
    moved = [one.act async for one in house.store.ledger.everything()]
    assert sorted(moved) == sorted([Act.REFILL, Act.HOLD, Act.CAPTURE, Act.RELEASE])
    await prove_the_ledger(house.store)


async def test_an_album_becomes_a_lora(tmp_path: Path, house: House, telegram: Telegram) -> None:
    ann = telegram.person(7, "Ann")
    with started(*LORAGUILD, "worker", data=tmp_path), a_bot(tmp_path, telegram) as bot:
        await ann.starts()
        await telegram.heard(ann.id, containing="Welcome to LoraGuild, Ann", patience=SLOW)
        await added(telegram, ann)
        price = await ordered(telegram, ann)
        card = await trains(telegram, ann)
        job = await stopped(house, ann)
        await prove_the_lora_came_once(telegram, ann, card=card)
        await prove_the_wallet(telegram, ann, house, job, price=price)
        bot.terminate()
        assert await ended(bot) == 0


async def test_a_bot_that_is_killed_goes_on_where_it_was(tmp_path: Path, house: House, telegram: Telegram) -> None:
    ann = telegram.person(7, "Ann")
    with started(*LORAGUILD, "worker", data=tmp_path):
        with a_bot(tmp_path, telegram) as first:
            question = await asked_for_pictures(telegram, ann)
            await ann.sends(*PICTURES)
            click = await ann.clicks(question, "Done")
            await telegram.until(lambda: telegram.world.answers[click["callback_query"]["id"]])
            first.kill()
        await set_free(house)
        with a_bot(tmp_path, telegram, log="second.log") as second:
            await took_pictures(telegram, ann)
            price = await ordered(telegram, ann)
            card = await trains(telegram, ann)
            second.kill()
        await set_free(house)
        job = await stopped(house, ann)
        with a_bot(tmp_path, telegram, log="third.log"):
            await prove_the_lora_came_once(telegram, ann, card=card)
            await prove_the_wallet(telegram, ann, house, job, price=price)
    assert len([one for one in telegram.sent(ann.id) if "pictures taken into" in one.text]) == 1
    assert not [one for one in telegram.world.posts if one.text.startswith("Not done")]
