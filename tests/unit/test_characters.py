"""Characters and their traits: what captions say of them, who may be made anything for adults of."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.catalogue import OfferingBroken, traits
from core.domain.caption import composed
from core.domain.character import (
    TRAITS,
    Trait,
    TraitCategory,
    category_name,
    character_name,
    said,
    trait_value,
)
from core.domain.consent import ADULT, RIGHTS
from core.domain.errors import BadValue, CharacterInactive, CharacterNotAdult
from core.domain.minors import require_grown
from core.domain.rating import Rating
from tests.builders.entities import NOON, a_character

PRESETS = traits()
parts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=","), max_size=12)


def a_trait(category: str, value: str) -> Trait:
    return Trait(category=category, value=value, phrase=f"{value} {category}")


def test_the_categories_of_the_house() -> None:
    assert {"hair-colour", "hair-style", "eye-colour", "skin-tone", "age", "clothing", "species"} <= set(PRESETS)
    assert PRESETS["eye-colour"].said("green") == "green eyes"


@pytest.mark.parametrize("category", PRESETS.values(), ids=list(PRESETS))
def test_what_is_suggested_can_be_said_of_somebody_grown(category: TraitCategory) -> None:
    assert len(set(category.values)) == len(category.values) > 0
    for value in category.values:
        assert trait_value(value) == value
        require_grown(value, category.said(value))


@pytest.mark.parametrize("phrase", ["eyes", "{value} and {value}", "{colour} eyes"])
def test_a_phrase_has_a_place_for_its_value(phrase: str) -> None:
    with pytest.raises(ValidationError, match="must say"):
        TraitCategory(id="eyes", title="Eyes", phrase=phrase)


@pytest.mark.parametrize(
    "text", ["[eyes", "[eyes]\ntitle = 'Eyes'", "[eyes]\ntitle = 'Eyes'\nphrase = 'eyes'", "x = 1"]
)
def test_a_file_of_traits_that_does_not_fit_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)

    with pytest.raises(OfferingBroken, match=r"^mine\.toml: ."):
        traits(file)


def test_a_file_of_traits_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OfferingBroken, match=r"^mine\.toml"):
        traits(tmp_path / "mine.toml")


def test_a_category_has_one_trait_which_keeps_its_place() -> None:
    character = (
        a_character().with_trait(a_trait("hair", "red"), now=NOON).with_trait(a_trait("eyes", "green"), now=NOON)
    )
    changed = character.with_trait(a_trait("hair", "blue"), now=NOON)

    assert changed.phrases == ("blue hair", "green eyes")
    assert changed.trait("hair") == a_trait("hair", "blue")
    assert changed.without_trait("hair", now=NOON).phrases == ("green eyes",)
    assert changed.trait("hat") is None


def test_a_character_has_only_so_many_traits() -> None:
    character = a_character()
    for number in range(TRAITS):
        character = character.with_trait(a_trait(f"mark {number}", "big"), now=NOON)

    assert character.with_trait(a_trait("mark 0", "small"), now=NOON).trait("mark 0") == a_trait("mark 0", "small")
    with pytest.raises(BadValue, match="at most 20"):
        character.with_trait(a_trait("tail", "long"), now=NOON)


def test_captions_say_the_traits_then_what_the_dataset_wants() -> None:
    character = a_character().with_trait(a_trait("hair", "red"), now=NOON)

    assert said(character, ["on paper"]) == ("red hair", "on paper")
    assert said(None, ["on paper"]) == ("on paper",)
    assert said(character.deleted(now=NOON), ["on paper"]) == ("on paper",)


@given(st.lists(parts, max_size=4), st.lists(parts, max_size=3).map(",".join))
def test_a_caption_says_trigger_traits_scene_in_this_order_and_each_once(phrases: list[str], scene: str) -> None:
    text = composed("zorp", traits=phrases, scene=scene)
    spoken = [part.casefold() for part in text.split(", ")]
    wanted = dict.fromkeys(part.strip().casefold() for part in ("zorp", *phrases, *scene.split(",")) if part.strip())

    assert spoken == list(wanted)
    assert composed("zorp", traits=phrases, scene=text) == text
    assert composed("zorp", scene=text) == text


def test_nothing_for_adults_is_made_of_somebody_whom_nobody_spoke_for() -> None:
    character = a_character()
    character.require_adult_for(Rating.SFW)
    with pytest.raises(CharacterNotAdult, match=r"character adult .Zorp.*of age"):
        character.require_adult_for(Rating.NSFW)
    with pytest.raises(CharacterNotAdult):
        character.attested(RIGHTS, by="ann", now=NOON)

    attested = character.attested(ADULT, by="ann", now=NOON)

    attested.require_adult_for(Rating.NSFW)
    assert attested.adult is not None
    assert (attested.adult.by, attested.adult.at, attested.adult.words) == ("ann", NOON, ADULT)


def test_what_is_put_aside_gets_no_new_dataset() -> None:
    a_character().require_active()
    with pytest.raises(CharacterInactive, match="character edit Zorp active=yes"):
        a_character(active=False).require_active()


@given(st.text(max_size=70))
def test_names_and_values_are_short_lines_or_refused(text: str) -> None:
    for made in (character_name, trait_value, category_name):
        try:
            line = made(text)
        except BadValue:
            continue
        assert 1 <= len(line) <= 60
        assert line.isprintable()
        assert made(line) == line


def test_a_trait_is_one_thing() -> None:
    with pytest.raises(BadValue, match="without a comma"):
        trait_value("red, long")


@pytest.mark.parametrize(("typed", "name"), [(" Tail ", "tail"), ("Left  Arm", "left arm"), ("hair-colour",) * 2])
def test_a_category_of_ones_own_is_a_short_word(typed: str, name: str) -> None:
    assert category_name(typed) == name


@pytest.mark.parametrize("typed", ["", "1", "a,b", "x" * 31, "a\nb{", "-a", "a--b"])
def test_what_cannot_be_a_category(typed: str) -> None:
    with pytest.raises(BadValue):
        category_name(typed)
