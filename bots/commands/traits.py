"""Traits: what captions say of a character, by category; what stands in captions already is offered to be changed."""

from collections.abc import Sequence
from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import PAGE, Call, Given, Listed, Raw, Row, Text
from bots.chat.references import CharacterRef
from bots.chat.reply import Button, Reply
from bots.commands.publications import NONE
from core.domain.character import Character, category_name, trait_value
from core.domain.dataset import Dataset, Kind
from core.domain.doctor import Fix
from core.domain.errors import NotFound
from core.domain.trigger import folded
from core.services.characters import Changed

Ref = Annotated[Character, CharacterRef("Which character")]
SHOWN = 5  # datasets with buttons of their own


class CategoryRef(Listed[str]):
    """A category of traits: a preset, one of the character's own, or any short word."""

    noun = "category"

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[str]]:
        """The presets, then the character's own."""
        character = await CharacterRef("").earlier(call, given, "character")
        titles = {one.id: one.title for one in call.services.characters.presets.values()}
        own = {trait.category: trait.category for trait in (character.traits if character else ())}
        return [Row(value=name, label=title, thing=name) for name, title in (titles | own | titles).items()]

    async def parse(self, call: Call, raw: Raw, given: Given) -> str:
        """The category.

        Raises:
            BadValue: It cannot be one.
            Ambiguous: Several are called so.
        """
        try:
            return await super().parse(call, raw, given)
        except NotFound:
            return category_name(await Text("").parse(call, raw, given))


class Suggested(Listed[str]):
    """A value of the category that was named before: a suggestion, or any words."""

    noun = "value"
    rest = True

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[str]]:
        """The suggestions of the category."""
        category = await CategoryRef("").earlier(call, given, "category")
        preset = call.services.characters.presets.get(category or "")
        return [Row(value=value, label=value, thing=value) for value in (preset.values if preset else ())]

    async def parse(self, call: Call, raw: Raw, given: Given) -> str:
        """The value: a suggestion as it is written there, else what was typed.

        Raises:
            BadValue: It cannot be one.
        """
        value = trait_value(await Text("").parse(call, raw, given))
        rows = await self.rows(call, value, given, after="", limit=PAGE)
        return next((row.value for row in rows if folded(row.value) == folded(value)), value)


@command("character trait")
async def trait(
    call: Call,
    character: Ref,
    category: Annotated[str, CategoryRef("What it is about: one of these, or a word of your own")],
    value: Annotated[str, Suggested(f"What it is like: one of these, or your own words; {NONE} takes the trait away")],
) -> Reply:
    """Give a character a trait, which captions say after the trigger word."""
    characters, gone = call.services.characters, folded(value) == NONE
    if gone:
        done = await characters.untrait(call.actor, character.id, category=category)
    else:
        done = await characters.trait(call.actor, character.id, category=category, value=value)
    before, after = done.before.trait(category), done.character.trait(category)
    old, new = before.phrase if before else "", after.phrase if after else ""
    return Reply(
        title=f"«{done.character.name}» has {new or f'no {old} any more'}",
        lines=(f"Captions say: {', '.join((done.character.trigger, *done.character.phrases))}.",),
        buttons=(
            *(replacing(done, old, new) if old not in {"", new} else ()),
            *(() if gone else (_composing(dataset) for dataset in _captioned(done))),
            Button(label="Another trait", command="character trait", arguments={"character": done.character.id}),
        ),
    )


def _captioned(done: Changed) -> Sequence[Dataset]:
    """The first datasets whose captions could say something else now."""
    return [one for one in done.datasets if one.kind is Kind.IMAGES and one.count][:SHOWN]


def replacing(done: Changed, old: str, new: str) -> tuple[Button, ...]:
    """Buttons that have the captions of a character's datasets say something new for what they say; each asks."""
    return tuple(
        Button(
            label=f"Say «{new}» for «{old}» in «{dataset.name}»" if new else f"Leave «{old}» out of «{dataset.name}»",
            command="caption replace",
            arguments={"dataset": dataset.id, "find": old, "words": new or NONE},
        )
        for dataset in _captioned(done)
    )


def _composing(dataset: Dataset) -> Button:
    named = {"dataset": dataset.id, "fix": Fix.COMPOSE.value}
    return Button(label=f"Put the traits into «{dataset.name}»", command="dataset mend", arguments=named)
