"""Characters: who is depicted, with traits that captions say."""

from datetime import datetime
from http import HTTPStatus

from core.domain.character import Character
from core.domain.consent import ADULT, WORDS
from core.domain.errors import (
    BadTrigger,
    BadValue,
    CharacterNotAdult,
    MinorsGuarded,
    NameTaken,
    NotAsSeen,
    NothingToDo,
)
from web.api.datasets import DatasetOut, dataset_out
from web.api.models import ModelOut, model_out
from web.api.route import Body, Listed, Out, require_match, route
from web.visiting import Asked

UNFIT = (BadValue, BadTrigger, NameTaken, MinorsGuarded)


class TraitOut(Out):
    """One trait, and how captions say it."""

    category: str
    value: str
    phrase: str


class CharacterOut(Out):
    """A character; one that is not active gets no new datasets. `adult_at` is when it was attested to be of age."""

    id: str
    name: str
    trigger: str
    traits: tuple[TraitOut, ...]
    active: bool
    adult_at: datetime | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class CategoryOut(Out):
    """A category of traits that everyone can use, with values to suggest, and how captions say one."""

    id: str
    title: str
    phrase: str
    values: tuple[str, ...]


class AdultOut(Out):
    """The words to attest to, by their version."""

    version: str
    words: str


class NewCharacterIn(Body):
    """A new character."""

    name: str
    trigger: str


class CharacterIn(Body):
    """What is to be otherwise; what is left out, or null, stays as it is."""

    name: str | None = None
    trigger: str | None = None
    active: bool | None = None


class TraitIn(Body):
    """What a trait is like."""

    value: str


class AdultIn(Body):
    """Your word that it is somebody of age, by the version of the words."""

    version: str


@route("GET", "/characters")
async def list_(asked: Asked) -> Listed[CharacterOut]:
    """List your characters by name."""
    return Listed(items=tuple(map(character_out, await asked.services.characters.known(asked.actor))))


@route("POST", "/characters", status=HTTPStatus.CREATED, idempotent=True, location="/characters/{id}", errors=UNFIT)
async def create(asked: Asked, body: NewCharacterIn) -> CharacterOut:
    """Invent a character; your datasets with its trigger word are its own from now on."""
    made = await asked.services.characters.create(asked.actor, name=body.name, trigger=body.trigger)
    return character_out(made.character)


@route("GET", "/characters/{character}")
async def view(asked: Asked, character: str) -> CharacterOut:
    """Show a character."""
    return character_out((await asked.services.characters.view(asked.actor, character)).character)


@route("GET", "/characters/{character}/datasets")
async def datasets(asked: Asked, character: str) -> Listed[DatasetOut]:
    """List the datasets of a character."""
    found = (await asked.services.characters.view(asked.actor, character)).datasets
    return Listed[DatasetOut](items=tuple(dataset_out(asked, one) for one in found))


@route("GET", "/characters/{character}/models")
async def models(asked: Asked, character: str) -> Listed[ModelOut]:
    """List the models that were trained on the datasets of a character, or have its trigger word."""
    found = (await asked.services.characters.view(asked.actor, character)).models
    return Listed[ModelOut](items=tuple(model_out(asked, one) for one in found))


@route("PATCH", "/characters/{character}", errors=(*UNFIT, NotAsSeen))
async def edit(asked: Asked, character: str, body: CharacterIn) -> CharacterOut:
    """Change a character; with `If-Match`, only as it was when you fetched it. Its datasets follow its trigger word."""
    done = await asked.services.characters.edit(
        asked.actor, character, **dict(body), expecting=lambda found: require_match(asked, character_out(found))
    )
    return character_out(done.character)


@route("DELETE", "/characters/{character}")
async def delete(asked: Asked, character: str) -> None:
    """Put a character and its datasets into your bin; models stay."""
    await asked.services.characters.delete(asked.actor, character)


@route("GET", "/bin/characters")
async def deleted(asked: Asked) -> Listed[CharacterOut]:
    """List the characters in your bin, the latest deleted first."""
    return Listed(items=tuple(map(character_out, await asked.services.characters.deleted(asked.actor))))


@route("POST", "/characters/{character}/restore", errors=(NameTaken,))
async def restore(asked: Asked, character: str) -> CharacterOut:
    """Take a character out of your bin, with the datasets that went with it."""
    return character_out((await asked.services.characters.restore(asked.actor, character)).character)


@route("PUT", "/characters/{character}/traits/{category}", errors=(BadValue, MinorsGuarded))
async def put(asked: Asked, character: str, category: str, body: TraitIn) -> CharacterOut:
    """Give a character a trait, in the place of the one of this category; captions say it after the trigger word."""
    done = await asked.services.characters.trait(asked.actor, character, category=category, value=body.value)
    return character_out(done.character)


@route("DELETE", "/characters/{character}/traits/{category}", errors=(NothingToDo,))
async def take(asked: Asked, character: str, category: str) -> None:
    """Take a trait away."""
    await asked.services.characters.untrait(asked.actor, character, category=category)


@route("GET", "/characters/{character}/adult")
async def words(asked: Asked, character: str) -> AdultOut:
    """Show what you attest to, where a character is somebody of age."""
    await asked.services.characters.view(asked.actor, character)
    return AdultOut(version=ADULT, words=WORDS[ADULT])


@route("PUT", "/characters/{character}/adult", errors=(CharacterNotAdult, MinorsGuarded))
async def attest(asked: Asked, character: str, body: AdultIn) -> CharacterOut:
    """Attest that a character is somebody of age, which anything for adults takes."""
    done = await asked.services.characters.attest(asked.actor, character, words=body.version)
    return character_out(done.character)


@route("GET", "/traits")
async def traits(asked: Asked) -> Listed[CategoryOut]:
    """List the categories of traits that there are for everyone; any other short word can be one too."""
    presets = asked.services.characters.presets.values()
    same = CategoryOut.model_fields
    return Listed(items=tuple(CategoryOut(**{name: getattr(one, name) for name in same}) for one in presets))


def character_out(character: Character) -> CharacterOut:
    """A character as its owner is shown it."""
    same = CharacterOut.model_fields.keys() - {"traits", "adult_at"}
    return CharacterOut(
        **{name: getattr(character, name) for name in same},
        traits=tuple(TraitOut(**dict(one)) for one in character.traits),
        adult_at=character.adult.at if character.adult else None,
    )
