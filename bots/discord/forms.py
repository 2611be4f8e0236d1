"""Forms (modals): what a command still needs, and what came back. The library forgets them; the store does not."""

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import discord

from bots.chat.definition import Definition
from bots.chat.parameter import Files
from bots.discord.escaping import plain
from bots.discord.filing import Attached

TITLE, LABEL, DESCRIPTION, FIELDS, FILES = 45, 45, 100, 5, 10  # Discord's limits

Filled = str | tuple[Attached, ...]


def form(custom_id: str, definition: Definition, names: Sequence[str]) -> discord.ui.Modal:
    """A form for some parameters of a command. It is stopped, so that the library does not wait for its answer."""
    modal = discord.ui.Modal(title=plain(f"/{definition.path}", limit=TITLE), custom_id=custom_id, timeout=None)
    for name in names[:FIELDS]:
        kind = definition.parameters[name]
        component = _upload(name) if isinstance(kind, Files) else _text(name, long=kind.rest)
        description = plain(kind.help, limit=DESCRIPTION)
        modal.add_item(discord.ui.Label(text=plain(name, limit=LABEL), description=description, component=component))
    modal.stop()
    return modal


def filled(data: Mapping[str, Any], session: aiohttp.ClientSession) -> Mapping[str, Filled]:
    """What came back, by parameter."""
    files = data.get("resolved", {}).get("attachments", {})
    values: dict[str, Filled] = {}
    for part in data["components"]:
        field = part["component"]
        if "values" in field:
            values[field["custom_id"]] = tuple(Attached.of(files[one], session) for one in field["values"])
        else:
            values[field["custom_id"]] = field["value"]
    return values


def _upload(name: str) -> discord.ui.FileUpload[Any]:
    return discord.ui.FileUpload(custom_id=name, min_values=1, max_values=FILES)


def _text(name: str, *, long: bool) -> discord.ui.TextInput[Any]:
    style = discord.TextStyle.paragraph if long else discord.TextStyle.short
    return discord.ui.TextInput(custom_id=name, style=style)
