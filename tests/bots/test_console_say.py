import asyncio
import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bots.chat.definition import command
from bots.chat.dispatcher import Dispatcher
from bots.chat.parameter import Call
from bots.chat.reply import Reply
from bots.console.following import followed
from bots.console.saying import answer, status, told
from bots.console.speaking import Speaker, seated
from core.domain.account import Platform
from core.domain.errors import BadValue, ConsoleNotTrusted, NoWorker
from core.domain.job import Job
from core.domain.notice import NoticeState
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.scenes import BROKEN, a_worker, claimed, finished, taken_in


async def somebody_at(house: House, name: str = "ann") -> Speaker:
    return await seated(house.settings, services=house.services, blobs=house.blobs, name=name)


async def said(speaker: Speaker, line: str, *files: Path, wait: bool = False) -> tuple[int, dict[str, Any]]:
    out = Console(file=StringIO())
    status = told(await answer(speaker, line, files=tuple(map(str, files)), wait=wait), out=out, as_data=True)
    assert isinstance(out.file, StringIO)
    return status, json.loads(out.file.getvalue())


async def queued(house: House, speaker: Speaker) -> Job:
    """The job that this person waits for."""
    while True:
        for job in await house.services.jobs.list(speaker.actor):
            if not job.state.ended:
                return job
        await asyncio.sleep(0.01)


async def looked(shown: list[Reply]) -> None:
    """Wait until whoever follows a job has shown it once."""
    while not shown:  # noqa: ASYNC110 - nobody says so when it is
        await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def attentive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.console.following.POLL", 0.02)


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for path in paths:
        path.write_bytes(path.name.encode())
    return paths


async def test_a_wish_of_a_user_is_answered_with_status_0(house: House) -> None:
    status, printed = await said(await somebody_at(house), "dataset new zorp trigger=zorp")

    assert (status, printed["title"], printed["code"]) == (0, "Dataset «zorp» is open", None)


async def test_a_link_is_printed_in_one_piece(house: House) -> None:
    speaker = await somebody_at(house)
    await speaker.said("dataset new zorp trigger=zorp")
    there = await answer(speaker, "dataset upload zorp")
    out = StringIO()
    told(there, out=Console(file=out, width=40))
    assert out.getvalue().splitlines()[-1] == there.reply.link


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("dataset nwe zorp", "not_found"),
        ("dataset new zorp", "bad_value"),
        ("dataset view zorp", "not_found"),
        ('dataset new "zorp', "bad_value"),
        ("dataset new zorp cat", "bad_trigger"),
        ("admin workers", "not_allowed"),
        ("wallet now", "bad_value"),
    ],
)
async def test_errors_of_a_user_have_status_2_and_a_code(house: House, line: str, code: str) -> None:
    status, printed = await said(await somebody_at(house), line)

    assert (status, printed["code"]) == (2, code)
    assert printed["lines"]


async def test_files_of_the_line_and_of_the_option_come_in_together(house: House, pictures: list[Path]) -> None:
    ann = await somebody_at(house)
    await said(ann, "dataset new zorp trigger=zorp")

    status, printed = await said(ann, f"dataset add zorp {pictures[0]}", *pictures[1:])

    assert (status, printed["title"]) == (0, "3 files received for «zorp»")


async def test_a_file_for_a_command_that_takes_none_is_refused(house: House, pictures: list[Path]) -> None:
    status, printed = await said(await somebody_at(house), "wallet", pictures[0])

    assert (status, printed["code"]) == (2, "bad_value")


async def test_waiting_ends_with_the_final_card_and_its_saved_files(house: House, pictures: list[Path]) -> None:
    ann = await somebody_at(house)
    await said(ann, "dataset new zorp trigger=zorp")
    await a_worker(house)

    waiting = asyncio.create_task(said(ann, "dataset add zorp", *pictures, wait=True))
    await finished(house, await queued(house, ann))
    added = await waiting
    looking = asyncio.create_task(said(ann, f"train view {(await queued(house, ann)).id}", wait=True))
    await finished(house, await queued(house, ann))
    status, printed = await looking

    assert (added[0], added[1]["title"]) == (0, "zorp · 3 files coming in · done")
    assert (status, printed["title"]) == (0, "zorp · the doctor looks · done")
    (sheet,) = (house.settings.data_folder / "console" / "ann").iterdir()
    assert printed["files"] == [str(sheet)]
    assert sheet.read_bytes() == b"sheet.png"


async def test_the_command_of_an_action_presses_the_button(house: House, pictures: list[Path]) -> None:
    ann = await somebody_at(house)
    await said(ann, "dataset new zorp trigger=zorp")
    await said(ann, "dataset add zorp", *pictures)
    await taken_in(house, await queued(house, ann))

    _, quote = await said(ann, "train order zorp demo-tiny fast")
    confirm = next(action["command"] for action in quote["actions"] if action["label"] == "Confirm")
    status, printed = await said(ann, confirm)

    assert (status, printed["title"]) == (0, "zorp · Demo · waiting")
    assert printed["job"] == (await queued(house, ann)).id


async def test_a_job_that_fails_has_status_1(house: House, pictures: list[Path]) -> None:
    ann = await somebody_at(house)
    await said(ann, "dataset new zorp trigger=zorp")
    await a_worker(house)

    waiting = asyncio.create_task(said(ann, "dataset add zorp", *pictures, wait=True))
    await finished(house, await queued(house, ann), BROKEN)
    status, printed = await waiting

    assert (status, printed["code"], printed["lines"]) == (1, BROKEN.code, [BROKEN.words])


async def test_a_job_that_is_cancelled_meanwhile_has_status_1_but_cancelling_it_has_0(
    house: House, pictures: list[Path]
) -> None:
    ann = await somebody_at(house)
    await said(ann, "dataset new zorp trigger=zorp")

    _, printed = await said(ann, "dataset add zorp", *pictures)
    await a_worker(house)
    shown: list[Reply] = []

    following = asyncio.create_task(followed(ann, printed["job"], show=shown.append))
    await looked(shown)
    cancelling = await said(ann, f"train cancel {printed['job']}", wait=True)
    final = await following

    assert (status(final), final.code) == (1, "cancelled")
    assert (cancelling[0], cancelling[1]["code"]) == (0, None)


async def test_without_a_worker_waiting_ends_in_words(house: House, pictures: list[Path]) -> None:
    ann = await somebody_at(house)
    await said(ann, "dataset new zorp trigger=zorp")
    _, printed = await said(ann, "dataset add zorp", *pictures)
    await a_worker(house, kinds=("training",))

    with pytest.raises(NoWorker, match="no live worker takes intake jobs"):
        await followed(ann, printed["job"], grace=0.1)


async def test_a_worker_that_died_is_not_waited_for(house: House, pictures: list[Path], clock: Any) -> None:
    ann = await somebody_at(house)
    await said(ann, "dataset new zorp trigger=zorp")
    _, printed = await said(ann, "dataset add zorp", *pictures)
    job, _ = await claimed(house)
    assert job.lease_until
    clock.advance(job.lease_until - clock.now() + (job.lease_until - clock.now()))

    with pytest.raises(NoWorker):
        await followed(ann, printed["job"], grace=0.1)


async def test_following_shows_each_state_once_and_takes_the_notice(house: House, pictures: list[Path]) -> None:
    ann = await somebody_at(house)
    await said(ann, "dataset new zorp trigger=zorp")
    _, printed = await said(ann, "dataset add zorp", *pictures)
    await a_worker(house)
    shown: list[Reply] = []

    following = asyncio.create_task(followed(ann, printed["job"], show=shown.append))
    await looked(shown)
    await asyncio.sleep(0.2)  # several looks
    assert [reply.title for reply in shown] == ["zorp · 3 files coming in · waiting"]
    await finished(house, await queued(house, ann))
    final = await following

    assert all(button.token for button in final.buttons)
    assert not await house.services.deliveries.pending(Platform.CONSOLE)
    assert [card.job for card in await house.services.deliveries.cards(ann.place)] == [(await queued(house, ann)).id]
    (notice,) = [await house.store.notices.get(f"succeeded:{printed['job']}:console:ann:")]
    assert notice.state is NoticeState.DELIVERED


async def test_speaking_as_somebody_is_audited(house: House, database: Database) -> None:
    ann = await somebody_at(house)

    (row,) = [row async for row in database["audits"].find()]
    assert (row["act"], row["actor"], row["subject"]) == ("console.as", ann.actor.account, "ann")


async def test_a_name_is_always_the_same_console_identity(house: House) -> None:
    elsewhere = await house.services.accounts.welcome(Platform.DISCORD, "ann", name="ann")

    first, again = await somebody_at(house), await somebody_at(house)

    assert first.actor == again.actor
    assert first.actor.account != elsewhere.account


async def test_the_console_is_refused_on_a_shared_database(house: House) -> None:
    shared = house.settings.model_copy(update={"mongodb_uri": "mongodb://somewhere"})

    with pytest.raises(ConsoleNotTrusted):
        await seated(shared, services=house.services, blobs=house.blobs, name="root")

    trusted = shared.model_copy(update={"console_trusted": True})
    root = await seated(trusted, services=house.services, blobs=house.blobs, name="root")
    assert (await said(root, "admin workers"))[0] == 0


@pytest.mark.parametrize("name", ["", "../x", "a b", "-x", "a\n", "x" * 33, "discord:1"])
async def test_names_that_could_lead_elsewhere_are_refused(house: House, name: str) -> None:
    with pytest.raises(BadValue):
        await somebody_at(house, name)


@command("breaking")
async def breaking(call: Call) -> Reply:  # noqa: ARG001 - every command has it
    """Break."""
    raise ZeroDivisionError


async def test_what_nobody_foresaw_gets_a_reference(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    ann = replace(await somebody_at(house), dispatcher=Dispatcher(commands={"breaking": breaking}))

    reply = await ann.said("breaking")

    found = re.fullmatch(r"Something broke; reference (\w{8})\. The log says more\.", reply.lines[0])
    logged = capsys.readouterr().out
    assert (reply.code, reply.unavailable) == ("broke", True)
    assert found
    assert found[1] in logged
    assert "ZeroDivisionError" in logged
