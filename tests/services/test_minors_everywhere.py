"""Words of young age cannot come in by a way that nobody watches: trigger words, renamed characters, sidecars."""

import pytest

from core.domain.consent import ADULT
from core.domain.dataset import Review
from core.domain.errors import CharacterNotAdult, MinorsGuarded
from core.domain.rating import Rating
from core.kinds import intake
from loraguild.composition import House
from tests.builders.scenes import (
    a_picture,
    a_quote_for,
    a_ready_dataset,
    adult,
    an_order,
    finished,
    somebody,
    uploaded,
)


async def test_a_trigger_word_is_read_as_what_else_is_said_of_a_dataset(house: House) -> None:
    ann = adult(await somebody(house))
    with pytest.raises(MinorsGuarded):
        await house.services.datasets.create(ann, name="zorp", trigger="loli-x1", rating=Rating.NSFW)
    assert await house.services.datasets.list(ann) == []


async def test_a_character_of_age_is_not_called_otherwise_afterwards(house: House) -> None:
    ann = await somebody(house)
    one = (await house.services.characters.create(ann, name="Mia", trigger="mia-x1")).character
    await house.services.characters.attest(ann, one.id, words=ADULT)
    with pytest.raises(MinorsGuarded):
        await house.services.characters.edit(ann, one.id, name="Schoolgirl Mia")
    with pytest.raises(MinorsGuarded):
        await house.services.characters.edit(ann, one.id, trigger="loli-x1")
    assert await house.store.characters.get(one.id) == (await house.services.characters.view(ann, one.id)).character
    assert (await house.services.characters.edit(ann, one.id, name="Mia B")).character.name == "Mia B"


async def test_a_caption_that_came_in_with_its_picture_is_read_before_a_training(house: House) -> None:
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    job = await uploaded(house, ann, dataset, "a.png")
    one, two, bad = [await a_picture(house, f"{number}.png", number) for number in range(3)]
    pictures = (one, two.but(caption="zorp, a topless man"), bad.but(caption="zorp, a naked child"))
    await finished(house, job, intake.Result(pictures=pictures))
    (look,) = await house.store.jobs.about(dataset.id)
    await finished(house, look)
    found = await house.store.datasets.get(dataset.id)
    with pytest.raises(MinorsGuarded):
        await an_order(house, ann, found)
    assert await house.store.runs.of_dataset(dataset.id) == []

    await house.services.captions.edit(ann, (await house.store.items.of(dataset.id))[2], text="zorp, a child")

    assert await an_order(house, ann, found)


async def test_a_character_that_comes_later_is_asked_for_too(house: House) -> None:
    ann = adult(await somebody(house))
    dataset = (await a_ready_dataset(house, ann)).but(rating=Rating.NSFW, review=Review.APPROVED)
    await house.store.datasets.save(dataset)
    assert await a_quote_for(house, ann, dataset)

    one = (await house.services.characters.create(ann, name="Zorp", trigger="zorp")).character
    with pytest.raises(CharacterNotAdult):
        await a_quote_for(house, ann, dataset)

    await house.services.characters.attest(ann, one.id, words=ADULT)
    assert await a_quote_for(house, ann, dataset)


async def test_the_words_of_a_setting_are_read_before_a_training(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    with pytest.raises(MinorsGuarded):
        await an_order(house, ann, dataset, offering="demo-dreambooth", class_prompt="a naked child")
    assert await house.store.runs.of_dataset(dataset.id) == []

    job = await an_order(house, ann, dataset, offering="demo-dreambooth", class_prompt="a photo of a child")

    assert (await house.store.runs.get(job.id)).hyperparameters["class_prompt"] == "a photo of a child"
