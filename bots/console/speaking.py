"""Somebody at the console: who speaks, over which house, and what becomes of a line or a pressed button."""

import re
import secrets
import socket
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from bots.chat.definition import Definition
from bots.chat.dispatcher import Dispatcher
from bots.chat.parameter import Call, Raw
from bots.chat.parsing import Typed, parsed
from bots.chat.reply import Button, Reply
from bots.commands import discovered
from bots.console.sources import local_files
from config.settings import Settings
from core.domain.account import Actor, Place, Platform
from core.domain.errors import BadValue, DomainError
from core.ports.blobs import Blobs
from core.services import Services

NAME = re.compile(r"[^\W_][\w.@-]{0,31}")

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """A person at a terminal. `folder` is where the pictures and files of the answers go."""

    actor: Actor
    place: Place
    services: Services
    blobs: Blobs
    dispatcher: Dispatcher
    folder: Path

    def call(self, *, key: str = "") -> Call:
        """A use of a command, under a key of its own unless there is one."""
        unique = key or self.services.conversations.token()
        return Call(actor=self.actor, place=self.place, services=self.services, key=unique)

    async def said(self, line: str, *, files: tuple[str, ...] = ()) -> Reply:
        """The answer to a typed line; `files` are further paths for the command's files."""
        try:
            typed = parsed(line, self.dispatcher.commands)
        except DomainError as error:
            return Reply.refused(error)
        return await self.ran(typed, files=files)

    async def ran(self, typed: Typed, *, files: tuple[str, ...] = ()) -> Reply:
        """The answer to a line that is parsed already."""
        try:
            raw = await _raw(typed, files)
        except DomainError as error:
            return Reply.refused(error)
        return await guarded(self._run(typed.definition, raw))

    async def pressed(self, button: Button) -> Reply:
        """The answer to a pressed button."""

        async def press() -> Reply:
            reply, _ = await self.dispatcher.press(button.token, await self._call())
            return reply

        return await guarded(press())

    async def _run(self, definition: Definition, raw: Mapping[str, Raw]) -> Reply:
        return await self.dispatcher.run(definition, await self._call(), raw)

    async def _call(self) -> Call:
        """A use by who the speaker is by now: somebody banned, promoted, or taken over by another account."""
        return replace(self.call(), actor=await self.services.accounts.actor(self.actor.account))


async def seated(
    settings: Settings, *, services: Services, blobs: Blobs, name: str, folder: Path | None = None
) -> Speaker:
    """Let somebody speak as the console identity of this name; it is audited.

    Raises:
        ConsoleNotTrusted: The database is shared and nobody has said that this console may be anyone.
        BadValue: The name cannot be one.
    """
    settings.require_console()
    if not NAME.fullmatch(name):
        why = "it takes 1 to 32 letters, digits, «.», «_», «@» and «-», a letter or digit first"
        raise BadValue(what="name", value=name, why=why)
    actor = await services.accounts.welcome(Platform.CONSOLE, name, name=name)
    await services.accounts.acted_as(actor, host=socket.gethostname())
    return Speaker(
        actor=actor,
        place=Place(platform=Platform.CONSOLE, chat=name),
        services=services,
        blobs=blobs,
        dispatcher=Dispatcher(commands=discovered()),
        folder=folder or settings.data_folder / "console" / name,
    )


async def guarded(answer: Awaitable[Reply]) -> Reply:
    """The answer, or the words for why there is none."""
    try:
        return await answer
    except Exception as error:  # noqa: BLE001 - the edge of the console: whatever it is, somebody waits for an answer
        return failed(error)


def failed(error: Exception) -> Reply:
    """The words of an error that the domain knows; of any other a reference under which the log tells more."""
    if isinstance(error, DomainError):
        return Reply.refused(error)
    reference = secrets.token_hex(4)
    log.error("console.broke", reference=reference, exc_info=error)
    line = f"Something broke; reference {reference}. The log says more."
    return Reply(title="Not done", lines=(line,), code="broke", unavailable=True)


async def _raw(typed: Typed, files: tuple[str, ...]) -> Mapping[str, Raw]:
    paths = (*typed.paths, *files)
    if not paths:
        return typed.words
    name = typed.definition.files
    if name is None:
        raise BadValue(what="file", value=paths[0], why=f"`{typed.definition.path}` takes no files")
    return {**typed.words, name: await local_files(paths)}
