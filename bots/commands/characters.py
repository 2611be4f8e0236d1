"""Characters: new, list, view, edit, adult, delete, restore."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, Given, Listed, OneOf, Raw, Row, Text
from bots.chat.references import CharacterRef
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import number
from bots.commands.datasets import Trigger
from bots.commands.traits import replacing
from core.domain.account import Role
from core.domain.action import Style, Then
from core.domain.character import Character, character_name
from core.domain.consent import ADULT, WORDS
from core.domain.errors import NothingToDo

Ref = Annotated[Character, CharacterRef("Which character")]
SHOWN = 5  # datasets


class Active(StrEnum):
    """Whether datasets of a character can be made."""

    YES = "yes"
    NO = "no"


class Activity(OneOf[Active]):
    """Whether it is active; nobody is asked."""

    asked = False


class Name(Text):
    """What a character can be called."""

    async def parse(self, call: Call, raw: Raw, given: Given) -> str:
        """The name.

        Raises:
            BadValue: It cannot be one.
        """
        return character_name(await super().parse(call, raw, given))


class DeletedCharacterRef(Listed[Character]):
    """One of the actor's deleted characters."""

    noun = "deleted character"
    hint = "What is not deleted is in `character list`."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Character]]:
        """The deleted characters, the latest first; the moment tells apart those of one name."""
        found = await call.services.characters.deleted(call.actor)
        return [Row(value=one.id, label=f"{one.name} · {one.deleted_at:%d %b %H:%M:%S}", thing=one) for one in found]


@command("character new")
async def new(
    call: Call,
    name: Annotated[str, Name("What to call it")],
    trigger: Annotated[str, Trigger("The word that will call its models: one that nobody says by chance")],
) -> Reply:
    """Invent a character; datasets with its trigger word are its own."""
    made = await call.services.characters.create(call.actor, name=name, trigger=trigger)
    character, named = made.character, {"character": made.character.id}
    datasets = f"It has {number(len(made.datasets), 'dataset')} with this trigger word."
    return Reply(
        title=f"Character «{character.name}» is there",
        lines=(f"Trigger word: {character.trigger}.", *((datasets,) if made.datasets else ())),
        fields=(("id", character.id),),
        buttons=(
            Button(label="Add a trait", command="character trait", arguments=named, style=Style.GO),
            Button(label="New dataset", command="dataset new", arguments={"trigger": character.trigger}),
        ),
    )


@command("character list", role=Role.VIEWER)
async def list_(call: Call) -> Reply:
    """Your characters, with how many datasets and models each has."""
    found = await call.services.characters.list(call.actor)
    if not found:
        return Reply(title="No characters yet", lines=("`character new NAME TRIGGER`",))
    made = [f"{number(len(one.datasets), 'dataset')}, {number(len(one.models), 'model')}" for one in found]
    names = [one.character.name + ("" if one.character.active else " (inactive)") for one in found]
    rows = tuple((name, one.character.trigger, of) for name, one, of in zip(names, found, made, strict=True))
    return Reply(
        title="Your characters",
        lines=("More of one: `character view NAME`.",),
        table=Table(header=("character", "trigger", "has"), rows=rows),
    )


@command("character view", role=Role.VIEWER)
async def view(call: Call, character: Ref) -> Reply:
    """A character with its traits, its datasets and its models."""
    seen = await call.services.characters.view(call.actor, character.id)
    found, named = seen.character, {"character": seen.character.id}
    facts = {
        "trigger": found.trigger,
        "id": found.id,
        "active": Active.YES if found.active else Active.NO,
        "of age": f"attested on {found.adult.at:%d %b %Y}" if found.adult else "not attested",
        "datasets": ", ".join(dataset.name for dataset in seen.datasets),
        "models": ", ".join(model.name for model in seen.models),
    }
    return Reply(
        title=found.name,
        lines=(f"Captions say: {', '.join((found.trigger, *found.phrases))}.",),
        fields=tuple((name, value) for name, value in facts.items() if value),
        table=Table(header=("trait", "value"), rows=tuple((one.category, one.value) for one in found.traits))
        if found.traits
        else None,
        buttons=(
            Button(label="Add a trait", command="character trait", arguments=named),
            Button(label="New dataset", command="dataset new", arguments={"trigger": found.trigger}),
            Button(label="Delete", command="character delete", arguments=named, style=Style.DANGER),
        ),
    )


@command("character edit")
async def edit(
    call: Call,
    character: Ref,
    *,
    name: Annotated[str | None, Name("Another name")] = None,
    trigger: Annotated[str | None, Trigger("Another trigger word: its datasets follow")] = None,
    active: Annotated[Active | None, Activity("Whether datasets of it can be made: yes or no", Active)] = None,
) -> Reply:
    """Call a character otherwise, or put it aside; what is left out stays."""
    if (name, trigger, active) == (None, None, None):
        raise NothingToDo(why="Say what to change: name=…, trigger=… or active=….")
    wished = None if active is None else active is Active.YES
    done = await call.services.characters.edit(call.actor, character.id, name=name, trigger=trigger, active=wished)
    idle = () if done.character.active else ("It is not active: no new dataset of it can be made.",)
    moved = done.before.trigger != done.character.trigger
    return Reply(
        title=f"Character «{done.character.name}» is changed",
        lines=(f"Trigger word: {done.character.trigger}.", *idle),
        buttons=replacing(done, done.before.trigger, done.character.trigger) if moved else (),
    )


@command("character adult")
async def adult(call: Call, character: Ref) -> Reply:
    """Attest that a character is somebody of age, which anything for adults takes."""
    return Reply(
        title=f"Is «{character.name}» of age?",
        lines=(f"With this you attest: «{WORDS[ADULT]}»",),
        buttons=(
            Button(
                label="I attest to it",
                command="character attest",
                arguments={"character": character.id, "words": ADULT},
                style=Style.GO,
                then=Then.REPLACE,
            ),
        ),
    )


@command("character attest", menu=False)
async def attest(call: Call, character: Ref, words: Annotated[str, Text("In which words")]) -> Reply:
    """Attest in the words that were shown."""
    done = await call.services.characters.attest(call.actor, character.id, words=words)
    return Reply(title=f"«{done.character.name}» is attested to be of age", lines=(WORDS[words],))


@command("character delete")
async def delete(call: Call, character: Ref) -> Reply:
    """Delete a character with its datasets; models stay."""
    seen = await call.services.characters.view(call.actor, character.id)
    names = ", ".join(dataset.name for dataset in seen.datasets[:SHOWN])
    more = f" and {len(seen.datasets) - SHOWN} more" if len(seen.datasets) > SHOWN else ""
    with_it = f"With it: {names}{more}." if names else "It has no datasets."
    return Reply(
        title=f"Delete «{character.name}» with {number(len(seen.datasets), 'dataset')}?",
        lines=(with_it, "Trainings that were ordered go on, and models stay."),
        buttons=(
            Button(
                label="Delete",
                command="character delete-now",
                arguments={"character": character.id},
                style=Style.DANGER,
                then=Then.REPLACE,
            ),
        ),
    )


@command("character delete-now", menu=False)
async def delete_now(call: Call, character: Ref) -> Reply:
    """Delete a character without asking again."""
    gone = await call.services.characters.delete(call.actor, character.id)
    return Reply(
        title=f"«{gone.character.name}» is deleted with {number(len(gone.datasets), 'dataset')}",
        buttons=(Button(label="Restore", command="character restore", arguments={"character": gone.character.id}),),
    )


@command("character restore")
async def restore(call: Call, character: Annotated[Character, DeletedCharacterRef("Which deleted character")]) -> Reply:
    """Bring a deleted character back, with the datasets that went with it."""
    back = await call.services.characters.restore(call.actor, character.id)
    return Reply(title=f"«{back.character.name}» is back with {number(len(back.datasets), 'dataset')}")
