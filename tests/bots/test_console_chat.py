import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from bots.chat.definition import command
from bots.chat.dispatcher import Dispatcher
from bots.chat.parameter import Call
from bots.chat.reply import Reply
from bots.console.chat import Chat
from bots.console.completing import Commands
from bots.console.speaking import Speaker, seated
from core.domain.job import JobState, Progress
from loraguild.composition import House
from tests.builders.attempts import PATIENCE
from tests.builders.scenes import a_ready_dataset, a_worker, claimed, finished, given, somebody, uploaded

CTRL_C, CTRL_D = "\x03", "\x04"


@dataclass(frozen=True, kw_only=True)
class Sitting:
    """A chat that is going on: what is typed into it, and what it has shown."""

    keys: PipeInput
    shown: StringIO
    over: asyncio.Task[None]

    async def sees(self, *words: str, times: int = 1) -> str:
        await until(lambda: all(self.shown.getvalue().count(word) >= times for word in words))
        return self.shown.getvalue()


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not reached():  # noqa: ASYNC110 - what a terminal shows has no event
            await asyncio.sleep(0.02)


@asynccontextmanager
async def sitting(speaker: Speaker) -> AsyncIterator[Sitting]:
    with create_pipe_input() as keys:
        shown = StringIO()
        chat = Chat(speaker, out=Console(file=shown, width=100), input=keys, output=DummyOutput())
        over = asyncio.create_task(chat.run())
        try:
            yield Sitting(keys=keys, shown=shown, over=over)
        finally:
            over.cancel()
            await asyncio.wait([over])


@pytest.fixture(autouse=True)
def attentive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.console.chat.ATTEND", 0.05)


@pytest.fixture
async def ann(house: House) -> Speaker:
    return await seated(house.settings, services=house.services, blobs=house.blobs, name="ann")


async def test_lines_are_answered_until_ctrl_d(ann: Speaker) -> None:
    async with sitting(ann) as chat:
        chat.keys.send_text("wallet\n")
        await chat.sees("100 to spend")
        chat.keys.send_text("walet\n")
        await chat.sees("Did you mean `wallet`?")
        chat.keys.send_text(CTRL_D)
        await asyncio.wait_for(chat.over, PATIENCE)


async def test_ctrl_c_cancels_the_line_only(ann: Speaker) -> None:
    async with sitting(ann) as chat:
        chat.keys.send_text("dataset new never trigger=never" + CTRL_C)
        chat.keys.send_text("wallet\n")
        shown = await chat.sees("100 to spend")

    assert "never" not in shown
    assert await ann.services.datasets.list(ann.actor) == []


async def test_what_is_missing_is_asked_for(ann: Speaker) -> None:
    async with sitting(ann) as chat:
        chat.keys.send_text("dataset new\n")
        await chat.sees("What to call it?")
        chat.keys.send_text("zorp\n")
        await chat.sees("The word that will call the model")
        chat.keys.send_text("zorp\n")
        await chat.sees("Dataset «zorp» is open")


async def test_choices_are_numbered_and_the_optional_may_be_left_out(house: House, ann: Speaker) -> None:
    await a_ready_dataset(house, ann.actor)
    async with sitting(ann) as chat:
        chat.keys.send_text("quote\n")
        await chat.sees("[1] zorp")
        chat.keys.send_text("1\n")
        await chat.sees("What to buy?", "Demo")
        chat.keys.send_text("demo-tiny\n")
        await chat.sees("How thorough: see `offerings`? (Enter to leave it out)", "[2] balanced")
        chat.keys.send_text("\n")
        await chat.sees(" points: Demo, fast")


async def test_leaving_out_what_is_needed_does_nothing(ann: Speaker) -> None:
    async with sitting(ann) as chat:
        chat.keys.send_text("dataset new\n")
        await chat.sees("What to call it?")
        chat.keys.send_text("\n")
        await chat.sees("Nothing done.")

    assert await ann.services.datasets.list(ann.actor) == []


async def test_a_number_presses_the_button_it_was_shown_with(house: House, ann: Speaker) -> None:
    await a_ready_dataset(house, ann.actor)
    async with sitting(ann) as chat:
        chat.keys.send_text("train order zorp demo-tiny fast\n")
        await chat.sees("[1] Confirm")
        chat.keys.send_text("start\n")
        await chat.sees("[4] My datasets")
        chat.keys.send_text("1\n")
        await chat.sees("zorp · Demo · waiting")
        chat.keys.send_text("1\n")
        await chat.sees("zorp · Demo · waiting", times=2)

    (job,) = await ann.services.trainings.list(ann.actor)
    assert job.state is JobState.QUEUED


async def test_a_button_that_needs_more_asks_for_it(ann: Speaker, tmp_path: Path) -> None:
    (tmp_path / "a b.png").write_bytes(b"x")
    async with sitting(ann) as chat:
        chat.keys.send_text("dataset new zorp trigger=zorp\n")
        await chat.sees("[1] Add files")
        chat.keys.send_text("1\n")
        await chat.sees("Pictures (.txt captions beside them), conversations, or a zip")
        chat.keys.send_text(f'"{tmp_path}/a b.png"\n')
        await chat.sees("1 file received for «zorp»")


async def test_news_come_while_nobody_types(house: House, ann: Speaker) -> None:
    dataset = await ann.services.datasets.create(ann.actor, name="zorp", trigger="zorp")
    async with sitting(ann) as chat:
        await chat.sees("You speak as ann.")
        await given(house, ann.actor, 7)
        await chat.sees("root gave you 7 qoints")
        await ann.said(f"dataset add {dataset.id} {__file__}")
        (job,) = await ann.services.jobs.list(ann.actor)
        await finished(house, job)
        await chat.sees("zorp · 1 file coming in · done", "[1] Add more")
        (look,) = await house.store.jobs.about(dataset.id)
        await finished(house, look)
        await chat.sees("zorp · the doctor looks · done", "[2] Check again")
        await given(house, ann.actor, 8)
        await chat.sees("root gave you 8 qoints")

    assert chat.shown.getvalue().count("root gave you 7 qoints") == 1
    assert chat.shown.getvalue().count("coming in · done") == 1
    assert chat.shown.getvalue().count("looks · done") == 1


async def test_news_for_others_are_left_for_them(house: House, ann: Speaker) -> None:
    bob = await somebody(house, "bob")
    await given(house, bob, 7)
    await given(house, ann.actor, 8)
    async with sitting(ann) as chat:
        shown = await chat.sees("root gave you 8 qoints")

    assert "gave you 7" not in shown
    assert len(await ann.services.deliveries.pending(ann.place.platform)) == 1


async def completed(speaker: Speaker, line: str) -> list[str]:
    found = Commands(speaker).get_completions_async(Document(line), CompleteEvent())
    return [completion.text async for completion in found]


async def test_commands_are_completed_for_those_who_may_use_them(house: House, ann: Speaker) -> None:
    root = await seated(house.settings, services=house.services, blobs=house.blobs, name="root")

    assert await completed(ann, "mod") == [
        *(f"model {verb}" for verb in ("list", "view", "card", "stats", "download", "publish", "unpublish", "share")),
        *(f"model {verb}" for verb in ("unshare", "rename", "edit", "samples", "epoch", "delete")),
    ]
    assert await completed(ann, "adm") == []
    assert await completed(root, "admin gr") == ["admin grant"]


async def test_parameters_are_completed_by_what_there_is(ann: Speaker, tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(b"x")
    dataset = await ann.services.datasets.create(ann.actor, name="zorp", trigger="zorp")
    spaced = await ann.services.datasets.create(ann.actor, name="two words", trigger="words")

    assert await completed(ann, "dataset view z") == ["zorp"]
    assert await completed(ann, "dataset view tw") == [spaced.id]
    assert await completed(ann, "train order zorp demo-tiny ") == ["fast", "balanced", "quality"]
    assert await completed(ann, "train order zorp nope ") == []
    assert await completed(ann, 'dataset view "zo') == []
    assert await completed(ann, f"dataset add zorp {tmp_path}/on") == ["e.png"]
    assert dataset.id not in await completed(ann, "dataset view ")


async def test_running_jobs_stand_below_the_prompt(house: House, ann: Speaker) -> None:
    dataset = await ann.services.datasets.create(ann.actor, name="zorp", trigger="zorp")
    with create_pipe_input() as keys:
        chat = Chat(ann, out=Console(file=StringIO()), input=keys, output=DummyOutput())
        over = asyncio.create_task(chat.run())
        await uploaded(house, ann.actor, dataset, "a.png")
        await until(lambda: chat.below() == "zorp · 1 file coming in: waiting, and no live worker takes intake jobs")
        await a_worker(house)
        await until(lambda: chat.below() == "zorp · 1 file coming in: waiting")
        job, token = await claimed(house)
        await house.services.jobs.report(job.id, token, progress=Progress(step=1, total=3, doing="looking"))
        await until(lambda: chat.below() == "zorp · 1 file coming in: 1/3 · looking")
        over.cancel()
        await asyncio.wait([over])


async def test_ctrl_c_stops_a_command_that_takes_long_but_not_the_sitting(ann: Speaker) -> None:
    begun = asyncio.Event()

    @command("wait")
    async def waiting(call: Call) -> Reply:  # noqa: ARG001 - every command has it
        """Wait for ever."""
        begun.set()
        await asyncio.Event().wait()
        return Reply(title="never")

    slow = Dispatcher(commands={**ann.dispatcher.commands, "wait": waiting})
    async with sitting(replace(ann, dispatcher=slow)) as chat:
        chat.keys.send_text("wait\n")
        await begun.wait()
        os.kill(os.getpid(), signal.SIGINT)
        await chat.sees("Stopped.")
        chat.keys.send_text("wallet\n")
        await chat.sees("100 to spend")
