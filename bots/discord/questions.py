"""What is asked for, as Discord draws it: questions as messages, whose ids carry their draft, and forms (modals)."""

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import discord

from bots.chat.asking import Question
from bots.chat.definition import Definition
from bots.chat.parameter import Files
from bots.chat.reply import Reply
from bots.chat.wording import number
from bots.discord.escaping import plain
from bots.discord.filing import Attached

OPTION, PLACEHOLDER = 100, 150  # Discord's limits
TITLE, LABEL, DESCRIPTION, INPUTS, FILES = 45, 45, 100, 5, 10  # the same of forms
SELECT, FEWER, DONE, CANCEL = "s", "fewer", "done", "cancel"  # what the ids say after the draft and its stamp
MORE = "more"  # the option that turns the page; the others are numbers

Filled = str | tuple[Attached, ...]


def asked(question: Question) -> Reply:
    """What is asked, in words."""
    count = len(question.draft.received)
    come = f"{number(count, 'file')} {'has' if count == 1 else 'have'} come"
    if question.files:
        return Reply(title=come, lines=_some(question.words, "Send more here, then press Done."))
    words = _some(question.words, question.nothing, f"{come}." if count else "")
    return Reply(title=f"{question.parameter.help}?", lines=words)


def keyboard(question: Question) -> discord.ui.View:
    """What can be pressed. The view is stopped: the library need not remember what the ids say."""
    view = discord.ui.View(timeout=None)
    if question.page.choices:
        view.add_item(_select(question))
    if question.before:
        view.add_item(discord.ui.Button(label="Back", custom_id=_id(question, FEWER)))
    if question.files:
        green = discord.ButtonStyle.success
        view.add_item(discord.ui.Button(label="Done", custom_id=_id(question, DONE), style=green))
    view.add_item(discord.ui.Button(label="Cancel", custom_id=_id(question, CANCEL)))
    view.stop()
    return view


def form(custom_id: str, definition: Definition, names: Sequence[str]) -> discord.ui.Modal:
    """A form for some parameters of a command. It is stopped, so that the library does not wait for its answer."""
    modal = discord.ui.Modal(title=plain(f"/{definition.path}", limit=TITLE), custom_id=custom_id, timeout=None)
    for name in names[:INPUTS]:
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


def _some(*words: str) -> tuple[str, ...]:
    return tuple(filter(None, words))


def _id(question: Question, what: str) -> str:
    return f"c:{question.draft.id}:{question.draft.stamp}:{what}"


def _select(question: Question) -> discord.ui.Select[discord.ui.View]:
    options = [
        discord.SelectOption(label=plain(choice.label, limit=OPTION), value=str(index))
        for index, choice in enumerate(question.page.choices)
    ]
    if question.page.more:
        options.append(discord.SelectOption(label="More…", value=MORE))
    placeholder = plain(question.parameter.help, limit=PLACEHOLDER)
    return discord.ui.Select(custom_id=_id(question, SELECT), placeholder=placeholder, options=options)


def _upload(name: str) -> discord.ui.FileUpload[Any]:
    return discord.ui.FileUpload(custom_id=name, min_values=1, max_values=FILES)


def _text(name: str, *, long: bool) -> discord.ui.TextInput[Any]:
    style = discord.TextStyle.paragraph if long else discord.TextStyle.short
    return discord.ui.TextInput(custom_id=name, style=style)
