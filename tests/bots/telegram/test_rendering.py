"""Whatever people write is shown as they wrote it, in HTML that Telegram takes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import InlineKeyboardMarkup

from bots.chat.asking import Question
from bots.chat.parameter import Choice, Page
from bots.chat.reply import Button, Reply, Table
from bots.commands import discovered
from bots.telegram.formatting import CAPTION, LABEL, TEXT, label, units
from bots.telegram.meeting import PLATFORM, private_place
from bots.telegram.rendering import choices, keyboard, named, question_text, text_of
from core.domain.account import Place
from core.domain.draft import Draft, Large, Received
from core.domain.job import Progress
from tests.builders.entities import an_artifact
from tests.emulators.telegram import formatting

HERE = private_place(42)
GROUP = Place(platform=PLATFORM, chat="-100", private=False, community="-100")

NASTY = st.sampled_from(
    [
        "*bold* _it_ [a](b) `code` ```pre``` ||spoiler|| > quote",
        "<b>bold</b> <a href='x'>&lt;&amp;</a> <script> </i> <b",
        "@everyone @here @admin <@1> tg://user?id=1",
        "\u200b\u200e\u2060\ufeff\u00ad\u3164",
        "😀👩‍👩‍👧‍👦" * 900,
        "x" * 5000,
        "a`b`c`" * 900,
        "\x00\x1b[31m\ud800\udfff",
        "   \n\t\n",
        "",
    ]
)
ANYTHING = st.one_of(NASTY, st.text(max_size=60), st.characters(codec=None).map(str))


NOW = datetime(2026, 1, 1, tzinfo=UTC)
DATA = 64  # bytes that a button carries


def a_question(text: str, path: str, name: str, place: Place) -> Question:
    """A question with a text in every field that is shown."""
    draft = Draft(
        id=f"telegram:{2**31}",
        account="a",
        place=place,
        command=path,
        received=(Received(origin="1", artifact=an_artifact()),),
        large=(Large(origin="2", name=text, size=2, most=1),),
        pages=("", ""),
        trail=(name,),
        created_at=NOW,
        expires_at=NOW,
    )
    page = Page(choices=tuple(Choice(value=str(number), label=text) for number in range(8)), more=True)
    return Question(draft=draft, definition=discovered()[path], name=name, page=page, words=text)


def prove_that_telegram_takes(markup: InlineKeyboardMarkup | None) -> None:
    """Prove that every button says something, and carries no more than it can."""
    assert markup
    for button in (one for row in markup.inline_keyboard for one in row):
        assert not formatting.blank(button.text)
        assert formatting.units(button.text) <= LABEL
        assert len(str(button.callback_data).encode()) <= DATA


def a_reply(text: str) -> Reply:
    """A reply with a text in every field that is shown."""
    return Reply(
        title=text,
        lines=(text, text),
        fields=((text, text),),
        table=Table(header=(text, text), rows=((text, text), (text, text))),
        progress=Progress(step=1, total=3, doing=text[:50]),
        buttons=(Button(label=text, command="me", token="t" * 16),),
    )


@given(ANYTHING, st.sampled_from([TEXT, CAPTION]), st.sampled_from([HERE, GROUP]))
def test_any_text_is_html_that_telegram_takes(text: str, most: int, place: Place) -> None:
    links = {text: "http://127.0.0.1/d/x", "b": "http://127.0.0.1/d/y"}
    reply = a_reply(text)
    source = text_of(reply, place, discovered(), most=most, further=(text,), links=links, mention="42")

    shown, _ = formatting.formatted(source, "HTML")

    assert not formatting.blank(shown)
    assert formatting.units(shown) <= most
    source.encode()
    prove_that_telegram_takes(keyboard(reply.buttons))


@given(
    ANYTHING, st.sampled_from([("dataset view", "dataset"), ("dataset add", "files")]), st.sampled_from([HERE, GROUP])
)
def test_any_question_is_html_and_buttons_that_telegram_takes(text: str, about: tuple[str, str], place: Place) -> None:
    question = a_question(text, *about, place)
    source = question_text(question, discovered(), most=TEXT)

    shown, _ = formatting.formatted(source, "HTML")

    assert not formatting.blank(shown)
    assert formatting.units(shown) <= TEXT
    source.encode()
    prove_that_telegram_takes(choices(question))


@given(ANYTHING)
def test_nobody_is_called_by_what_somebody_wrote(text: str) -> None:
    source = text_of(a_reply(f"@here {text} @everyone"), GROUP, discovered(), most=TEXT)

    shown, entities = formatting.formatted(source, "HTML")

    assert [entity for entity in formatting.found(shown) if entity["type"] == "mention"] == []
    assert {entity["type"] for entity in entities} <= {"bold", "italic", "code"}


def test_what_to_do_is_said_where_there_is_nothing_to_choose_from() -> None:
    question = replace(a_question("", "dataset view", "dataset", GROUP), page=Page())

    shown, _ = formatting.formatted(question_text(question, discovered(), most=TEXT), "HTML")

    assert shown.splitlines()[:3] == [
        "There is no dataset to choose yet. See /dataset_list, or make one: /dataset_new NAME trigger=WORD.",
        "Which dataset",
        "Reply to this with it.",
    ]


@given(ANYTHING)
def test_any_title_alone_is_shown(text: str) -> None:
    shown, _ = formatting.formatted(text_of(Reply(title=text), HERE, (), most=TEXT), "HTML")

    assert not formatting.blank(shown)


@given(ANYTHING)
def test_any_words_fit_a_button(text: str) -> None:
    words = label(text)

    assert not formatting.blank(words)
    assert units(words) == formatting.units(words) <= LABEL


@given(st.text(alphabet="ab<>&*_@ #\"'", max_size=50))
def test_what_is_written_is_what_is_read(text: str) -> None:
    reply = Reply(title="first", lines=(text, "last"))

    shown, entities = formatting.formatted(text_of(reply, HERE, (), most=TEXT), "HTML")

    assert shown.replace("\u2060", "") == f"first\n{text}\nlast"
    assert [entity["type"] for entity in entities] == ["bold"]


def test_a_reply_as_telegram_reads_it() -> None:
    reply = Reply(
        title="Datasets",
        lines=("Make one: `dataset new NAME`.", "Not a command: `zorp`"),
        fields=(("points", "100"),),
        table=Table(header=("name", "size", "status"), rows=(("zorp", "3 pictures", "ready"),)),
        progress=Progress(step=1, total=2),
        link="http://127.0.0.1/u/x",
    )

    shown, entities = formatting.formatted(text_of(reply, HERE, discovered(), most=TEXT), "HTML")

    assert shown.splitlines() == [
        "Datasets",
        "Make one: /dataset_new NAME.",
        "Not a command: zorp",
        "points: 100",
        "",
        "name · size · status",
        "zorp — 3 pictures · ready",
        "▰▰▰▰▰▰▱▱▱▱▱▱ 1/2",
        "http://127.0.0.1/u/x",
    ]
    assert [entity["type"] for entity in entities] == ["bold", "code", "code", "italic"]


def test_what_is_too_long_is_cut_before_the_link() -> None:
    reply = Reply(title="t", lines=("😀" * 5000,), link="http://127.0.0.1/u/x")

    shown, _ = formatting.formatted(text_of(reply, HERE, (), most=CAPTION), "HTML")

    assert shown.endswith("😀…\nhttp://127.0.0.1/u/x")
    assert formatting.units(shown) == CAPTION


def test_buttons_are_in_rows_of_two() -> None:
    markup = keyboard([Button(label=str(number), command="me", token=str(number)) for number in range(3)])

    assert markup
    assert [[one.text for one in row] for row in markup.inline_keyboard] == [["0", "1"], ["2"]]


def test_every_command_has_a_name_of_its_own() -> None:
    commands = discovered()

    assert sorted(named(commands).values()) == sorted(commands)
    with pytest.raises(TypeError, match="cannot be called"):
        named({"a b": commands["me"], "a-b": commands["me"]})
