"""Characters as people meet them: traits with suggestions, what captions are offered, age, going and coming back."""

from itertools import product

import pytest

from bots.chat.parameter import Choice
from bots.chat.reply import Reply
from core.domain.account import Actor
from core.domain.consent import ADULT, WORDS
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.chats import a_call, a_dispatcher, button, labels, press, say
from tests.builders.scenes import a_ready_dataset, a_trained_model, everything_in, somebody

OF_CHARACTERS = {
    "character view": {},
    "character edit": {"name": "Mine"},
    "character trait": {"category": "tail", "value": "long"},
    "character adult": {},
    "character attest": {"words": ADULT},
    "character delete": {},
    "character delete-now": {},
    "character restore": {},
}


async def invented(house: House, actor: Actor, name: str = "Zorp", trigger: str = "zorp") -> Reply:
    return await say(house, actor, "character new", name=name, trigger=trigger)


async def choices(house: House, actor: Actor, name: str, **given: str) -> tuple[Choice, ...]:
    dispatcher = a_dispatcher()
    definition = dispatcher.definition("character trait")
    return (await dispatcher.choices(definition, name, a_call(house, actor), "", given)).choices


async def test_a_character_is_invented_seen_and_listed(house: House) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    empty = await say(house, ann, "character list")
    made = await invented(house, ann)
    await say(house, ann, "character trait", character="Zorp", category="hair-colour", value="RED")
    seen = await say(house, ann, "character view", character="zorp")
    listed = await say(house, ann, "character list")

    assert empty.title == "No characters yet"
    assert (made.title, made.lines) == (
        "Character «Zorp» is there",
        ("Trigger word: zorp.", "It has 1 dataset with this trigger word."),
    )
    assert seen.lines == ("Captions say: zorp, red hair.",)
    assert dict(seen.fields) | {"id": ""} == {
        "trigger": "zorp",
        "id": "",
        "active": "yes",
        "of age": "not attested",
        "datasets": "zorp",
        "models": "ann/zorp",
    }
    assert listed.table
    assert listed.table.rows == (("Zorp", "zorp", "1 dataset, 1 model"),)


@pytest.mark.parametrize(
    ("name", "trigger", "code"),
    [
        ("", "gorp", "bad_value"),
        ("Gorp", "cat", "bad_trigger"),
        ("Gorp", "gоrp", "bad_trigger"),
        ("zorp", "gorp", "name_taken"),
    ],
)
async def test_a_character_that_cannot_be(house: House, database: Database, name: str, trigger: str, code: str) -> None:
    ann = await somebody(house)
    await invented(house, ann)
    before = await everything_in(database)

    assert (await invented(house, ann, name, trigger)).code == code
    assert await everything_in(database) == before


async def test_categories_and_values_are_suggested_and_ones_own_are_taken(house: House) -> None:
    ann = await somebody(house)
    await invented(house, ann)
    await say(house, ann, "character trait", character="zorp", category="Tail", value="a long tail")

    categories = await choices(house, ann, "category", character="zorp")
    assert {Choice(value="eye-colour", label="Eye colour"), Choice(value="tail", label="tail")} <= set(categories)
    eyes = await choices(house, ann, "value", character="zorp", category="eye-colour")
    assert Choice(value="green", label="green") in eyes
    assert await choices(house, ann, "value", character="zorp", category="tail") == ()
    own = await say(house, ann, "character trait", character="zorp", category="Eye colour", value="moss green")
    assert own.title == "«Zorp» has moss green eyes"
    vague = await say(house, ann, "character trait", character="zorp", category="hair", value="red")
    assert (vague.code, "Hair colour (hair-colour)" in vague.lines[0]) == ("ambiguous", True)


async def test_after_a_trait_captions_are_offered_to_say_it(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    await invented(house, ann)
    first = await say(house, ann, "character trait", character="zorp", category="eye-colour", value="green")
    assert labels(first) == ["Put the traits into «zorp»", "Another trait"]
    offered = button(first, "Put the traits into «zorp»")
    assert (offered.command, offered.arguments) == ("dataset mend", {"dataset": dataset.id, "fix": "compose"})

    await say(house, ann, "caption edit", dataset="zorp", picture="1", text="zorp, green eyes, on a hill")
    other = await say(house, ann, "character trait", character="zorp", category="eye-colour", value="blue")
    assert labels(other) == [
        "Say «blue eyes» for «green eyes» in «zorp»",
        "Put the traits into «zorp»",
        "Another trait",
    ]
    look, _ = await press(house, ann, other, "Say «blue eyes» for «green eyes» in «zorp»")
    await press(house, ann, look, "Change them")
    (item,) = await house.store.items.of(dataset.id)
    assert item.captions["main"].text == "zorp, blue eyes, on a hill"

    gone = await say(house, ann, "character trait", character="zorp", category="eye-colour", value="None")
    assert (gone.title, labels(gone)) == (
        "«Zorp» has no blue eyes any more",
        ["Leave «blue eyes» out of «zorp»", "Another trait"],
    )
    look, _ = await press(house, ann, gone, "Leave «blue eyes» out of «zorp»")
    await press(house, ann, look, "Change them")
    (item,) = await house.store.items.of(dataset.id)
    assert item.captions["main"].text == "zorp, on a hill"
    nothing = await say(house, ann, "character trait", character="zorp", category="eye-colour", value="none")
    assert nothing.code == "nothing_to_do"


async def test_another_trigger_word_is_offered_to_captions(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    await invented(house, ann)

    moved = await say(house, ann, "character edit", character="zorp", name="Glorp", trigger="glorp")
    assert moved.title == "Character «Glorp» is changed"
    look, _ = await press(house, ann, moved, "Say «glorp» for «zorp» in «zorp»")
    await press(house, ann, look, "Change them")

    (item,) = await house.store.items.of(dataset.id)
    assert item.captions["main"].text == "glorp number 0"
    assert (await house.store.datasets.get(dataset.id)).trigger == "glorp"
    assert (await say(house, ann, "character edit", character="glorp")).code == "nothing_to_do"


async def test_a_character_is_put_aside(house: House) -> None:
    ann = await somebody(house)
    await invented(house, ann)
    idle = await say(house, ann, "character edit", character="zorp", active="no")
    refused = await say(house, ann, "dataset new", name="more", trigger="zorp")
    listed = await say(house, ann, "character list")

    assert idle.lines[1] == "It is not active: no new dataset of it can be made."
    assert refused.code == "character_inactive"
    assert listed.table
    assert listed.table.rows[0][0] == "Zorp (inactive)"


async def test_age_is_attested_in_words_that_are_shown(house: House) -> None:
    ann = await somebody(house)
    await invented(house, ann)
    asked = await say(house, ann, "character adult", character="zorp")
    assert WORDS[ADULT] in asked.lines[0]
    done, _ = await press(house, ann, asked, "I attest to it")
    young = await say(house, ann, "character trait", character="zorp", category="age", value="17 years")

    assert done.title == "«Zorp» is attested to be of age"
    assert (await say(house, ann, "character view", character="zorp")).fields[3][1].startswith("attested on")
    assert young.code == "minors_guarded"


async def test_a_character_goes_after_a_question_and_comes_back(house: House) -> None:
    ann = await somebody(house)
    await a_ready_dataset(house, ann, pictures=1)
    await invented(house, ann)
    asked = await say(house, ann, "character delete", character="zorp")
    assert (asked.title, asked.lines[0]) == ("Delete «Zorp» with 1 dataset?", "With it: zorp.")
    assert len((await say(house, ann, "character list")).buttons) == 0

    gone, _ = await press(house, ann, asked, "Delete")
    assert gone.title == "«Zorp» is deleted with 1 dataset"
    assert (await say(house, ann, "character view", character="zorp")).code == "not_found"
    back, _ = await press(house, ann, gone, "Restore")
    assert back.title == "«Zorp» is back with 1 dataset"
    assert (await say(house, ann, "dataset view", dataset="zorp")).code is None


async def test_a_stranger_cannot_tell_that_there_is_a_character(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    await invented(house, ann)
    (zorp,) = await house.store.characters.owned(ann.account)

    for (path, said), name in product(OF_CHARACTERS.items(), ("Zorp", zorp.id)):
        hidden = await say(house, bob, path, character=name, **said)
        nowhere = await say(house, bob, path, character="nowhere", **said)
        assert (path, hidden.code) == (path, "not_found")
        assert [line.replace(name, "nowhere") for line in hidden.lines] == list(nowhere.lines)
