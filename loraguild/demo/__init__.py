"""The demo: a scripted chat through the console front end, on a real database and a real worker process."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import assert_never

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bots.chat.reply import Reply
from bots.console.files import saved
from bots.console.rendering import drawn, shown_path
from bots.console.saying import DONE, FAILED, watched
from bots.console.speaking import Speaker, seated
from config.settings import Settings
from core.domain.errors import DomainError
from loraguild.composition import House, opened
from loraguild.demo.script import PEOPLE, SCRIPT, Hear, Line, Press, Step
from loraguild.logs import configure
from loraguild.supervisor import Program, supervised

PICTURES = Path(__file__).parent / "pictures"
CODE = Path(__file__).parents[2]
GRACE = 60.0  # seconds in which the worker has to appear: a slow disk may take long to import it
COLOURS = {"alice": "magenta", "bob": "blue", "root": "yellow"}
ASIDE = (0, 0, 1, 2)


class DemoFailed(Exception):  # noqa: N818 - a past participle, as every result here
    """An answer was not what the script needs to go on."""


async def play(folder: Path) -> int:
    """Play the script with everything under `folder`; return the exit status."""
    started, out, settings = time.monotonic(), Console(record=True, highlight=False), _settings(folder)
    configure(settings)
    try:
        out.print(Text(f"Starting a database and a worker under {shown_path(folder)}/ …", style="dim"))
        async with opened(settings) as house, _worker(folder, settings):
            try:
                await _conversation(house, folder, out)
            except asyncio.CancelledError:
                out.print("\nStopping: the worker hands its work over …")
                raise
    except (DemoFailed, DomainError) as error:
        out.print(f"\nThe demo could not go on: {error}", style="bold red", markup=False)
        out.print(f"The worker's log: {shown_path(folder / 'worker.log')}", markup=False)
        return FAILED
    except asyncio.CancelledError:
        out.print("Stopped. Nothing was left running; `loraguild demo` starts again.")
        raise
    out.print(_farewell(folder, time.monotonic() - started))
    out.save_svg(str(folder / "conversation.svg"), title="loraguild demo")
    return DONE


def _settings(folder: Path) -> Settings:
    """The defaults, whatever the environment or an `.env` say: a demo must never touch a house that is in use."""
    defaults = {name: field.get_default(call_default_factory=True) for name, field in Settings.model_fields.items()}
    own = {"data_folder": folder.absolute() / "data", "log_level": "ERROR"}
    return Settings(_env_file=None, **(defaults | own))


@asynccontextmanager
async def _worker(folder: Path, settings: Settings) -> AsyncIterator[None]:
    """A worker process, restarted when it crashes; it runs where no `.env` lies, with none of our settings."""
    ours = {name.upper() for name in Settings.model_fields}
    shared = {name: value for name, value in os.environ.items() if name.upper() not in ours}
    path = os.pathsep.join(filter(None, [str(CODE), os.environ.get("PYTHONPATH")]))
    program = Program(
        name="worker",
        command=(sys.executable, "-m", "loraguild", "worker"),
        environment={**shared, "DATA_FOLDER": str(settings.data_folder), "PYTHONPATH": path},
        folder=settings.data_folder,
    )
    with (folder / "worker.log").open("w", buffering=1) as file:
        async with supervised([program], say=lambda _, line: print(line, file=file)):
            yield


async def _conversation(house: House, folder: Path, out: Console) -> None:
    people = {
        name: await seated(house.settings, services=house.services, blobs=house.blobs, name=name, folder=folder / name)
        for name in PEOPLE
    }
    await _cleared(house, people)
    dataset = await _free_name(house, people["alice"])
    last: dict[str, Reply] = {}
    for step in SCRIPT:
        speaker = people[step.who]
        if said := _shown(step, dataset):
            out.print(Text.assemble((step.who, f"bold {COLOURS[step.who]}"), f"  {said}"))
        reply = await _answer(step, speaker, last.get(step.who), dataset)
        if reply.job and not reply.code:
            reply = await watched(speaker, reply, screen=Console(), grace=GRACE)
        paths = await saved(reply, house.blobs, folder=speaker.folder)
        out.print(Padding(drawn(reply, paths), ASIDE))
        if reply.code:
            raise DemoFailed(" ".join((reply.title, *reply.lines)))
        last[step.who] = reply


async def _answer(step: Step, speaker: Speaker, last: Reply | None, dataset: str) -> Reply:
    match step:
        case Line():
            files = (str(PICTURES),) if step.pictures else ()
            return await speaker.said(step.text.replace("DATASET", dataset), files=files)
        case Press():
            button = next((button for button in (last or Reply(title="")).buttons if button.label == step.label), None)
            if button is None:
                raise DemoFailed(f"there is no button «{step.label}» to press")
            return await speaker.pressed(button)
        case Hear():
            newest, *_ = await speaker.services.jobs.list(speaker.actor)
            return Reply(title=newest.title, job=newest.id)
        case _:
            assert_never(step)


def _shown(step: Step, dataset: str) -> str:
    """What somebody types or presses; nothing where they only wait."""
    match step:
        case Line():
            count = len(list(PICTURES.iterdir()))
            return step.text.replace("DATASET", dataset) + (f"  ({count} pictures)" if step.pictures else "")
        case Press():
            return f"[{step.label}]"
        case Hear():
            return ""
        case _:
            assert_never(step)


async def _cleared(house: House, people: Mapping[str, Speaker]) -> None:
    """Cancel what an interrupted demo left in the queue."""
    for speaker in people.values():
        for job in await house.services.jobs.list(speaker.actor):
            if not job.state.ended:
                await house.services.jobs.cancel(speaker.actor, job.id)


async def _free_name(house: House, speaker: Speaker) -> str:
    taken = {dataset.folded for dataset in await house.services.datasets.list(speaker.actor, limit=1000)}
    names = ("zorp", *(f"zorp-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def _farewell(folder: Path, seconds: float) -> Text:
    program = Path(sys.argv[0])
    command = shown_path(program) if program.name == "loraguild" else "loraguild"
    here, data = shown_path(folder), shown_path(folder / "data")
    return Text(
        f"Done in {seconds:.0f} s. The LoRA, the pictures and this conversation (conversation.svg) are in {here}/.\n\n"
        f"Go on from here, in two terminals:\n"
        f"  DATA_FOLDER={data} {command} up\n"
        f"  DATA_FOLDER={data} {command} chat --as alice\n"
        f"Or start a house of your own: {command} up"
    )
