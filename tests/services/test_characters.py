"""Characters through the services: traits, datasets that follow, what is of age, and what is nobody else's business."""

import asyncio
from datetime import timedelta

import pytest

from core.domain.consent import ADULT, RIGHTS
from core.domain.errors import (
    BadTrigger,
    CharacterInactive,
    CharacterNotAdult,
    MinorsGuarded,
    NameTaken,
    NotFound,
    NothingToDo,
)
from core.domain.rating import Rating
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.scenes import a_ready_dataset, a_trained_model, everything_in, moderating, somebody


async def test_a_character_has_the_datasets_and_models_of_its_trigger_word(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    model = await a_trained_model(house, ann)
    await a_ready_dataset(house, ann, name="gorp", pictures=1)
    await a_ready_dataset(house, bob, name="zorp", pictures=1)
    characters = house.services.characters

    made = await characters.create(ann, name=" The  Zorp ", trigger="ZORP")
    later = await house.services.datasets.create(ann, name="more", trigger="zorp")
    seen = await characters.view(ann, made.character.id)

    assert (made.character.name, made.character.trigger) == ("The Zorp", "zorp")
    assert [dataset.name for dataset in made.datasets] == ["zorp"]
    assert [dataset.name for dataset in seen.datasets] == ["more", "zorp"]
    assert [one.id for one in seen.models] == [model.id]
    assert later.character == made.character.id
    assert list(await characters.list(ann)) == [seen]
    assert await characters.list(bob) == []


async def test_a_name_and_a_trigger_word_are_one_characters(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    characters = house.services.characters
    await characters.create(ann, name="Zorp", trigger="zorp")
    gorp = (await characters.create(ann, name="Gorp", trigger="gorp")).character

    with pytest.raises(NameTaken, match="character «ZORP»"):
        await characters.create(ann, name="ZORP", trigger="zorpy")
    with pytest.raises(NameTaken, match="trigger word «zorp»"):
        await characters.create(ann, name="Zorpy", trigger="zorp")
    with pytest.raises(NameTaken):
        await characters.edit(ann, gorp.id, name="zorp")
    with pytest.raises(NameTaken):
        await characters.edit(ann, gorp.id, trigger="zorp")
    with pytest.raises(BadTrigger):
        await characters.create(ann, name="Cat", trigger="cat")
    await characters.create(bob, name="Zorp", trigger="zorp")
    assert (await characters.edit(ann, gorp.id, name="GORP")).character.name == "GORP"


async def test_of_two_who_want_one_name_at_once_one_gets_it(house: House) -> None:
    ann = await somebody(house)
    characters = house.services.characters

    made = await asyncio.gather(
        *(characters.create(ann, name="Zorp", trigger="zorp") for _ in range(3)), return_exceptions=True
    )

    assert sum(isinstance(one, NameTaken) for one in made) == 2
    assert len(await characters.known(ann)) == 1


async def test_a_trait_is_said_by_captions_and_replaced(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    characters = house.services.characters
    zorp = (await characters.create(ann, name="Zorp", trigger="zorp")).character

    first = await characters.trait(ann, zorp.id, category="eye-colour", value="green")
    tail = await characters.trait(ann, zorp.id, category="Tail", value="a long tail")
    other = await characters.trait(ann, zorp.id, category="eye-colour", value="blue")

    assert (first.before.phrases, first.character.phrases) == ((), ("green eyes",))
    assert [one.category for one in tail.character.traits] == ["eye-colour", "tail"]
    assert (other.before.phrases, other.character.phrases) == (
        ("green eyes", "a long tail"),
        ("blue eyes", "a long tail"),
    )
    assert [one.id for one in other.datasets] == [dataset.id]
    assert (await characters.untrait(ann, zorp.id, category="tail")).character.phrases == ("blue eyes",)
    with pytest.raises(NothingToDo, match="no trait «tail»"):
        await characters.untrait(ann, zorp.id, category="tail")


async def test_a_change_of_traits_has_the_doctor_look_at_captions_and_changes_none(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    characters = house.services.characters
    zorp = (await characters.create(ann, name="Zorp", trigger="zorp")).character
    before = await house.store.items.of(dataset.id)

    await characters.trait(ann, zorp.id, category="eye-colour", value="green")
    after = await house.store.datasets.get(dataset.id)
    assert "traitless" in {finding.code for finding in after.findings}
    assert after.status == dataset.status
    await house.services.captions.edit(ann, before[0], text="zorp, green eyes, on a hill")
    after = await house.store.datasets.get(dataset.id)
    assert "traitless" not in {finding.code for finding in after.findings}


@pytest.mark.parametrize(
    ("category", "value"), [("age", "17"), ("age", "teenager"), ("mood", "underage"), ("clothing", "loli")]
)
async def test_nobody_young_is_depicted(house: House, category: str, value: str) -> None:
    ann = await somebody(house)
    zorp = (await house.services.characters.create(ann, name="Zorp", trigger="zorp")).character

    with pytest.raises(MinorsGuarded):
        await house.services.characters.trait(ann, zorp.id, category=category, value=value)
    assert (await house.services.characters.view(ann, zorp.id)).character.traits == ()


async def test_datasets_follow_the_trigger_word_and_captions_stay(house: House) -> None:
    ann = await somebody(house)
    model = await a_trained_model(house, ann)
    characters = house.services.characters
    zorp = (await characters.create(ann, name="Zorp", trigger="zorp")).character

    done = await characters.edit(ann, zorp.id, trigger="zorpy")
    seen = await characters.view(ann, zorp.id)

    assert (done.before.trigger, done.character.trigger) == ("zorp", "zorpy")
    assert [dataset.trigger for dataset in seen.datasets] == ["zorpy"]
    assert "triggerless" in {finding.code for finding in seen.datasets[0].findings}
    assert [one.id for one in seen.models] == [model.id]
    assert (await house.store.models.get(model.id)).trigger == "zorp"


async def test_what_is_put_aside_gets_no_new_dataset(house: House) -> None:
    ann = await somebody(house)
    characters = house.services.characters
    zorp = (await characters.create(ann, name="Zorp", trigger="zorp")).character

    await characters.edit(ann, zorp.id, active=False)
    with pytest.raises(CharacterInactive):
        await house.services.datasets.create(ann, name="more", trigger="zorp")
    await characters.edit(ann, zorp.id, active=True)
    await house.services.datasets.create(ann, name="more", trigger="zorp")


async def test_somebody_speaks_for_a_character_in_words_of_now(house: House) -> None:
    ann = await somebody(house)
    characters = house.services.characters
    zorp = (await characters.create(ann, name="Zorp", trigger="zorp")).character
    kid = (await characters.create(ann, name="Schoolgirl", trigger="gorp")).character

    with pytest.raises(CharacterNotAdult):
        await characters.attest(ann, zorp.id, words=RIGHTS)
    with pytest.raises(MinorsGuarded):
        await characters.attest(ann, kid.id, words=ADULT)
    attested = (await characters.attest(ann, zorp.id, words=ADULT)).character
    assert attested.adult
    assert (attested.adult.by, attested.adult.words) == (ann.account, ADULT)
    (await house.store.characters.get(zorp.id)).require_adult_for(Rating.NSFW)


async def test_a_character_goes_with_its_datasets_and_comes_back_with_them(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    model = await a_trained_model(house, ann)
    earlier = await house.services.datasets.create(ann, name="earlier", trigger="zorp")
    characters = house.services.characters
    zorp = (await characters.create(ann, name="Zorp", trigger="zorp")).character
    await house.services.datasets.delete(ann, earlier)
    clock.advance(timedelta(minutes=1))

    gone = await characters.delete(ann, zorp.id)
    assert [dataset.name for dataset in gone.datasets] == ["zorp"]
    assert await characters.known(ann) == []
    assert await house.services.datasets.list(ann) == []
    assert [one.id for one in await house.store.models.owned(ann.account)] == [model.id]
    with pytest.raises(NotFound):
        await characters.view(ann, zorp.id)
    await house.services.datasets.create(ann, name="zorp", trigger="other-zorp")
    assert [one.id for one in await characters.deleted(ann)] == [zorp.id]

    back = await characters.restore(ann, zorp.id)
    assert [dataset.name for dataset in back.datasets] == ["zorp 2"]
    assert back.datasets[0].trigger == "zorp"
    with pytest.raises(NotFound):
        await characters.restore(ann, zorp.id)


async def test_a_character_does_not_come_back_over_another(house: House) -> None:
    ann = await somebody(house)
    characters = house.services.characters
    zorp = (await characters.create(ann, name="Zorp", trigger="zorp")).character
    await characters.delete(ann, zorp.id)
    await characters.create(ann, name="Other", trigger="zorp")

    with pytest.raises(NameTaken, match="trigger word"):
        await characters.restore(ann, zorp.id)
    assert [one.name for one in await characters.known(ann)] == ["Other"]


async def test_a_dataset_of_a_deleted_character_belongs_to_the_next_of_its_word(house: House) -> None:
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    characters = house.services.characters
    first = (await characters.create(ann, name="Zorp", trigger="zorp")).character
    await characters.delete(ann, first.id)
    await house.services.purges.restore(ann, dataset.id)

    second = await characters.create(ann, name="Zorp", trigger="zorp")

    assert [one.id for one in second.datasets] == [dataset.id]


async def test_characters_are_nobody_elses_business(house: House, database: Database) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    characters = house.services.characters
    zorp = (await characters.create(ann, name="Zorp", trigger="zorp")).character
    before = await everything_in(database)

    for actor in (bob, moderating(bob)):
        for name in (zorp.id, "nowhere"):
            for act in (
                characters.view(actor, name),
                characters.edit(actor, name, name="Mine"),
                characters.trait(actor, name, category="tail", value="long"),
                characters.untrait(actor, name, category="tail"),
                characters.attest(actor, name, words=ADULT),
                characters.delete(actor, name),
                characters.restore(actor, name),
            ):
                with pytest.raises(NotFound, match="character"):
                    await act
    assert await everything_in(database) == before
