"""The guard of minors: what is a word of young age however it is written, what only looks like one, where it counts."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import MinorsGuarded
from core.domain.minors import explicit, found, require_fit, require_grown
from core.domain.rating import Rating

YOUNG = (
    "child", "a kid", "kids, playing", "toddler", "baby girl", "Teen", "schoolgirl", "school-girl", "school_girl",
    "loli", "shota", "pre-teen", "preteens", "underage", "a minor", "jailbait", "little_girl", "in high school",
    "under 18", "15 years old", "15-year-old", "16yo", "16 y/o", "17 yr old", "a 9 months old", "age 12", "age: 12",
    "aged twelve", "fifteen years old", "sixteen-year-old", "zero years old", "barely legal",
    "niña", "menor de edad", "minderjährig", "petite fille", "bambina", "criança", "nieletnia", "девочка", "12 лет",
    "ロリ", "小女孩", "15歳", "초등학생", "طفل",
)  # fmt: skip
HIDDEN = (
    "t33n", "k1d", "k!d", "l0li", "chi1d", "ch1ld", "b@by", "sch00lgirl", "l o l i", "a l o l i girl", "t.e.e.n",
    "lo.li", "l*o*l*i", "te\u200ben", "1 6 y o", "ｌｏｌｉ", "lоli", "сhild", "ΚΙD", "tёёn", "łoli", "teeeeen",
    "looooli", "kiddd", "@teenager", "<lora:ann/teen:0.8>", "(teen:1.3)",
)  # fmt: skip
HARMLESS = (
    "kidney", "kidnap", "canteen", "velveteen", "fifteen candles", "a kind woman", "minority", "lollipop", "totem",
    "a song in c minor", "in A minor", "minor scratches", "baby blue eyes", "baby's breath", "Billy the Kid",
    "kid gloves", "18 years old", "18yo", "25 years old", "twenty-five years old", "a hundred and fifteen years old",
    "115 years old", "a 3,000 years old castle", "aged 40", "page 12", "stage 12", "image 12", "15 mm lens", "512x768",
    "0.8", "zorp:0.8", "5 min or more", "15 steps", "under 180", "two people", "1girl, solo", "adult woman", "Nina", "",
)  # fmt: skip
EXPLICIT = ("nude", "n4ked", "a n u d e woman", "TOPLESS", "sex", "lingerie", "hentai", "裸", "обнажённая", "desnuda")
TAME = (
    "Essex",
    "unisex top",
    "cocktail",
    "to the naked eye",
    "grilled chicken breast",
    "analysis",
    "a swimsuit",
    "title",
)
WORDS = ("child", "loli", "schoolgirl", "toddler", "teenager", "preteen")
LOOKALIKES = {"a": "аα@4", "c": "с", "e": "еε3", "i": "іι1", "o": "оο0", "s": "ѕ$5", "t": "τ7", "l": "|ӏ"}


@pytest.mark.parametrize("text", [*YOUNG, *HIDDEN])
def test_words_of_young_age_are_found_however_they_are_written(text: str) -> None:
    assert found(text)
    assert found(f"a portrait, {text}, in a garden")


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert found(text) is None
    assert found(f"a portrait, {text}, in a garden") is None


@pytest.mark.parametrize("text", EXPLICIT)
def test_what_is_explicit_is_found(text: str) -> None:
    assert explicit(text)


@pytest.mark.parametrize("text", [*TAME, "child", ""])
def test_what_only_sounds_so_is_not_explicit(text: str) -> None:
    assert explicit(text) is None


@given(
    word=st.sampled_from(WORDS),
    sign=st.sampled_from(["", ".", "-", "_", "*", "\u200b", "\u00ad", " ", "  ", " . "]),
    before=st.sampled_from(["", "a ", "one, ", "portrait of a "]),
    after=st.sampled_from(["", ", smiling", " in a garden", "!", ".png"]),
    data=st.data(),
)
def test_signs_blanks_case_and_other_scripts_hide_nothing(
    word: str, sign: str, before: str, after: str, data: st.DataObject
) -> None:
    letters = [data.draw(st.sampled_from([one, one.upper(), *LOOKALIKES.get(one, "")])) for one in word]
    if all(not "a" <= one.casefold() <= "z" for one in letters):
        letters[0] = word[0]  # nothing but digits and signs is no word

    assert found(before + sign.join(letters) + after)


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    word = found(text)

    assert word is None or word.strip()


@pytest.mark.parametrize("text", ["l o " * 300, "a-" * 500, "1" * 1000, "twenty " * 200, "teee" * 250, "." * 1000])
def test_long_texts_take_no_long_time(text: str) -> None:
    start = time.process_time()
    for _ in range(10):
        found(text)

    assert time.process_time() - start < 5


def test_an_error_says_which_word() -> None:
    require_grown("a woman", "with kidney beans")
    with pytest.raises(MinorsGuarded, match="«teen» cannot stand here"):
        require_grown("a woman", "a t.e.e.n")


@pytest.mark.parametrize(
    ("text", "rating", "fits"),
    [
        ("a teen reads a book", Rating.SFW, True),
        ("a teen reads a book", Rating.NSFW, False),
        ("a nude woman", Rating.SFW, True),
        ("a nude woman", Rating.NSFW, True),
        ("a nude teen", Rating.SFW, False),
    ],
)
def test_young_age_and_what_is_for_adults_never_meet(text: str, rating: Rating, *, fits: bool) -> None:
    if fits:
        require_fit(text, rating=rating)
    else:
        with pytest.raises(MinorsGuarded):
            require_fit(text, rating=rating)
    split = text.partition(" ")
    if not fits:
        with pytest.raises(MinorsGuarded):
            require_fit(*split, rating=rating)
