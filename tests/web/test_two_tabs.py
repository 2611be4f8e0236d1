"""The same thing edited in two tabs: the slower one overwrites nothing unseen, and loses nothing that was typed."""

from core.domain.account import Actor
from core.domain.dataset import Access
from loraguild.composition import House
from tests.builders.forms import Sheet, pressed, read
from tests.builders.scenes import a_ready_dataset, a_trained_model
from tests.builders.visits import Client, entered


def about(field: str, page: Sheet) -> Sheet:
    """A page with those of its forms that have a field."""
    page.forms = [form for form in page.forms if field in dict(form.fields)]
    return page


async def test_the_slower_tab_is_told_what_was_edited_meanwhile_and_can_save_once_more(
    house: House, client: Client, ann: Actor
) -> None:
    await entered(house, client, ann)
    model = await a_trained_model(house, ann)
    dataset = await a_ready_dataset(house, ann, name="robots")
    zorp = (await house.services.characters.create(ann, name="Zorp", trigger="zorp")).character
    webhook = (await house.services.webhooks.create(ann, url="https://a.example/", types=(), note="", key="k")).webhook
    first, *_ = await house.services.items.list(ann, dataset.id)
    forms = [
        (f"/datasets/{dataset.id}/edit", "Save", "description"),
        (f"/datasets/{dataset.id}/captions/{first.id}", "Save", "text"),
        (f"/characters/{zorp.id}", "Save the traits", "trait-build"),
        (f"/datasets/new/traits?character={zorp.id}", "Go on", "trait-species"),
        (f"/characters/{zorp.id}", "Save", "name"),
        (f"/webhooks/{webhook.id}", "Save", "note"),
        (f"/models/{model.id}", "Save the card", "description"),
        (f"/models/{model.id}", "Rename", "name"),
    ]
    for path, button, field in forms:
        one, other = [about(field, await read(client, path)) for _ in "12"]
        await pressed(client, one, button, {field: "first"})
        refused = await pressed(client, other, button, {field: "second"})
        kept = await read(client, path)
        saved = await pressed(client, about(field, refused), button)
        now = await read(client, path)

        assert (refused.status, "is now «first»" in refused.words) == (409, True), path
        assert 'value="first"' in kept.html or ">first</textarea>" in kept.html, path
        assert (saved.status, 'value="second"' in now.html or ">second</textarea>" in now.html) == (200, True), path


async def test_a_form_that_was_refused_for_something_else_is_still_made_of_what_it_was(
    house: House, client: Client, ann: Actor
) -> None:
    await entered(house, client, ann)
    dataset = await a_ready_dataset(house, ann)
    page = await read(client, f"/datasets/{dataset.id}/edit")
    await house.services.datasets.edit(ann, dataset.id, description="first")
    nameless = await pressed(client, page, "Save", rating="none", description="second")
    refused = await pressed(client, nameless, "Save", rating="sfw")

    assert [(one.status, "is now «first»" in one.words) for one in (nameless, refused)] == [(400, False), (409, True)]


async def test_what_was_made_private_meanwhile_is_not_opened_by_an_old_tab(
    house: House, client: Client, ann: Actor
) -> None:
    await entered(house, client, ann)
    model = await a_trained_model(house, ann)
    dataset = await a_ready_dataset(house, ann, name="robots")
    await house.services.sharings.open(ann, dataset.id, Access.PUBLIC)
    await house.services.models.publish(ann, model.id)
    for path, field in ((f"/datasets/{dataset.id}/sharing", "access"), (f"/models/{model.id}", "visibility")):
        one, other = [about(field, await read(client, path)) for _ in "12"]
        await pressed(client, one, "Save", {field: "private"})
        refused = await pressed(client, other, "Save", {field: "unlisted"})
        saved = await pressed(client, about(field, refused), "Save")

        assert (refused.status, f"{field} is now «private»" in refused.words) == (409, True)
        assert (saved.status, dict(about(field, await read(client, path)).forms[0].fields)[field]) == (200, "unlisted")


async def test_a_caption_in_the_grid_is_not_overwritten_unseen(house: House, client: Client, ann: Actor) -> None:
    await entered(house, client, ann)
    dataset = await a_ready_dataset(house, ann)
    grid = f"/datasets/{dataset.id}/captions"
    one, other = await read(client, grid), await read(client, grid)
    await pressed(client, one, "Save", part=True, text="zorp first")
    gone = await pressed(client, other, "Save", part=True, text="")
    refused = await pressed(client, other, "Save", part=True, text="zorp second")
    saved = await pressed(client, refused, "Save", part=True)

    assert [(page.status, "is now «zorp first»" in page.words) for page in (gone, refused)] == [(409, True)] * 2
    assert (">zorp second</textarea>" in refused.html, "></textarea>" in gone.html) == (True, True)
    assert ['class="caption pending dirty"' in page.html for page in (gone, refused)] == [True, True]
    assert (saved.status, "Version 3" in saved.links) == (200, True)


async def test_what_was_unticked_stays_unticked_and_what_another_form_ticks_stays_ticked(
    house: House, client: Client, ann: Actor
) -> None:
    await entered(house, client, ann)
    model = await a_trained_model(house, ann)
    other = await read(client, f"/models/{model.id}")
    await house.services.models.show(ann, model.id, [1])
    refused = about("was-chosen pictures", await pressed(client, other, "Save the pictures"))
    zorp = (await house.services.characters.create(ann, name="Zorp", trigger="zorp")).character
    trouble = await pressed(client, await read(client, f"/characters/{zorp.id}"), "Save the traits", value="long")

    assert (refused.status, "number" in dict(refused.forms[0].fields)) == (409, False)
    assert (trouble.status, dict(about("active", trouble).forms[0].fields)["active"]) == (400, "on")
