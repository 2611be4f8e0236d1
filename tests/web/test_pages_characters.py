"""Pages of characters over the wire: invented, described, called otherwise, deleted with what goes along."""

import pytest

from core.domain.account import Actor
from core.domain.character import Character
from loraguild.composition import House
from tests.builders.forms import pressed, read
from tests.builders.scenes import somebody
from tests.builders.visits import Client, entered


@pytest.fixture
async def _signed_in(house: House, client: Client, ann: Actor) -> None:
    await entered(house, client, ann)


@pytest.fixture
async def zorp(house: House, ann: Actor) -> Character:
    return (await house.services.characters.create(ann, name="Zorp", trigger="zorp")).character


pytestmark = pytest.mark.usefixtures("_signed_in")


async def test_a_character_is_invented_and_described(house: House, client: Client, ann: Actor) -> None:
    none = await read(client, "/characters")
    page = await pressed(client, await read(client, "/characters/new"), "Invent it", name="Zorp", trigger="zorp")
    told = await pressed(
        client, page, "Save the traits", {"trait-eye-colour": "green", "category": "tail", "value": "long tail"}
    )
    less = await pressed(client, told, "Save the traits", {"trait-eye-colour": ""})

    assert "No characters yet" in none.words
    assert 'list="suggestions-eye-colour"' in page.html
    assert "Captions say: zorp, green eyes, long tail." in told.words
    assert "Captions say: zorp, long tail." in less.words
    assert [one.phrases for one in await house.services.characters.known(ann)] == [("long tail",)]


async def test_a_trait_that_cannot_be_changes_nothing_and_is_shown_again(
    house: House, client: Client, ann: Actor, zorp: Character
) -> None:
    page = await read(client, f"/characters/{zorp.id}")
    refused = await pressed(client, page, "Save the traits", {"trait-species": "robot", "trait-build": "thin, tall"})

    assert (refused.status, ("trait-build", "thin, tall") in refused.forms[1].fields) == (400, True)
    assert [one.traits for one in await house.services.characters.known(ann)] == [()]


async def test_a_character_is_called_otherwise_and_put_aside(
    house: House, client: Client, ann: Actor, zorp: Character
) -> None:
    page = await read(client, f"/characters/{zorp.id}")
    fields = [name for name, _ in page.forms[-1].fields]
    changed = await pressed(client, page, "Save the traits")
    await house.services.characters.edit(ann, zorp.id, active=False)
    aside = await read(client, "/characters")

    assert "csrf" in fields
    assert changed.status == 200
    assert "put aside" in aside.words


async def test_age_is_attested_to(client: Client, zorp: Character) -> None:
    page = await pressed(client, await read(client, f"/characters/{zorp.id}"), "I attest to it")

    assert "Attested on" in page.words


async def test_a_character_goes_with_its_datasets_and_comes_back_with_them(
    house: House, client: Client, ann: Actor, zorp: Character
) -> None:
    await house.services.datasets.create(ann, name="at home", trigger="zorp")
    asking = await read(client, f"/characters/{zorp.id}/delete")
    gone = await pressed(client, asking, "Delete it")
    after = await house.services.datasets.list(ann)
    back = await pressed(client, gone, "Bring it back")

    assert "at home" in asking.words
    assert after == []
    assert ("«Zorp» is back." in back.words, len(await house.services.datasets.list(ann))) == (True, 1)


async def test_nobody_sees_anothers_character(house: House, client: Client, zorp: Character) -> None:
    await entered(house, client, await somebody(house, "ben"))

    assert [(await read(client, f"/characters/{zorp.id}{part}")).status for part in ("", "/delete")] == [404, 404]
