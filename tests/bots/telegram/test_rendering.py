"""Whatever people write is shown as they wrote it, in HTML that Telegram takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.chat.reply import Button, Reply, Table
from bots.commands import discovered
from bots.telegram.formatting import CAPTION, LABEL, TEXT, label, units
from bots.telegram.meeting import PLATFORM, private_place
from bots.telegram.rendering import keyboard, named, text_of
from core.domain.account import Place
from core.domain.job import Progress
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
    source = text_of(a_reply(text), place, discovered(), most=most)

    shown, _ = formatting.formatted(source, "HTML")

    assert not formatting.blank(shown)
    assert formatting.units(shown) <= most
    source.encode()


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
