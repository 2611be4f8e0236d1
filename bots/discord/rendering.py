"""Replies as Discord draws them: an embed within its limits, and buttons whose ids carry all that a restart needs."""

from collections.abc import Mapping, Sequence

import discord

from bots.chat.definition import Definition
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import pace, respelled
from bots.discord.escaping import plain, units, written
from core.domain.action import Style
from core.domain.job import Progress

TITLE, DESCRIPTION, NAME, VALUE, FIELDS, EMBED = 256, 4096, 256, 1024, 25, 6000  # Discord's limits
FOR_FIELDS, FOR_NOTES = 2000, 2500  # of these 6000 and 4096, so that what was said is never short of room
BUTTONS, LABEL, CUSTOM_ID = 25, 80, 100
SHORT = 24  # characters of a value that stands beside another one
PHONE = 34  # characters of a code block's line on a phone
BAR = 16  # characters
STYLES = {
    Style.GO: discord.ButtonStyle.success,
    Style.PLAIN: discord.ButtonStyle.secondary,
    Style.DANGER: discord.ButtonStyle.danger,
}


def embedded(reply: Reply, commands: Mapping[str, Definition], *, notes: Sequence[str] = ()) -> discord.Embed:
    """A reply as an embed; `notes` are further lines, in Discord's markup already."""
    reply = _spelled(reply, commands)
    embed = discord.Embed(title=written(reply.title, limit=TITLE), colour=_colour(reply))
    room = FOR_FIELDS
    for name, value in reply.fields[:FIELDS]:
        heading = written(name, limit=NAME) or "–"
        room -= units(heading)
        if room <= 1:
            break
        content = written(value, limit=min(VALUE, room)) or "–"
        room -= units(content)
        embed.add_field(name=heading, value=content, inline=len(value) <= SHORT)
    end = _end(reply, notes)
    left = min(DESCRIPTION, EMBED - units(embed.title or "") - (FOR_FIELDS - room)) - units(end) - 2
    embed.description = "\n\n".join(part for part in (_body(reply, left), end) if part)
    return embed


def buttons(reply: Reply, commands: Mapping[str, Definition]) -> discord.ui.View | None:
    """The buttons of a reply. The view is stopped: the library need not remember what the ids say."""
    if not reply.buttons:
        return None
    view = discord.ui.View(timeout=None)
    for button in reply.buttons[:BUTTONS]:
        label, style = plain(button.label, limit=LABEL), STYLES[button.style]
        view.add_item(discord.ui.Button(label=label, style=style, custom_id=_custom_id(button, commands)))
    view.stop()
    return view


def spelled(path: str) -> str:
    """A command as people type it here."""
    return f"/{path}"


def _spelled(reply: Reply, commands: Mapping[str, Definition]) -> Reply:
    def told(text: str) -> str:
        return respelled(text, commands, spelled)

    fields = tuple((name, told(value)) for name, value in reply.fields)
    return reply.but(title=told(reply.title), lines=tuple(map(told, reply.lines)), fields=fields)


def _custom_id(button: Button, commands: Mapping[str, Definition]) -> str:
    """`a:TOKEN`, or `f:TOKEN:PATH:NAMES` where a form has to be filled in first."""
    definition = commands.get(button.command)
    missing = [name for name in definition.needed if name not in button.arguments] if definition else []
    form = f"f:{button.token}:{button.command}:{','.join(missing)}"
    return form if missing and len(form) <= CUSTOM_ID else f"a:{button.token}"


def _colour(reply: Reply) -> discord.Colour:
    if reply.unavailable:
        return discord.Colour.orange()
    if reply.code:
        return discord.Colour.red()
    return discord.Colour.blurple() if reply.progress else discord.Colour.green()


def _end(reply: Reply, notes: Sequence[str]) -> str:
    """What is never left out for length: the bar, and as many notes as fit."""
    lines, room = [_bar(reply.progress)] if reply.progress else [], FOR_NOTES
    for note in notes:
        room -= units(note)
        if room < 0:
            return "\n".join([*lines, "…"])
        lines.append(note)
    return "\n".join(lines)


def _body(reply: Reply, room: int) -> str:
    """The lines, then the table; what does not fit is counted."""
    block = _block(reply.table) if reply.table else None
    rows = reply.table.rows if reply.table and not block else ()
    texts = [*(written(line, limit=DESCRIPTION) for line in reply.lines), *map(_row, rows)]
    room -= units(block or "") + len("\n\n… and 1000 more")
    shown: list[str] = []
    for text in texts:
        room -= units(text) + 1
        if room < 0:
            break
        shown.append(text)
    if len(shown) < len(reply.lines) and (left := room + units(texts[len(shown)])) > SHORT:
        shown.append(written(reply.lines[len(shown)], limit=left))
    hidden = len(texts) - len(shown)
    return "\n".join([*filter(None, shown), *([f"… and {hidden} more"] if hidden else []), *([block] if block else [])])


def _row(cells: Sequence[str]) -> str:
    first, *others = (written(" ".join(cell.split()), limit=VALUE) for cell in cells)
    return " · ".join([f"**{first or '–'}**", *filter(None, others)])


def _block(table: Table) -> str | None:
    """A table as a code block, where it fits a phone and nothing in it could end the block."""
    lines = (table.header, *table.rows)
    if any("`" in cell or len(cell.splitlines()) > 1 for line in lines for cell in line):
        return None
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if sum(widths) + 2 * (len(widths) - 1) > PHONE:
        return None
    drawn = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    block = "\n".join(drawn)
    return f"```\n{block}\n```" if len(block) <= DESCRIPTION // 2 else None


def _bar(progress: Progress) -> str:
    done = BAR * min(progress.step, progress.total) // max(progress.total, 1)
    return f"`{'█' * done}{'░' * (BAR - done)}` {written(pace(progress), limit=LABEL)}"
