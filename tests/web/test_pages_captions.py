"""The caption editor over the wire: each caption, its history, many at once, sets, captioners, reviews."""

import pytest

from core.domain.account import Actor
from core.domain.dataset import Dataset
from core.domain.item import Item
from loraguild.composition import House
from tests.builders.forms import PART, pressed, read
from tests.builders.scenes import BROKEN, a_ready_dataset, claimed, described, finished, somebody
from tests.builders.visits import Client, entered


@pytest.fixture
async def _signed_in(house: House, client: Client, ann: Actor) -> None:
    await entered(house, client, ann)


@pytest.fixture
async def dataset(house: House, ann: Actor) -> Dataset:
    return await a_ready_dataset(house, ann)


@pytest.fixture
async def items(house: House, ann: Actor, dataset: Dataset) -> list[Item]:
    return list(await house.services.items.list(ann, dataset.id))


pytestmark = pytest.mark.usefixtures("_signed_in")


async def texts(house: House, ann: Actor, dataset: Dataset) -> list[str]:
    found = await house.services.items.list(ann, dataset.id)
    current = await house.services.datasets.seen(ann, dataset.id)
    return [caption.text if (caption := current.caption_of(item)) else "" for item in found]


async def test_a_caption_is_saved_by_a_plain_form_and_its_history_shows_each_word(
    house: House, client: Client, ann: Actor, dataset: Dataset, items: list[Item]
) -> None:
    page = await read(client, f"/datasets/{dataset.id}/captions/{items[0].id}")
    saved = await pressed(client, page, "Save", text="zorp number nine")
    history = await read(client, f"/datasets/{dataset.id}/captions/{items[0].id}")
    undone = await pressed(client, history, "Undo the last change")

    assert saved.path == f"/datasets/{dataset.id}/captions?page=1#item-{items[0].id}".partition("#")[0]
    assert "is saved" in saved.words
    assert "<del> 0</del><ins> nine</ins>" in history.html
    assert "The earlier caption is back." in undone.words
    assert (await texts(house, ann, dataset))[0] == "zorp number 0"


async def test_htmx_is_given_the_card_again_with_what_was_wrong_and_what_was_typed(
    house: House, client: Client, ann: Actor, dataset: Dataset, items: list[Item]
) -> None:
    page = await read(client, f"/datasets/{dataset.id}/captions")
    saved = await pressed(client, page, "Save", part=True, text="zorp waving")
    refused = await pressed(client, page, "Save", part=True, text="zorp " * 400)

    assert saved.html.strip().startswith(f'<li class="caption pending" id="item-{items[0].id}"')
    assert "Version 2" in saved.links
    assert (refused.status, "1 to 1000 characters" in refused.words) == (400, True)
    assert ("zorp " * 400).strip() in refused.html
    assert (await texts(house, ann, dataset))[0] == "zorp waving"


async def test_a_caption_without_a_word_is_taken_away_and_the_same_text_is_no_new_version(
    house: House, client: Client, ann: Actor, dataset: Dataset
) -> None:
    page = await read(client, f"/datasets/{dataset.id}/captions")
    same = await pressed(client, page, "Save", part=True)
    gone = await pressed(client, page, "Save", part=True, text="")
    bare = await read(client, f"/datasets/{dataset.id}/captions?only=uncaptioned")

    assert ("Version 1" in same.links, "no caption" in gone.words) == (True, True)
    assert (await texts(house, ann, dataset))[0] == ""
    assert len([one for one in bare.pictures if one.startswith("/i/")]) == 1


async def test_pictures_are_found_by_words_and_shown_page_by_page(house: House, client: Client, ann: Actor) -> None:
    dataset = await a_ready_dataset(house, ann, name="gorp", pictures=26)
    first = await read(client, f"/datasets/{dataset.id}/captions")
    second = await read(client, first.links["More →"])
    found = await read(client, f"/datasets/{dataset.id}/captions?text=NUMBER+7")

    counts = [len([one for one in page.pictures if one.startswith("/i/")]) for page in (first, second, found)]
    assert counts == [24, 2, 1]


async def test_many_are_changed_exactly_as_it_was_shown(
    house: House, client: Client, ann: Actor, dataset: Dataset, items: list[Item]
) -> None:
    form = await read(client, f"/datasets/{dataset.id}/captions/rewrite")
    nothing = await pressed(client, form, "Show what it does", verb="replace", find="nowhere", words="x")
    preview = await pressed(client, form, "Show what it does", verb="replace", find="number", words="picture")
    before = await texts(house, ann, dataset)
    await house.services.captions.edit(ann, items[0], text="zorp number zero")
    outdated = await pressed(client, preview, "Change them")
    again = await pressed(client, form, "Show what it does", verb="replace", find="number", words="picture")
    done = await pressed(client, again, "Change them")

    assert "would change" in nothing.words
    assert "3 captions would change" in preview.words
    assert "<del> number</del><ins> picture</ins>" in preview.html
    assert before == ["zorp number 0", "zorp number 1", "zorp number 2"]
    assert outdated.status == 409
    assert "Captions changed: 3." in done.words
    assert await texts(house, ann, dataset) == ["zorp picture zero", "zorp picture 1", "zorp picture 2"]


async def test_a_set_is_opened_chosen_and_dropped(house: House, client: Client, ann: Actor, dataset: Dataset) -> None:
    opened = await pressed(client, await read(client, f"/datasets/{dataset.id}/sets"), "Open it", name="long")
    chosen = await pressed(client, opened, "Use it")
    blank = await texts(house, ann, dataset)
    dropped = await pressed(client, chosen, "Delete")

    assert blank == ["", "", ""]
    assert (await house.services.datasets.seen(ann, dataset.id)).sets == ("long",)
    assert "It is gone" in dropped.words


async def test_pictures_are_described_with_progress_and_those_that_failed_again(
    house: House, client: Client, ann: Actor, dataset: Dataset, items: list[Item]
) -> None:
    form = await read(client, f"/datasets/{dataset.id}/captions/auto?mode=overwrite")
    going = await pressed(client, form, "Describe 3 pictures")
    [job] = await house.services.jobs.about(ann, dataset.id)
    running, token = await claimed(house, job)
    await described(house, running, failing={items[0].id: "It is blank."})
    result = await house.services.captionings.result(running)
    await house.services.jobs.finish(job.id, token, result)
    ended = await read(client, f"/datasets/{dataset.id}/captions/auto")
    again = await pressed(client, ended, "Retry those that failed")

    assert "zorp · captions" in going.words
    assert ("1 picture failed" in ended.words, "It is blank." in ended.words) == (True, True)
    assert "are being described again" in again.words


async def test_a_captioning_that_broke_says_why(house: House, client: Client, ann: Actor, dataset: Dataset) -> None:
    await pressed(
        client, await read(client, f"/datasets/{dataset.id}/captions/auto?mode=append"), "Describe 3 pictures"
    )
    [job] = await house.services.jobs.about(ann, dataset.id)
    await finished(house, job, BROKEN)

    assert "It broke." in (await read(client, f"/datasets/{dataset.id}/captions/auto")).words


async def test_captions_are_reviewed_also_by_who_may_only_use_the_dataset(
    house: House, client: Client, ann: Actor, dataset: Dataset, items: list[Item]
) -> None:
    ben = await somebody(house, "ben")
    await house.services.sharings.share(ann, dataset.id, await house.store.accounts.get(ben.account))
    await entered(house, client, ben)
    page = await read(client, f"/datasets/{dataset.id}/captions")
    marked = await pressed(client, page, "Approve", part=True, review="approved")
    forbidden = await client.post(
        f"/datasets/{dataset.id}/captions/{items[0].id}",
        data={"text": "mine", **dict(page.forms[0].fields)},
        headers=PART,
    )

    assert 'aria-pressed="true"' in marked.html
    assert "Save" not in [button for form in page.forms for button in form.buttons]
    assert forbidden.status == 404
    assert (await texts(house, ann, dataset))[0] == "zorp number 0"


async def test_a_picture_is_reviewed_with_a_word_withdrawn_and_removed(
    house: House, client: Client, ann: Actor, dataset: Dataset, items: list[Item]
) -> None:
    path = f"/datasets/{dataset.id}/captions/{items[0].id}"
    said = await pressed(client, await read(client, path), "Say so", review="needs_edit", note="say the colour")
    withdrawn = await pressed(client, await read(client, path), "Withdraw the consent for it")
    given = await pressed(client, withdrawn, "I attest to it again")
    gone = await pressed(client, given, "Remove it for good")

    assert "needs edit: say the colour" in said.words
    assert (withdrawn.path, "it is not trained on" in withdrawn.words) == (path, True)
    assert "it is not trained on" not in given.words
    assert "is gone." in gone.words
    assert len(await house.services.items.list(ann, dataset.id)) == 2
