"""Trigger words, captions, prompts: the texts of the domain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.caption import CaptionMode, composed, merged
from core.domain.errors import BadTrigger, BadValue
from core.domain.generation import PROMPT_LENGTH, prompt
from core.domain.model import Visibility, slug
from core.domain.trigger import COMMON, LONGEST, SHORTEST, WORD, folded, guarded, resolved, words
from tests.builders.entities import a_model

triggers = st.from_regex(r"[a-z0-9][a-z0-9_-]{2,31}", fullmatch=True).filter(lambda word: word not in COMMON)


@given(st.text(max_size=40))
def test_a_trigger_word_is_plain_ascii_or_refused_with_a_suggestion_that_passes(text: str) -> None:
    try:
        word = guarded(text)
    except BadTrigger as refused:
        word = guarded(refused.suggestion)
    assert WORD.fullmatch(word)
    assert word.isascii()
    assert SHORTEST <= len(word) <= LONGEST
    assert word not in COMMON


@given(triggers)
def test_a_good_trigger_word_passes_in_any_case_and_width(word: str) -> None:
    wide = "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in word)

    assert guarded(f" {word.upper()} ") == guarded(wide) == word


@pytest.mark.parametrize("word", ["zоrp", "zοrp", "ｚоrp", "żorp", "zorp!", "zo rp", "zorp\u200b", "жорп", "_zorp"])
def test_what_looks_like_a_trigger_word_is_refused(word: str) -> None:
    with pytest.raises(BadTrigger):
        guarded(word)


@pytest.mark.parametrize("word", ["CAT", "style", "ab", "", "x" * 33])
def test_ordinary_short_and_long_words_are_refused(word: str) -> None:
    with pytest.raises(BadTrigger):
        guarded(word)


@given(triggers, st.lists(st.sampled_from(["a", "RED", "star,", "«on»", "it's"])))
def test_a_prompt_calls_the_model_whose_word_is_in_it(word: str, others: list[str]) -> None:
    model = a_model(trigger=word)
    text = " ".join([*others, f"({word.upper()})", *others])

    assert word in words(text)
    assert resolved(text, [model], asker="bob") == model


@given(triggers, triggers)
def test_a_part_of_a_word_calls_nothing(word: str, other: str) -> None:
    assert resolved(f"{word}x{other}", [a_model(trigger=word)], asker="ann") is None


def test_the_first_word_wins_then_ones_own_then_the_order_given() -> None:
    early = a_model(id="m1", owner="bob", visibility=Visibility.PUBLIC)
    late = a_model(id="m2", owner="cid", visibility=Visibility.PUBLIC)
    mine = a_model(id="m3", owner="ann")
    blip = a_model(id="m4", owner="bob", trigger="blip")
    everything = [early, late, mine, blip]

    called = {
        "own before others": resolved("a zorp", everything, asker="ann"),
        "earliest of others": resolved("a zorp", everything, asker="dan"),
        "first word": resolved("a blip and a zorp", everything, asker="ann"),
        "nobody": resolved("nothing of that", everything, asker="ann"),
    }

    assert called == {"own before others": mine, "earliest of others": early, "first word": blip, "nobody": None}


@given(st.text())
def test_words_are_folded_and_come_once(text: str) -> None:
    found = words(text)

    assert len(found) == len(set(found))
    assert all(word in folded(text) for word in found)


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
