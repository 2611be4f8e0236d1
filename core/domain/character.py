"""Characters: who is depicted, called by a trigger word, with traits that every caption says."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Self

from pydantic import field_validator

from core.domain.consent import ADULT, WORDS, Attestation
from core.domain.errors import BadValue, CharacterInactive, CharacterNotAdult, NotFound
from core.domain.rating import Rating
from core.domain.trigger import folded
from core.domain.value import Entity, Value

NAME_LENGTH, VALUE_LENGTH = 60, 60  # characters
TRAITS = 20  # of one character
CATEGORY = re.compile(r"[^\W\d_](?:[ -]?[^\W_]){0,29}")  # short words
HOLE = "{value}"


class TraitCategory(Value):
    """A preset category: values to suggest, and how a value is said in a caption, as in `{value} eyes`."""

    id: str
    title: str
    phrase: str
    values: tuple[str, ...] = ()

    @field_validator("phrase")
    @classmethod
    def _holed(cls, phrase: str) -> str:
        if phrase.count(HOLE) != 1:
            msg = f"it must say {HOLE} once"
            raise ValueError(msg)
        return phrase

    def said(self, value: str) -> str:
        """How a caption says a value."""
        return self.phrase.replace(HOLE, value)


class Trait(Value):
    """One trait: its category, its value, and both as a caption says them."""

    category: str
    value: str
    phrase: str


class Character(Entity):
    """Somebody who is depicted. `adult` says who attested that it is somebody of age."""

    owner: str
    name: str
    folded: str
    trigger: str
    traits: tuple[Trait, ...] = ()
    active: bool = True
    adult: Attestation | None = None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    @property
    def phrases(self) -> tuple[str, ...]:
        """Its traits as captions say them."""
        return tuple(trait.phrase for trait in self.traits)

    def trait(self, category: str) -> Trait | None:
        """Its trait of a category, if it has one."""
        return next((trait for trait in self.traits if trait.category == category), None)

    def edited(self, *, name: str | None, trigger: str | None, active: bool | None, now: datetime) -> Self:
        """The character otherwise; what is left out stays."""
        called = self.name if name is None else name
        return self.but(
            name=called,
            folded=folded(called),
            trigger=self.trigger if trigger is None else trigger,
            active=self.active if active is None else active,
            updated_at=now,
        )

    def with_trait(self, trait: Trait, *, now: datetime) -> Self:
        """With a trait, in the place of the one of its category where there is one.

        Raises:
            BadValue: It has as many traits as one may have.
        """
        known = {one.category: one for one in self.traits} | {trait.category: trait}
        if len(known) > TRAITS:
            raise BadValue(what="trait", value=trait.value, why=f"a character has at most {TRAITS}")
        return self.but(traits=tuple(known.values()), updated_at=now)

    def without_trait(self, category: str, *, now: datetime) -> Self:
        """Without the trait of a category."""
        left = tuple(trait for trait in self.traits if trait.category != category)
        return self.but(traits=left, updated_at=now)

    def attested(self, words: str, *, by: str, now: datetime) -> Self:
        """Its owner attests that it is somebody of age, in words of a version.

        Raises:
            CharacterNotAdult: These are not the words that are asked for now.
        """
        if words != ADULT:
            raise CharacterNotAdult(name=self.name, words=WORDS[ADULT])
        return self.but(adult=Attestation(by=by, at=now, words=words), updated_at=now)

    def require_active(self) -> None:
        """Let a new dataset of it pass.

        Raises:
            CharacterInactive: Its owner has put it aside.
        """
        if not self.active:
            raise CharacterInactive(name=self.name)

    def require_adult_for(self, rating: Rating) -> None:
        """Let pictures of it of a rating pass.

        Raises:
            CharacterNotAdult: They are for adults, and nobody has attested that it is somebody of age.
        """
        if rating is Rating.NSFW and self.adult is None:
            raise CharacterNotAdult(name=self.name, words=WORDS[ADULT])

    def deleted(self, *, now: datetime) -> Self:
        """Out of sight; models stay."""
        return self.but(deleted_at=now, updated_at=now)

    def restored(self, *, now: datetime) -> Self:
        """Back in sight."""
        return self.but(deleted_at=None, updated_at=now)


def owned(found: Character | None, account: str, *, name: str) -> Character:
    """The character that was looked for under an id, where it is this account's.

    Raises:
        NotFound: There is none, it is deleted, or it is somebody else's: the three are never told apart.
    """
    if found is None or found.deleted_at or found.owner != account:
        raise NotFound(noun="character", name=name, hint="See `character list`.")
    return found


def said(character: Character | None, constraints: Sequence[str] = ()) -> tuple[str, ...]:
    """What every caption of a dataset says after the trigger word: the traits of its character, its constraints."""
    traits = character.phrases if character and not character.deleted_at else ()
    return (*traits, *constraints)


def character_name(text: str) -> str:
    """A name as it may be stored and shown: one line, no control characters.

    Raises:
        BadValue: Nothing is left, or too much.
    """
    return _line("name", text, most=NAME_LENGTH)


def category_name(text: str) -> str:
    """What a category of one's own can be called: short words, folded.

    Raises:
        BadValue: It cannot be one.
    """
    name = " ".join(folded(text).split())
    if not CATEGORY.fullmatch(name):
        raise BadValue(what="category", value=name, why="it takes a short word or two, such as tail or left arm")
    return name


def trait_value(text: str) -> str:
    """One thing that a caption can say of a character.

    Raises:
        BadValue: Nothing is left, or too much, or it is several things.
    """
    value = _line("value", text, most=VALUE_LENGTH)
    if "," in value:
        raise BadValue(what="value", value=value, why="it takes one thing without a comma; give each its own category")
    return value


def _line(what: str, text: str, *, most: int) -> str:
    line = " ".join(text.split())
    if not line or len(line) > most or not line.isprintable():
        raise BadValue(what=what, value=line[:most], why=f"it takes 1 to {most} printable characters")
    return line
