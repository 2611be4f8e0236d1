"""One command and its answer, for people and for scripts: `loraguild say`."""

import json
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.panel import Panel

from bots.chat.reply import Reply
from bots.commands import discovered
from bots.console.files import saved
from bots.console.following import GRACE, followed
from bots.console.rendering import as_json, drawn, shown, spelled
from bots.console.speaking import Speaker, guarded

DONE, FAILED, WRONG = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A reply, and where its pictures and files were saved."""

    reply: Reply
    paths: tuple[Path, ...] = ()


async def answer(
    speaker: Speaker, line: str, *, files: tuple[str, ...] = (), wait: bool = False, screen: Console | None = None
) -> Answer:
    """The answer to one line; with `wait` the final card of its job, kept up to date on `screen` until then."""
    reply = await speaker.said(line, files=files)
    if wait and reply.job and not reply.code:
        reply = await watched(speaker, reply, screen=screen)
    return Answer(reply=reply, paths=await saved(reply, speaker.blobs, folder=speaker.folder))


def told(answer: Answer, *, out: Console, as_data: bool = False) -> int:
    """Print an answer, with `as_data` as one JSON object, and return the exit status that it stands for."""
    if as_data:
        out.out(json.dumps(as_json(answer.reply, answer.paths, discovered()), ensure_ascii=False), highlight=False)
    else:
        shown(answer.reply, answer.paths, out=out, hints=spelled(answer.reply, discovered()))
    return status(answer.reply)


async def watched(speaker: Speaker, reply: Reply, *, screen: Console | None, grace: float = GRACE) -> Reply:
    """The final card of the job that a reply is about; until then its card is kept up to date on a screen."""
    job = reply.job or ""
    if screen is None or not screen.is_terminal:
        final = await guarded(followed(speaker, job, grace=grace))
    else:
        with Live(_spelled(reply), console=screen, transient=True, auto_refresh=False) as live:
            following = followed(speaker, job, show=lambda card: live.update(_spelled(card), refresh=True), grace=grace)
            final = await guarded(following)
    return final.but(job=job)


def status(reply: Reply) -> int:
    """The exit status that an answer stands for."""
    if reply.code is None:
        return DONE
    return FAILED if reply.unavailable else WRONG


def _spelled(reply: Reply) -> Panel:
    return drawn(reply, hints=spelled(reply, discovered()))
