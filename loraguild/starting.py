"""Starting a command: settings in one sentence where they do not fit, the house for as long, a status at the end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from config.settings import Settings
    from loraguild.composition import House

FAILED, WRONG, INTERRUPTED = 1, 2, 130


def configured() -> Settings:
    """The settings, or one sentence for each that does not fit; logs follow them from here on."""
    from pydantic import ValidationError  # noqa: PLC0415 - heavy
    from pydantic_settings import SettingsError  # noqa: PLC0415 - heavy

    from config.settings import Settings  # noqa: PLC0415 - heavy
    from loraguild.logs import configure  # noqa: PLC0415 - heavy

    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors():
            name = ".".join(map(str, problem["loc"])).upper()
            typer.echo(f"The setting {name} does not fit: {problem['msg']}. See .env.example.", err=True)
    except SettingsError as error:
        typer.echo(f"A setting cannot be read: {error}. See .env.example.", err=True)
    else:
        configure(settings)
        return settings
    raise typer.Exit(WRONG)


async def inside(settings: Settings, work: Callable[[House], Awaitable[int]]) -> int:
    """Do something in the house, and close it behind."""
    from loraguild.composition import opened  # noqa: PLC0415 - heavy

    async with opened(settings) as house:
        return await work(house)


def finish(work: Coroutine[Any, Any, int]) -> None:
    """Run to the end and leave with the status that came out; SIGINT and SIGTERM end it in order."""
    from config.catalogue import OfferingBroken  # noqa: PLC0415 - heavy
    from core.domain.errors import DomainError, Unavailable  # noqa: PLC0415 - heavy

    async def run() -> int:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()

        for number in (signal.SIGINT, signal.SIGTERM):
            if task:
                loop.add_signal_handler(number, task.cancel)
        return await work

    try:
        status = asyncio.run(run())
    except (KeyboardInterrupt, asyncio.CancelledError):
        status = INTERRUPTED
    except DomainError as error:
        typer.echo(str(error), err=True)
        status = FAILED if isinstance(error, Unavailable) else WRONG
    except OfferingBroken as error:
        typer.echo(f"An offering cannot be read: {error}", err=True)
        status = WRONG
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = FAILED
    raise typer.Exit(status)
