"""What the creator's pages ask services for: many traits at once, one upload session, what goes on with a dataset."""

import pytest

from core.domain.errors import BadValue, MinorsGuarded, NotFound
from loraguild.composition import House
from tests.builders.entities import HOME
from tests.builders.scenes import a_ready_dataset, moderating, somebody, uploaded


async def test_traits_come_and_go_all_at_once(house: House) -> None:
    ann = await somebody(house)
    zorp = (await house.services.characters.create(ann, name="Zorp", trigger="zorp")).character
    await house.services.characters.describe(ann, zorp.id, {"eye-colour": "green", "tail": "long tail"})
    changed = await house.services.characters.describe(ann, zorp.id, {"eye-colour": "", "species": "robot"})

    assert changed.character.phrases == ("long tail", "robot")


@pytest.mark.parametrize(
    ("traits", "refusal"),
    [
        ({"species": "robot", "tail": "one, two"}, BadValue),
        ({"species": "robot", "age": "ten years old"}, MinorsGuarded),
    ],
)
async def test_of_traits_that_cannot_all_be_none_is_kept(
    house: House, traits: dict[str, str], refusal: type[Exception]
) -> None:
    ann = await somebody(house)
    zorp = (await house.services.characters.create(ann, name="Zorp", trigger="zorp")).character
    with pytest.raises(refusal):
        await house.services.characters.describe(ann, zorp.id, traits)

    assert [one.traits for one in await house.services.characters.known(ann)] == [()]


async def test_an_upload_goes_on_until_it_is_confirmed(house: House) -> None:
    ann, uploads = await somebody(house), house.services.uploads
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    first = await uploads.going_on(ann, dataset, place=HOME)
    again = await uploads.going_on(ann, dataset, place=HOME)
    with pytest.raises(NotFound):
        await uploads.going_on(await somebody(house, "ben"), dataset, place=HOME)

    assert first == again


async def test_what_goes_on_with_a_dataset_is_seen_by_its_owner_and_moderators(house: House) -> None:
    ann, ben = await somebody(house), await somebody(house, "ben")
    dataset = await a_ready_dataset(house, ann)
    job = await uploaded(house, ann, dataset, "a.png")
    jobs = house.services.jobs

    assert [one.id for one in await jobs.about(ann, dataset.id)] == [job.id]
    assert await jobs.about(ben, dataset.id) == []
    assert [one.id for one in await jobs.about(moderating(ben), dataset.id)] == [job.id]
