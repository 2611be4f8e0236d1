"""Captions over time: what an undo goes back to, what a diff shows, what one change of many does."""

import re
from collections.abc import Sequence
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.caption import (
    LENGTH,
    NOTE_LENGTH,
    UNSEEN,
    CaptionReview,
    CaptionSource,
    CaptionVersion,
    before,
    caption_text,
    composed,
    diffed,
    set_name,
    succeeding,
)
from core.domain.errors import BadValue
from core.domain.rewrite import Rewrite, Verb, previewed, rewriting
from tests.builders.entities import NOON, a_caption, a_dataset, an_item

words = st.text("abcdez", min_size=1, max_size=4)
phrases = st.lists(words, min_size=1, max_size=3).map(" ".join)
captions = st.lists(phrases, max_size=5).map(", ".join)


@given(captions, captions)
def test_a_diff_tells_both_texts(old: str, new: str) -> None:
    shown = diffed(old, new)
    was = re.sub(r"\{\+.*?\+\}", "", shown).replace("[-", "").replace("-]", "")
    now = re.sub(r"\[-.*?-\]", "", shown).replace("{+", "").replace("+}", "")

    assert _bare(was) == _bare(old)
    assert _bare(now) == _bare(new)
    assert (shown == old) == (old == new)


def _bare(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("zorp, red hat", "zorp, blue hat", "zorp, [-red-] {+blue+} hat"),
        ("zorp, hat", "zorp, hat, on a beach", "zorp, hat{+, on a beach+}"),
        ("zorp, a hat", "", "[-zorp, a hat-]"),
        ("", "zorp", "{+zorp+}"),
        ("zorp, a hat", "gorp, a hat", "[-zorp-] {+gorp+}, a hat"),
        ("zorp", "zorp", "zorp"),
    ],
)
def test_a_diff_marks_what_went_and_what_came(old: str, new: str, shown: str) -> None:
    assert diffed(old, new) == shown


def written(texts: Sequence[str]) -> list[CaptionVersion]:
    """Write texts one after the other; an empty one means to undo."""
    versions: list[CaptionVersion] = []
    for text in texts:
        old = versions[-1] if versions else None
        back = before(versions) if versions and not text else None
        if not text and back is None:
            continue
        versions.append(
            succeeding(
                old,
                item="i0",
                text=back.text if back else text,
                author="ann",
                source=CaptionSource.UNDO if back else CaptionSource.HAND,
                now=NOON,
                restored=back.version if back else None,
            )
        )
    return versions


@given(st.lists(st.sampled_from(["", "", "a", "b", "c"]), max_size=12))
def test_undo_walks_back_as_an_editor_does(texts: list[str]) -> None:
    stack: list[str] = []
    for text in texts:
        if text:
            stack.append(text)
        elif len(stack) > 1:
            stack.pop()

    versions = written(texts)

    assert [version.version for version in versions] == list(range(1, len(versions) + 1))
    assert [version.text for version in versions[-1:]] == stack[-1:]
    assert bool(versions and before(versions)) == (len(stack) > 1)


def test_every_version_is_told_from_every_other() -> None:
    first = succeeding(None, item="i0", text="a", author="ann", source=CaptionSource.UPLOAD, now=NOON)
    other = succeeding(None, item="i0", text="a", author="ann", source=CaptionSource.UPLOAD, now=NOON, set="long")
    second = succeeding(first, item="i0", text="b", author="bob", source=CaptionSource.HAND, now=NOON, job="j1")

    assert [one.id for one in (first, other, second)] == ["i0:main:1", "i0:long:1", "i0:main:2"]
    assert (second.author, second.source, second.job) == ("bob", CaptionSource.HAND, "j1")


def test_a_new_version_is_to_be_reviewed_again() -> None:
    judged = a_caption("zorp").reviewed(CaptionReview.APPROVED, note=" very\n good ", by="bob")
    after = succeeding(judged, item="i0", text="zorp, a hat", author="ann", source=CaptionSource.HAND, now=NOON)

    assert (judged.review, judged.note, judged.reviewer) == (CaptionReview.APPROVED, "very good", "bob")
    assert (after.review, after.note, after.reviewer) == (CaptionReview.PENDING, "", None)
    with pytest.raises(BadValue, match="at most 200"):
        judged.reviewed(CaptionReview.REJECTED, note="x" * (NOTE_LENGTH + 1), by="bob")


@given(st.text(max_size=60) | st.text(min_size=LENGTH - 2, max_size=LENGTH + 2))
def test_a_caption_is_one_line_or_refused(text: str) -> None:
    line = " ".join("".join(" " if category(letter) in UNSEEN else letter for letter in text).split())
    if 1 <= len(line) <= LENGTH:
        assert caption_text(text) == line == caption_text(line)
        return
    with pytest.raises(BadValue):
        caption_text(text)


@pytest.mark.parametrize("name", ["", "a b", "ä", "x" * 31, "a/b", "a.b", "$a"])
def test_what_cannot_name_a_caption_set(name: str) -> None:
    with pytest.raises(BadValue, match="caption set"):
        set_name(name)


def test_the_name_of_a_caption_set() -> None:
    assert set_name(" Long-2 ") == "long-2"


@pytest.mark.parametrize(
    ("text", "find", "said", "after"),
    [
        ("zorp, red hat", "red", "blue", "zorp, blue hat"),
        ("zorp, Red hat, that RED one", "red", "blue", "zorp, blue hat, that blue one"),
        ("zorp, a hat, that", "hat", "cap", "zorp, a cap, that"),
        ("zorp, red hat, on a hill", "red hat", "", "zorp, on a hill"),
        ("zorp, red  hat", "hat", "", "zorp, red"),
        ("zorp", "zorp", "", ""),
        ("zorp, (hat)", "(hat)", r"\1", r"zorp, \1"),
        ("zorp, blue eyes, green eyes", "green eyes", "blue eyes", "zorp, blue eyes"),
        ("zorp,hat", "cap", "x", "zorp,hat"),
    ],
)
def test_words_are_found_whole_in_any_case_and_said_once(text: str, find: str, said: str, after: str) -> None:
    assert rewriting(Verb.REPLACE, find=find, words=said).of(text, trigger="zorp") == after


@pytest.mark.parametrize(
    ("verb", "text", "after"),
    [
        (Verb.PREPEND, "zorp, a hat", "zorp, at night, a hat"),
        (Verb.PREPEND, "a hat", "at night, a hat"),
        (Verb.PREPEND, "zorpling, a hat", "at night, zorpling, a hat"),
        (Verb.PREPEND, "zorp, at night, a hat", "zorp, at night, a hat"),
        (Verb.APPEND, "zorp, a hat", "zorp, a hat, at night"),
        (Verb.APPEND, "zorp, At night, a hat", "zorp, At night, a hat"),
        (Verb.CLEAR, "zorp, a hat", ""),
    ],
)
def test_words_are_said_first_or_last_once(verb: Verb, text: str, after: str) -> None:
    assert rewriting(verb, words="at night").of(text, trigger="zorp") == after


@given(st.sampled_from([Verb.PREPEND, Verb.APPEND]), phrases, captions)
def test_saying_words_twice_changes_nothing_more(verb: Verb, said: str, scene: str) -> None:
    rewrite, text = rewriting(verb, words=said), composed("zorp", scene=scene)
    once = rewrite.of(text, trigger="zorp")

    assert once.startswith("zorp")
    assert rewrite.of(once, trigger="zorp") == once
    assert set(once.split(", ")) == {*text.split(", "), said}


@pytest.mark.parametrize(
    ("verb", "find"), [(Verb.REPLACE, " "), (Verb.PREPEND, "x"), (Verb.APPEND, "x")], ids=["replace", "first", "last"]
)
def test_a_change_says_what_it_is_about(verb: Verb, find: str) -> None:
    with pytest.raises(BadValue, match="say which words"):
        rewriting(verb, find=find)


def test_a_caption_that_would_become_too_long_stops_the_change() -> None:
    with pytest.raises(BadValue, match="1 to 1000"):
        Rewrite(verb=Verb.APPEND, words="x").of("y" * LENGTH, trigger="zorp")


def test_a_preview_shows_what_changes_and_stands_for_exactly_that() -> None:
    dataset = a_dataset()
    texts = ("zorp, a hat", "zorp", None)
    items = [
        an_item(number).captioned(a_caption(text, item=f"i{number}")) if text else an_item(number)
        for number, text in enumerate(texts)
    ]
    rewrite = rewriting(Verb.REPLACE, find="hat", words="cap")
    preview = previewed(dataset, items, rewrite)
    edited = [items[0], items[1].captioned(a_caption("zorp, two hats", item="i1", version=2)), items[2]]
    hatted = [items[0], items[1].captioned(a_caption("zorp, her hat", item="i1", version=2)), items[2]]

    assert [(one.item.id, one.before, one.after) for one in preview.changes] == [("i0", "zorp, a hat", "zorp, a cap")]
    assert previewed(dataset, edited, rewrite).digest == preview.digest
    assert previewed(dataset, hatted, rewrite).digest != preview.digest
    assert previewed(dataset, items, rewriting(Verb.REPLACE, find="hat", words="bow")).digest != preview.digest
