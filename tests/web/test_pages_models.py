"""Models on pages without JavaScript: whose they are, how they are called, who may use them, which epoch they are."""

import pytest

from core.domain.account import Actor
from core.domain.model import Model, Visibility
from core.domain.rating import Rating
from loraguild.composition import House
from tests.builders.entities import an_epoch
from tests.builders.forms import pressed, read
from tests.builders.scenes import a_trained_model, somebody, stored
from tests.builders.visits import Client, entered


@pytest.fixture
async def _signed_in(house: House, client: Client, ann: Actor) -> None:
    await entered(house, client, ann)


@pytest.fixture
async def model(house: House, ann: Actor) -> Model:
    return await a_trained_model(house, ann)


pytestmark = pytest.mark.usefixtures("_signed_in")


async def test_tabs_tell_ones_own_from_shared_and_public_ones(house: House, client: Client, ann: Actor) -> None:
    none = await read(client, "/models")
    await a_trained_model(house, ann, name="zorp")
    bob = await somebody(house, "bob")
    shared, public = await a_trained_model(house, bob, name="gorp"), await a_trained_model(house, bob, name="torp")
    await house.services.models.share(bob, shared.id, await house.store.accounts.get(ann.account))
    await house.services.models.publish(bob, public.id)
    tabs = [await read(client, f"/models?scope={scope}") for scope in ("mine", "shared", "public")]

    assert "No models yet" in none.words
    assert [[name for name in ("zorp", "gorp", "torp") if name in tab.links] for tab in tabs] == [
        ["zorp"],
        ["gorp"],
        ["torp"],
    ]
    assert "zorp" in (await pressed(client, tabs[0], "Search", text="ZO")).links
    assert "No such model" in (await pressed(client, tabs[0], "Search", text="nothing")).words
    assert [(await read(client, f"/models?{query}")).status for query in ("scope=all", "page=41")] == [400, 400]


async def test_its_owner_publishes_edits_renames_and_shares_it(house: House, client: Client, model: Model) -> None:
    bob = await somebody(house, "bob")
    page = await read(client, f"/models/{model.id}")
    public = await pressed(client, page, "Save", visibility="public")
    edited = await pressed(client, page, "Save the card", description="A tin robot.", tags="robot, toy")
    renamed = await pressed(client, page, "Rename", name="Tin Robot")
    shared = await pressed(client, page, "Share", user="BOB")
    now = await house.store.models.get(model.id)
    alone = await pressed(client, shared, "Take back", account=bob.account)

    assert "Everyone finds it" in public.words
    assert ("A tin robot." in edited.words, "robot, toy" in edited.words) == (True, True)
    assert "ann/tin-robot" in renamed.words
    assert (now.visibility, now.slug, now.shared) == (Visibility.PUBLIC, "tin-robot", (bob.account,))
    assert (await house.store.models.get(model.id)).shared == ()
    assert "not shared with them any more" in alone.words


async def test_what_is_refused_keeps_what_was_typed(client: Client, model: Model) -> None:
    page = await read(client, f"/models/{model.id}")
    nameless = await pressed(client, page, "Rename", name="!!!")
    nobody = await pressed(client, page, "Share", user="zz top")

    assert (nameless.status, 'value="!!!"' in nameless.html) == (400, True)
    assert "is not a valid name" in nameless.words
    assert (nobody.status, "zz top" in nobody.words) == (404, True)


async def test_another_epoch_is_chosen_and_downloaded(house: House, client: Client, model: Model) -> None:
    run = await house.store.runs.get(model.run)
    files = [await stored(house, f"zorp-{number}.safetensors") for number in (1, 2)]
    picture = await stored(house, "one.png")
    epochs = [an_epoch(number, step=number * 100, artifact=files[number - 1], samples=(picture,)) for number in (1, 2)]
    await house.store.runs.save(run.but(epochs=tuple(epochs)))
    page = await read(client, f"/models/{model.id}")
    chosen = await pressed(client, page, "Choose", step="100")
    shown = await pressed(client, page, "Save the pictures", number="2")
    file = await client.get(f"/models/{model.id}/download")

    assert "the epoch of step 100" in chosen.words
    assert (await house.store.models.get(model.id)).artifact == files[0]
    assert ("presents itself" in shown.words, (await house.store.models.get(model.id)).samples) == (True, (picture,))
    assert await file.read() == b"zorp-1.safetensors"
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert (await client.get(f"/models/{model.id}/card")).status == 200


async def test_it_is_deleted_only_when_that_was_meant(house: House, client: Client, model: Model) -> None:
    page = await read(client, f"/models/{model.id}")
    kept = await pressed(client, page, "Delete")
    gone = await pressed(client, page, "Delete", confirm="yes")

    assert (kept.status, "tick the box" in kept.words) == (400, True)
    assert (gone.path, "No models yet" in gone.words) == ("/models", True)
    assert (await house.store.models.get(model.id)).deleted_at


async def test_strangers_see_no_private_model_and_of_public_ones_no_secrets(
    house: House, client: Client, ann: Actor, model: Model
) -> None:
    await entered(house, client, await somebody(house, "bob"))
    hidden = await read(client, f"/models/{model.id}")
    await house.services.models.publish(ann, model.id)
    seen = await read(client, f"/models/{model.id}")
    run = await house.store.runs.get(model.run)
    counted = await read(client, f"/models/{model.id}/download")

    assert hidden.status == 404
    assert (seen.status, "zorp" in seen.words) == (200, True)
    assert [one in seen.html for one in (run.dataset, run.snapshot[:16], "Rename", "Delete")] == [False] * 4
    assert counted.status == 200
    assert (await house.store.models.get(model.id)).downloads == 1


async def test_what_is_for_adults_is_shown_to_nobody_else(
    house: House, client: Client, ann: Actor, model: Model
) -> None:
    bob = await somebody(house, "bob")
    thumbnail = await stored(house, "thumbnail.png")
    adults = model.but(rating=Rating.NSFW, thumbnail=thumbnail)
    await house.store.models.save(adults)
    mine = await read(client, "/models")
    await house.services.models.share(ann, model.id, await house.store.accounts.get(bob.account))
    await entered(house, client, bob)
    shared = await read(client, "/models?scope=shared")
    refused = [(await read(client, f"/models/{model.id}{path}")).status for path in ("", "/download")]

    assert [sum("/i/" in one for one in page.pictures) for page in (mine, shared)] == [1, 0]
    assert ("adults" in shared.words, refused) == (True, [422, 422])
