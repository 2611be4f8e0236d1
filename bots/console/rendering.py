"""Replies as they are drawn in a terminal, and as plain JSON for scripts. What people wrote is data, never markup."""

import os
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table as Grid
from rich.text import Text

from bots.chat.definition import Definition
from bots.chat.parsing import typable
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import pace
from core.domain.job import Progress

BAR = 40  # characters
COMMAND = r"`[^`]+`"


def shown(reply: Reply, paths: Sequence[Path] = (), *, out: Console, hints: Text | None = None) -> None:
    """Print a reply as a box, and its link below: in one piece, since nobody could copy it out of the frame."""
    out.print(drawn(reply, paths, hints=hints))
    if reply.link:
        out.print(Text(plain(reply.link), style=f"cyan link {reply.link}"), soft_wrap=True)


def drawn(reply: Reply, paths: Sequence[Path] = (), *, hints: Text | None = None) -> Panel:
    """A reply as a box: title, lines, fields, table, bar, saved files, hints to its buttons or their numbers."""
    sections: list[RenderableType] = []
    if reply.lines:
        sections.append(Group(*map(_worded, reply.lines)))
    if reply.fields:
        sections.append(_fields(reply.fields))
    if reply.table:
        sections.append(_table(reply.table))
    if reply.progress:
        sections.append(bar(reply.progress))
    if paths:
        sections.append(Group(*map(_linked, paths)))
    if reply.buttons:
        sections.append(hints or numbered(reply))
    apart = [part for section in sections for part in (Text(), section)][1:]
    title = Text(plain(reply.title), style="bold red" if reply.code else "bold green")
    return Panel(Group(*apart), title=title, title_align="left", border_style="red" if reply.code else "dim")


def bar(progress: Progress) -> RenderableType:
    """How far a job is: a bar, steps of a total, the time left, what is being done."""
    row = Grid.grid(padding=(0, 1))
    done = ProgressBar(total=max(progress.total, 1), completed=progress.step, width=BAR)
    row.add_row(done, Text(plain(pace(progress))))
    return row


def numbered(reply: Reply, *, first: int = 1) -> Text:
    """The buttons with the numbers that press them, counted from `first`."""
    return Text("  ").join(
        Text.assemble((f"[{number}] ", "bold cyan"), plain(button.label))
        for number, button in enumerate(reply.buttons, start=first)
    )


def spelled(reply: Reply, commands: Mapping[str, Definition]) -> Text:
    """The buttons with the commands that do the same, one a line."""
    return Text("\n", overflow="fold").join(
        Text.assemble((f"{plain(button.label)}: ", "dim"), (_command(button, commands), "cyan"))
        for button in reply.buttons
    )


def as_json(reply: Reply, paths: Sequence[Path], commands: Mapping[str, Definition]) -> dict[str, JsonValue]:
    """A reply as plain values; the command of each action can be typed again."""
    return {
        "title": reply.title,
        "lines": list(reply.lines),
        "fields": dict(reply.fields),
        "table": reply.table.model_dump(mode="json") if reply.table else None,
        "files": [str(path) for path in paths],
        "actions": [{"label": button.label, "command": _command(button, commands)} for button in reply.buttons],
        "link": reply.link,
        "job": reply.job,
        "progress": reply.progress.model_dump(mode="json") if reply.progress else None,
        "code": reply.code,
    }


def plain(text: str) -> str:
    """A text without characters that a terminal would obey."""
    return "".join("�" if unicodedata.category(one) in {"Cc", "Cs"} and one != "\n" else one for one in text)


def shown_path(path: Path) -> str:
    """A path as it is shortest from here."""
    here = Path(os.path.relpath(path))
    return plain(str(path.absolute() if ".." in here.parts else here))


def _command(button: Button, commands: Mapping[str, Definition]) -> str:
    return typable(commands[button.command], button.arguments)


def _worded(line: str) -> Text:
    text = Text(plain(line), overflow="fold")
    text.highlight_regex(COMMAND, "cyan")
    return text


def _linked(path: Path) -> Text:
    return Text.assemble(("▸ ", "dim"), (shown_path(path), f"link {path.absolute().as_uri()}"), overflow="fold")


def _fields(fields: Sequence[tuple[str, str]]) -> Grid:
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in fields:
        grid.add_row(Text(plain(name)), _worded(value))
    return grid


def _table(table: Table) -> Grid:
    grid = Grid(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in table.header:
        grid.add_column(Text(plain(name)), overflow="fold")
    for row in table.rows:
        grid.add_row(*map(_worded, row))
    return grid
