"""Trigger words, captions, names: the texts of the domain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.caption import CaptionMode, composed, merged
from core.domain.errors import BadTrigger, BadValue
from core.domain.generation import PROMPT_LENGTH, prompt
from core.domain.model import slug
from core.domain.trigger import LONGEST, SHORTEST, WORD, guarded, ordinary

triggers = st.from_regex(r"[a-z0-9][a-z0-9_-]{1,30}[a-z]", fullmatch=True).filter(lambda word: not ordinary(word))


@given(st.text(max_size=40))
def test_a_trigger_word_is_plain_ascii_or_refused_with_a_suggestion_that_passes(text: str) -> None:
    try:
        word = guarded(text)
    except BadTrigger as refused:
        word = guarded(refused.suggestion)
    assert WORD.fullmatch(word)
    assert word.isascii()
    assert SHORTEST <= len(word) <= LONGEST
    assert not ordinary(word)


@given(triggers)
def test_a_good_trigger_word_passes_in_any_case_and_width(word: str) -> None:
    wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in word)

    assert guarded(f" {word.upper()} ") == guarded(wide) == word


@pytest.mark.parametrize(
    "word",
    [
        *("zоrp", "zοrp", "ｚоrp", "żorp", "zorp!", "zo rp", "zorp\u200b", "жорп", "_zorp", "zorp-"),
        *(f"zor{letter}" for letter in "аеорсухѕіјһԁɡρνοꞵıøœ"),
    ],
)
def test_what_looks_like_a_trigger_word_is_refused(word: str) -> None:
    with pytest.raises(BadTrigger):
        guarded(word)


@pytest.mark.parametrize(
    "word", ["CAT", "style", "lora", "2026", "3-4", "ab", "", "x" * 33, "red-hair", "cat_2", "close-up"]
)
def test_ordinary_short_and_long_words_and_numbers_are_refused(word: str) -> None:
    with pytest.raises(BadTrigger):
        guarded(word)


@given(triggers, st.lists(st.text(max_size=10), max_size=3), st.text(max_size=30))
def test_a_caption_starts_with_the_trigger_which_stands_there_once(word: str, traits: list[str], scene: str) -> None:
    text = composed(word, traits=traits, scene=scene)
    parts = text.split(", ")

    assert parts[0] == word
    assert [part.casefold() for part in parts].count(word) == 1
    assert composed(word, scene=text.removeprefix(word)) == text


def test_a_caption_is_trigger_traits_scene() -> None:
    assert composed("zorp", traits=["red hat", " "], scene=" on a beach ") == "zorp, red hat, on a beach"
    assert composed("zorp", scene="Zorp, on a beach") == "zorp, on a beach"
    assert composed("zorp") == "zorp"


@pytest.mark.parametrize(
    ("old", "mode", "new"),
    [
        (None, CaptionMode.IGNORE, "zorp, a hat"),
        (None, CaptionMode.APPEND, "zorp, a hat"),
        ("mine", CaptionMode.IGNORE, None),
        ("mine", CaptionMode.APPEND, "mine, a hat"),
        ("mine, a hat", CaptionMode.APPEND, None),
        ("mine", CaptionMode.OVERWRITE, "zorp, a hat"),
    ],
)
def test_automatic_captions_respect_what_stands(old: str | None, mode: CaptionMode, new: str | None) -> None:
    assert merged("zorp", old, "a hat", mode) == new


@given(st.text(max_size=1200))
def test_a_prompt_is_one_line_or_refused(text: str) -> None:
    try:
        line = prompt(text)
    except BadValue:
        assert not text.split() or len(" ".join(text.split())) > PROMPT_LENGTH
        return
    assert line == " ".join(text.split())
    assert 1 <= len(line) <= PROMPT_LENGTH


@given(st.text(max_size=60))
def test_a_slug_can_stand_in_a_file_name(text: str) -> None:
    name = slug(text)

    assert name
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert slug(name) == name
