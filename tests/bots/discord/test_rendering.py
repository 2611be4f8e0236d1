"""Replies as messages: within Discord's limits whatever people wrote, and what they wrote shown as they wrote it."""

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bots.chat.asking import Question
from bots.chat.parameter import Choice, Page, Text
from bots.chat.reply import Button, Reply, Table
from bots.commands import discovered
from bots.discord.escaping import plain, units, written
from bots.discord.questions import asked, form, keyboard
from bots.discord.rendering import buttons, embedded
from core.domain.account import Place, Platform
from core.domain.draft import Draft
from core.domain.job import Progress
from core.ports.clock import SystemClock
from tests.emulators.discord.checks import check_message, check_modal

COMMANDS = discovered()
PARTS = [
    "@everyone",
    "<@8>",
    "<#8>",
    "```",
    "](x)",
    "1. ",
    "-# ",
    *"*_~|`<>[]()@#-\\\n\r\t ab1:/",
    "\u200b",
    "\u202e",
    "é",
    "\U0001f600",
]
NASTY = st.lists(st.sampled_from(PARTS), max_size=60).map("".join)
LITERAL = NASTY.filter(lambda text: "`" not in text)
LONG = st.builds(lambda text, times: text * times, NASTY, st.integers(min_value=1, max_value=90))
MARKUP = re.compile(r"(?<!\\)(?:\\\\)*(?:[*_~|<>\[\]@]|^[ \t]*(?:[-#]|\d+\.\s))", re.MULTILINE)
LINK = "https://x.y/a_b*c~d"
BESIDE = "x" * 40  # makes a table too wide for a block


def read(text: str) -> str:
    """What a reader sees of an escaped text."""
    return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", text).replace("@\u200b", "@")


def wrote(text: str) -> str:
    """What somebody wrote, as far as it can be seen."""
    return text.strip().replace("@\u200b", "@")


@given(LITERAL)
def test_what_people_wrote_is_read_as_they_wrote_it_and_has_no_markup(text: str) -> None:
    shown = written(text, limit=4000)
    assert (read(shown), MARKUP.search(shown)) == (wrote(text), None)


@given(LITERAL, LITERAL)
def test_a_link_is_left_as_it_is(before: str, after: str) -> None:
    assert f" {LINK} " in written(f"{before}: {LINK} {after}.", limit=4000)


@given(LONG, st.integers(min_value=2, max_value=400))
def test_nothing_is_longer_than_there_is_room(text: str, limit: int) -> None:
    assert units(written(text, limit=limit)) <= limit
    assert units(written(LINK + text, limit=limit)) <= limit
    assert 1 <= units(plain(text, limit=limit)) <= limit


@given(LITERAL)
def test_every_place_of_a_message_shows_what_people_wrote(text: str) -> None:
    table = Table(header=(text, text, text), rows=((text, text, BESIDE),))
    embed = embedded(Reply(title=text, lines=(text,), fields=((text, text),), table=table), COMMANDS)
    said, flat = wrote(text), " ".join(wrote(text).split())
    row = " · ".join(filter(None, (f"**{flat or '–'}**", flat, BESIDE)))
    assert read(embed.title or "") == said
    assert [(read(one.name or ""), read(one.value or "")) for one in embed.fields] == [(said or "–", said or "–")]
    assert read(embed.description or "") == "\n".join(filter(None, (said, row)))


@settings(max_examples=30)
@given(LONG, LONG, st.lists(st.tuples(LONG, LONG), max_size=30), st.lists(st.tuples(LONG, LONG, NASTY), max_size=10))
def test_every_reply_fits_into_a_message(
    title: str, line: str, fields: list[tuple[str, str]], rows: list[tuple[str, ...]]
) -> None:
    told = Reply(
        title=title,
        lines=(line, line),
        fields=tuple(fields),
        table=Table(header=(title, line, title), rows=tuple(rows)),
        progress=Progress(step=1, total=3, doing=line, eta=90),
        buttons=tuple(
            Button(label=name, command="me", token=f"{number:016}") for number, (name, _) in enumerate(fields)
        ),
    )
    embed, view = embedded(told, COMMANDS, notes=("a note",)), buttons(told, COMMANDS)
    check_message({"embeds": [embed.to_dict()], "components": view.to_components() if view else []}, names=())
    assert "a note" in (embed.description or "")


@settings(max_examples=30)
@given(LONG, st.lists(LONG, max_size=24))
async def test_every_question_fits_into_a_message_and_a_form(text: str, labels: list[str]) -> None:
    kind = Text(text)
    definition = replace(COMMANDS["dataset view"], parameters={"dataset": kind})
    now = SystemClock().now()
    place = Place(platform=Platform.DISCORD, chat="7")
    draft = Draft(id="T" * 16, account="a", place=place, command="dataset view", created_at=now, expires_at=now)
    page = Page(choices=tuple(Choice(value="v", label=label) for label in labels), more=True)
    question = Question(draft=draft, definition=definition, name="dataset", page=page, words=text)
    embed, view = embedded(asked(question), COMMANDS), keyboard(question)
    check_message({"embeds": [embed.to_dict()], "components": view.to_components()}, names=())
    check_modal(form("d:T", definition, ["dataset"]).to_dict())
    assert embed.title


def test_nobody_is_mentioned() -> None:
    assert (
        written("@everyone <@4194304000000000000>", limit=99) == "\\@\u200beveryone \\<\\@\u200b4194304000000000000\\>"
    )


def test_our_commands_are_spelled_as_they_are_typed_here() -> None:
    reply = Reply(title="x", lines=("Now: `dataset add zorp FILES…`, not `this`.",))
    assert embedded(reply, COMMANDS).description == "Now: `/dataset add zorp FILES…`, not `this`."


def test_a_narrow_table_is_a_block_and_a_wide_one_is_lines() -> None:
    narrow = Table(header=("name", "size"), rows=(("zorp", "3 pictures"), ("a", "10 pictures")))
    wide = narrow.but(rows=(("zorp" * 10, "3 pictures"),))
    assert embedded(Reply(title="x", table=narrow), COMMANDS).description == (
        "```\nname  size\nzorp  3 pictures\na     10 pictures\n```"
    )
    assert embedded(Reply(title="x", table=wide), COMMANDS).description == f"**{'zorp' * 10}** · 3 pictures"


def test_a_bar_says_how_far_it_is() -> None:
    reply = Reply(title="x", progress=Progress(step=50, total=200, doing="training", eta=300))
    assert embedded(reply, COMMANDS).description == "`████░░░░░░░░░░░░` 50/200 · 5 min left · training"


def test_many_lines_are_counted_when_they_do_not_fit() -> None:
    reply = Reply(title="x", lines=("y" * 100,) * 100)
    description = embedded(reply, COMMANDS).description or ""
    assert (len(description) <= 4096, description.splitlines()[-1]) == (True, "… and 59 more")


async def test_ids_say_what_a_restart_has_to_know() -> None:
    told = (
        Button(label="Add", command="dataset add", arguments={"dataset": "d1"}, token="T" * 16),
        Button(label="", command="dataset new", token="U" * 16),
        Button(label="View", command="dataset view", arguments={"dataset": "d1"}, token="V" * 16),
    )
    view = buttons(Reply(title="x", buttons=told), COMMANDS)
    assert view
    assert [(one.label, one.custom_id) for one in view.children] == [  # type: ignore[attr-defined] # all are buttons
        ("Add", f"f:{'T' * 16}:dataset add:files"),
        ("…", f"f:{'U' * 16}:dataset new:name,trigger"),
        ("View", f"a:{'V' * 16}"),
    ]
    assert view.is_finished()


def test_the_form_of_every_command_fits_into_an_id() -> None:
    longest = max(len(f"f:{'T' * 16}:{path}:{','.join(one.needed)}") for path, one in COMMANDS.items())
    assert longest <= 100
