from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.chat.definition import Definition
from bots.chat.parameter import Files
from bots.chat.parsing import parsed, split, typable
from bots.commands import discovered
from core.domain.errors import BadValue, DomainError, NotFound

COMMANDS = discovered()

lines = pytest.mark.parametrize(
    ("line", "path", "words", "paths"),
    [
        ("start", "start", {}, ()),
        ("/Start", "start", {}, ()),
        ("dataset new zorp trigger=zorp", "dataset new", {"name": "zorp", "trigger": "zorp"}, ()),
        ("dataset new trigger=zorp zorp", "dataset new", {"name": "zorp", "trigger": "zorp"}, ()),
        ('dataset new "my zorp" zorp', "dataset new", {"name": "my zorp", "trigger": "zorp"}, ()),
        ("dataset add zorp a.png b=c.png", "dataset add", {"dataset": "zorp"}, ("a.png", "b=c.png")),
        ("imagine a zorp on a hill count=2", "imagine", {"prompt": "a zorp on a hill", "count": "2"}, ()),
        ("imagine count=2 a zorp seed=3 here", "imagine", {"prompt": "a zorp here", "count": "2", "seed": "3"}, ()),
        ("imagine alice's zorp on bob's hill", "imagine", {"prompt": "alice's zorp on bob's hill"}, ()),
        ("imagine '2 = 2' zorp", "imagine", {"prompt": "2 = 2 zorp"}, ()),
        (
            "train order zorp demo-tiny rank=8 steps=20",
            "train order",
            {"dataset": "zorp", "offering": "demo-tiny", "settings": "rank=8 steps=20"},
            (),
        ),
        (
            "train order zorp demo-tiny fast settings=rank=8 steps=20",
            "train order",
            {"dataset": "zorp", "offering": "demo-tiny", "preset": "fast", "settings": "rank=8 steps=20"},
            (),
        ),
        ("help train order", "help", {"name": "train order"}, ()),
    ],
)


@lines
def test_a_line_becomes_a_command_with_its_arguments(
    line: str, path: str, words: Mapping[str, str], paths: tuple[str, ...]
) -> None:
    typed = parsed(line, COMMANDS)

    assert (typed.definition.path, typed.words, typed.paths) == (path, words, paths)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("trian order zorp", "Did you mean `train order`? See `help`."),
        ("datset new zorp", "Did you mean `dataset new`? See `help`."),
        ("walet", "Did you mean `wallet`? See `help`."),
        ("xyzzy", "See `help`."),
        ("", "See `help`."),
    ],
)
def test_an_unknown_command_names_the_nearest(line: str, hint: str) -> None:
    with pytest.raises(NotFound) as caught:
        parsed(line, COMMANDS)

    assert caught.value.hint == hint


def test_a_group_alone_names_its_commands() -> None:
    with pytest.raises(NotFound) as caught:
        parsed("payout", COMMANDS)

    assert caught.value.hint == "There are: `payout cancel`, `payout list`, `payout request`, `payout spend`."


def test_commands_behind_buttons_are_never_suggested() -> None:
    with pytest.raises(NotFound) as caught:
        parsed("dataset delete-nov zorp", COMMANDS)

    assert caught.value.hint == "Did you mean `dataset delete`? See `help`."


@pytest.mark.parametrize("line", ['imagine "a zorp', "imagine 'a zorp", "imagine a zorp\\"])
def test_an_open_quote_is_said_in_words(line: str) -> None:
    with pytest.raises(BadValue, match="a quote is not closed"):
        parsed(line, COMMANDS)


def test_a_word_too_many_is_said_with_the_usage() -> None:
    with pytest.raises(BadValue, match=r"«now» is not a valid argument.*usage: `dataset upload DATASET`"):
        parsed("dataset upload zorp now", COMMANDS)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(BadValue, match="no UTF-8 text"):
        parsed("imagine \udcff", COMMANDS)


@given(st.text())
def test_any_line_is_a_command_or_an_error_in_words(line: str) -> None:
    with suppress(DomainError):
        assert parsed(line, COMMANDS).definition.path in COMMANDS


@st.composite
def uses(draw: st.DrawFn) -> tuple[Definition, dict[str, str]]:
    definition = COMMANDS[draw(st.sampled_from(sorted(COMMANDS)))]
    names = [name for name, kind in definition.parameters.items() if not isinstance(kind, Files)]
    chosen = draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    return definition, {name: draw(st.text()) for name in chosen}


@given(uses())
def test_what_a_button_does_can_be_typed(use: tuple[Definition, dict[str, str]]) -> None:
    definition, arguments = use

    typed = parsed(typable(definition, arguments), COMMANDS)

    assert (typed.definition, typed.words, typed.paths) == (definition, arguments, ())


def test_a_button_is_typed_as_people_would() -> None:
    assert typable(COMMANDS["train confirm"], {"quote": "abc"}) == "train confirm abc"
    assert (
        typable(COMMANDS["imagine"], {"prompt": "zorp on a hill", "count": "2"}) == "imagine 'zorp on a hill' count=2"
    )


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="'\"\\", exclude_categories=("Cs", "Z", "Cc")))))
def test_words_without_quotes_are_split_at_blanks(words: list[str]) -> None:
    assert split(" ".join(words)) == [word for word in words if word]
