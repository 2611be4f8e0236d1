"""Two characters, one for everyone and one for adults, from their traits to what a training would see of them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from bots.chat.dispatcher import Dispatcher
from bots.chat.parameter import Call, Raw
from bots.chat.reply import Reply
from bots.commands import discovered
from core.domain.account import Actor, Place, Platform
from core.domain.dataset import Dataset, Review, Status
from core.domain.job import JobState
from loraguild.composition import House
from tests.builders.attempts import awaited
from tests.builders.chats import button
from tests.builders.scenes import Upload, given
from tests.e2e.processes import WORKER, a_house, started
from tests.worker.pictures import COLOURS, a_zorp, encoded

PICTURES = 10
PRIVATE = Place(platform=Platform.TELEGRAM, chat="7", adult=True)
TRAITS = {"mia": {"hair-colour": "red", "eye-colour": "green"}, "leo": {"hair-colour": "black", "mood": "grim"}}

pytestmark = pytest.mark.timeout(240)


class Chat:
    """What one person says in a private chat, and presses there."""

    def __init__(self, house: House, actor: Actor) -> None:
        self._house, self._actor = house, actor
        self._dispatcher = Dispatcher(commands=discovered())

    async def say(self, path: str, **raw: Raw) -> Reply:
        return self._well(await self._dispatcher.run(self._dispatcher.definition(path), await self._call(), raw))

    async def press(self, reply: Reply, label: str) -> Reply:
        pressed, _ = await self._dispatcher.press(button(reply, label).token, await self._call())
        return self._well(pressed)

    async def _call(self) -> Call:
        services = self._house.services
        account = await self._house.store.accounts.get(self._actor.account)
        actor = self._actor.but(adult=account.adult is not None)
        return Call(actor=actor, place=PRIVATE, services=services, key=services.conversations.token())

    @staticmethod
    def _well(reply: Reply) -> Reply:
        assert reply.code is None, reply
        return reply


async def met(house: House, name: str) -> tuple[Actor, Chat]:
    actor = await house.services.accounts.welcome(Platform.CONSOLE, name, name=name)
    return actor, Chat(house, actor)


async def ended(house: House, job: str | None, worker: psutil.Popen) -> None:
    """Wait until a job and all that follows it about the same thing is done well."""

    async def over() -> bool:
        assert worker.is_running()
        found = await house.store.jobs.get(job or "")
        return found.state.ended and not await house.store.jobs.about(found.subject)

    await awaited(over, seconds=100)
    assert (await house.store.jobs.get(job or "")).state is JobState.SUCCEEDED


async def captions(house: House, dataset: str) -> Sequence[str]:
    found = await house.store.datasets.get(dataset)
    texts = [found.caption_of(item) for item in await house.store.items.of(dataset)]
    return [text.text if text else "" for text in texts]


async def bundled(house: House, chat: Chat, name: str, *, rating: str, worker: psutil.Popen) -> Dataset:
    """Make a character with its traits, and a dataset of ten captioned pictures of it, one caption edited by hand."""
    trigger = f"{name}x1"
    await chat.say("character new", name=name, trigger=trigger)
    for category, value in TRAITS[name].items():
        await chat.say("character trait", character=name, category=category, value=value)
    if rating == "nsfw":
        await chat.press(await chat.say("character adult", character=name), "I attest to it")
    made = await chat.say("dataset new", name=f"{name} pictures", trigger=trigger, rating=rating)
    grounds = [ground for ground in COLOURS if ground not in {"purple", "yellow"}]
    files = tuple(
        Upload(name=f"{number}.png", content=encoded(a_zorp(grounds[number % 9], radius=0.2 + number / 50)))
        for number in range(PICTURES)
    )
    added = await chat.say("dataset add", dataset=dict(made.fields)["id"], files=files)
    await ended(house, added.job, worker)
    described = await chat.say("caption auto", dataset=dict(made.fields)["id"])
    await ended(house, described.job, worker)
    await chat.say("caption edit", dataset=f"{name} pictures", picture="3", text=f"{trigger}, drawn by hand")
    return await house.store.datasets.get(dict(made.fields)["id"])


async def test_two_characters_come_all_the_way_to_their_trainings(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        (ann, at_anns), (_, at_roots) = await met(house, "ann"), await met(house, "root")
        await given(house, ann, 1000)
        with started(*WORKER, data=tmp_path) as worker:
            mia = await bundled(house, at_anns, "mia", rating="sfw", worker=worker)
            with pytest.raises(AssertionError, match="not_adult"):
                await at_anns.say("dataset new", name="leo pictures", trigger="zorpleo", rating="nsfw")
            await at_roots.say("moderation adult", user="ann", state="on")
            leo = await bundled(house, at_anns, "leo", rating="nsfw", worker=worker)
        assert (mia.status, leo.status, leo.review) == (Status.READY, Status.READY, Review.PENDING)

        with pytest.raises(AssertionError, match="not_reviewed"):
            await at_anns.say("train order", dataset="leo pictures", offering="long")
        waiting = await at_roots.say("admin moderate")
        assert len(waiting.pictures) == 1
        await at_roots.press(waiting, "Approve")
        for name in ("mia", "leo"):
            quoted = await at_anns.say("train order", dataset=f"{name} pictures", offering="long")
            ordered = await at_anns.press(quoted, "Confirm")
            run = await house.store.runs.get(ordered.job or "")
            snapshot = await house.store.snapshots.get(run.snapshot)
            shown = await at_anns.say("dataset view", dataset=f"{name} pictures")
            told = await captions(house, snapshot.dataset)
            traits = {"mia": "red hair, green eyes", "leo": "black hair, grim"}[name]
            assert [entry.caption for entry in snapshot.entries] == told
            assert (told[2], len(told), len(set(told))) == (f"{name}x1, drawn by hand", PICTURES, len(COLOURS) - 2)
            assert all(text.startswith(f"{name}x1, {traits}, ") for text in (*told[:2], *told[3:])), told
            assert shown.table
            assert [row[2] for row in shown.table.rows] == [text[:60] for text in told]

    async with a_house(tmp_path) as later:
        assert await captions(later, mia.id) != await captions(later, leo.id)
        assert await asyncio.gather(*(later.store.datasets.get(one) for one in (mia.id, leo.id)))
