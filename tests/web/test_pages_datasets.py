"""Pages of datasets over the wire, as a browser without JavaScript sees them: the list, one of them, its forms."""

import pytest

from core.domain.account import Actor
from core.domain.consent import RIGHTS
from core.domain.dataset import Access, Dataset
from core.domain.rating import Rating
from loraguild.composition import House
from tests.builders.entities import HOME
from tests.builders.forms import pressed, read
from tests.builders.scenes import a_ready_dataset, an_order, finished, somebody, uploaded
from tests.builders.visits import Client, entered

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
async def _signed_in(house: House, client: Client, ann: Actor) -> None:
    await entered(house, client, ann)


pytestmark = pytest.mark.usefixtures("_signed_in")


async def test_the_list_is_empty_then_full_and_filters_without_javascript(
    house: House, client: Client, ann: Actor
) -> None:
    none = await read(client, "/datasets")
    await a_ready_dataset(house, ann)
    await house.services.datasets.create(ann, name="gorp", trigger="gorp")

    every = await read(client, "/datasets")
    by_name = await pressed(client, every, "Filter", text="ZOR")
    by_status = await pressed(client, every, "Filter", status="draft")
    nothing = await read(client, "/datasets?text=nowhere")

    assert "No datasets yet" in none.words
    assert ("zorp" in every.links, "gorp" in every.links) == (True, True)
    assert ("zorp" in by_name.links, "gorp" in by_name.links) == (True, False)
    assert ("zorp" in by_status.links, "gorp" in by_status.links) == (False, True)
    assert "Nothing fits" in nothing.words
    assert every.links["Train"].startswith("/train?dataset=")
    assert every.links["Continue: pictures"].endswith("/create")


async def test_htmx_is_given_only_the_cards(house: House, client: Client, ann: Actor) -> None:
    await a_ready_dataset(house, ann)
    part = await read(client, "/datasets?text=zorp", part=True)

    assert part.html.lstrip().startswith("<ul")
    assert "zorp" in part.links


async def test_the_list_is_paged(house: House, client: Client, ann: Actor) -> None:
    for number in range(25):
        await house.services.datasets.create(ann, name=f"zorp {number:02}", trigger="zorp")

    first = await read(client, "/datasets?text=zorp")
    second = await read(client, first.links["More →"])

    assert ("zorp 23" in first.links, "zorp 24" in first.links) == (True, False)
    assert ("zorp 23" in second.links, "zorp 24" in second.links) == (False, True)
    assert "text=zorp" in second.links["← Before"]


async def test_a_card_looks_again_only_while_something_goes_on(house: House, client: Client, ann: Actor) -> None:
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    job = await uploaded(house, ann, dataset, "a.png")
    during = await read(client, f"/datasets/{dataset.id}/card")
    work = await client.get(f"/datasets/{dataset.id}/work")
    await house.services.jobs.cancel(ann, job.id)
    after = await read(client, f"/datasets/{dataset.id}/card")
    done = await client.get(f"/datasets/{dataset.id}/work")

    assert ("every 2s" in during.html, "every 2s" in after.html) == (True, False)
    assert "1 file coming in" in await work.text()
    assert (work.headers.get("HX-Refresh"), done.headers.get("HX-Refresh")) == (None, "true")


async def test_a_dataset_says_all_that_is_known_of_it(house: House, client: Client, ann: Actor) -> None:
    dataset = await a_ready_dataset(house, ann)
    job = await an_order(house, ann, dataset)
    seen = await read(client, f"/datasets/{dataset.id}")

    assert "3 of 3" in seen.words
    assert RIGHTS not in seen.words
    assert "I may use these files for training" in seen.words
    assert f"/jobs/{job.id}" in seen.links.values()
    assert len([one for one in seen.pictures if one.startswith("/i/")]) == 3
    for picture in seen.pictures:
        assert (await client.get(picture)).status == 200


async def test_what_people_call_things_is_never_markup(house: House, client: Client, ann: Actor) -> None:
    dataset = await house.services.datasets.create(ann, name=SCRIPT, trigger="zorp")
    await house.services.datasets.edit(ann, dataset.id, description=SCRIPT)
    paths = ("/datasets", f"/datasets/{dataset.id}", f"/datasets/{dataset.id}/edit")
    pages = [await read(client, path) for path in paths]

    assert [SCRIPT in one.html for one in pages] == [False] * 3
    assert [SCRIPT in one.words for one in pages] == [True] * 3


async def test_facts_are_edited_and_what_is_refused_is_not_lost(client: Client, dataset: Dataset) -> None:
    form = await read(client, f"/datasets/{dataset.id}/edit")
    refused = await pressed(client, form, "Save", name="x" * 61, description="A robot")
    done = await pressed(client, refused, "Save", name="gorp", tags="robot, toy")

    assert (refused.status, "That does not work." in refused.words) == (400, True)
    assert ("description", "A robot") in refused.forms[-1].fields
    assert (done.status, done.path) == (200, f"/datasets/{dataset.id}")
    assert "«gorp» is changed." in done.words
    assert "robot, toy" in done.words


async def test_a_dataset_goes_into_the_bin_and_comes_back(client: Client, dataset: Dataset) -> None:
    gone = await pressed(client, await read(client, f"/datasets/{dataset.id}/delete"), "Delete it")
    bin_ = await read(client, "/datasets?scope=deleted")
    back = await pressed(client, bin_, "Bring it back")

    await pressed(client, await read(client, f"/datasets/{dataset.id}/delete"), "Delete it")
    purged = await pressed(client, await read(client, f"/datasets/{dataset.id}/purge"), "Let it go")

    assert (gone.path, "No datasets yet" in gone.words) == ("/datasets", True)
    assert back.path == f"/datasets/{dataset.id}"
    assert ("is gone for good." in purged.words, "The bin is empty" in purged.words) == (True, True)
    assert (await read(client, f"/datasets/{dataset.id}/purge")).status == 404


async def test_many_are_deleted_at_once_and_what_was_gone_already_is_named(
    house: House, client: Client, ann: Actor, dataset: Dataset
) -> None:
    bob = await somebody(house, "bob")
    datasets = house.services.datasets
    gorp, torp = [await datasets.create(ann, name=name, trigger="zorp") for name in ("gorp", "torp")]
    bobs = await datasets.create(bob, name="bobs", trigger="zorp")
    chosen = "&".join(f"dataset={one.id}" for one in (dataset, gorp, bobs))
    listed = await read(client, "/datasets")
    asked = await read(client, f"/datasets/delete?{chosen}")
    await datasets.delete(ann, gorp)
    done = await pressed(client, asked, "Delete them")
    none = await read(client, "/datasets/delete")

    assert listed.html.count('name="dataset"') == 3
    assert ("Delete 2 datasets?" in asked.words, "bobs" in asked.words) == (True, False)
    assert "1 dataset put into the bin" in done.words
    assert "deleted meanwhile: «gorp»." in done.words
    assert "Tick the datasets first" in none.words
    assert [one.name for one in await datasets.list(ann)] == [torp.name]
    assert [one.name for one in await datasets.list(bob)] == ["bobs"]


async def test_many_pictures_are_removed_at_once(house: House, client: Client, ann: Actor) -> None:
    dataset = await a_ready_dataset(house, ann)
    first, second, third = await house.services.items.list(ann, dataset.id)
    chosen = f"item={first.id}&item={third.id}"
    asked = await read(client, f"/datasets/{dataset.id}/remove?{chosen}")
    await house.services.purges.remove(ann, dataset.id, [first.id], place=HOME, key="k")
    done = await pressed(client, asked, "Remove them")

    assert "Remove 2 pictures from «zorp»?" in asked.words
    assert "1 picture removed, and 1 before that: 1 picture left." in done.words
    assert [one.id for one in await house.services.items.list(ann, dataset.id)] == [second.id]


async def test_a_dataset_is_shared_by_name_and_opened(
    house: House, client: Client, ann: Actor, dataset: Dataset
) -> None:
    ben = await somebody(house, "ben")
    page = await read(client, f"/datasets/{dataset.id}/sharing")
    unknown = await pressed(client, page, "Share with them", user="nobody")
    shared = await pressed(client, page, "Share with them", user="ben")
    opened = await pressed(client, shared, "Save", access="public")
    alone = await pressed(client, opened, "Take it back")

    found = await house.services.datasets.seen(ann, dataset.id)
    assert (unknown.status, ("user", "nobody") in unknown.forms[-1].fields) == (404, True)
    assert "ben can use it now." in shared.words
    assert (found.access, found.shared, "Nobody by name." in alone.words) == (Access.PUBLIC, (), True)
    assert ben.account not in alone.html


async def test_consent_is_attested_to_and_withdrawn(house: House, client: Client, ann: Actor) -> None:
    dataset = await a_ready_dataset(house, ann)
    given = await pressed(client, await read(client, f"/datasets/{dataset.id}/consent"), "I attest to it")
    again = await read(client, f"/datasets/{dataset.id}/consent")
    withdrawn = await pressed(client, again, "Withdraw the consent")

    assert "You have attested to it." in given.words
    assert "nothing is trained on it" in withdrawn.words


async def test_an_export_is_made_and_fetched(house: House, client: Client, ann: Actor) -> None:
    dataset = await a_ready_dataset(house, ann)
    form = await read(client, f"/datasets/{dataset.id}/export")
    waiting = await pressed(client, form, "Make the file", format="kohya")

    assert "zorp · export as kohya" in waiting.words
    assert "every 2s" in waiting.html


async def test_of_somebody_elses_dataset_a_stranger_sees_nothing_and_a_reader_no_forms(
    house: House, client: Client, ann: Actor
) -> None:
    dataset = await a_ready_dataset(house, ann)
    ben = await somebody(house, "ben")
    await entered(house, client, ben)
    parts = ("", "/edit", "/captions", "/doctor", "/export", "/sharing", "/consent", "/create", "/work", "/card")
    strange = [(await read(client, f"/datasets/{dataset.id}{part}")).status for part in parts]
    await house.services.sharings.share(ann, dataset.id, await house.store.accounts.get(ben.account))
    shared = await read(client, f"/datasets/{dataset.id}")
    kept = [(await read(client, f"/datasets/{dataset.id}{part}")).status for part in ("/edit", "/doctor", "/sharing")]

    assert strange == [404] * len(parts)
    assert (shared.status, kept) == (200, [404, 404, 404])
    assert "Edit" not in shared.links


async def test_only_what_can_be_chosen_is_taken(client: Client) -> None:
    assert (await read(client, "/datasets?status=nonsense")).status == 400
    assert (await read(client, "/datasets?page=-3")).status == 200


async def test_what_goes_on_can_be_cancelled(house: House, client: Client, ann: Actor, dataset: Dataset) -> None:
    await uploaded(house, ann, dataset, "a.png")
    page = await pressed(client, await read(client, f"/datasets/{dataset.id}"), "Cancel")

    assert "is cancelled" in page.words
    assert await house.services.jobs.about(ann, dataset.id) == []


async def test_links_are_fetched(house: House, client: Client, ann: Actor, dataset: Dataset) -> None:
    job = await house.services.intakes.add(ann, dataset, (), links=["http://x.example/a.png"], place=HOME, key="k")
    await finished(house, job)

    assert "What came in last" in (await read(client, f"/datasets/{dataset.id}/create/pictures")).words


async def test_pictures_for_adults_are_shown_to_nobody_else(house: House, client: Client, ann: Actor) -> None:
    dataset = await a_ready_dataset(house, ann)
    current = await house.store.datasets.get(dataset.id)
    await house.store.datasets.save(current.but(rating=Rating.NSFW, access=Access.PUBLIC))
    [item, *_] = await house.services.items.list(ann, dataset.id)
    paths = ("", "/captions", f"/captions/{item.id}")
    owner = [(await read(client, f"/datasets/{dataset.id}{path}")).status for path in paths]
    await entered(house, client, await somebody(house, "ben"))
    stranger = [(await read(client, f"/datasets/{dataset.id}{path}")).status for path in paths]

    assert (owner, stranger) == ([200] * 3, [422] * 3)
    assert "zorp" not in (await read(client, "/datasets?scope=public")).links
