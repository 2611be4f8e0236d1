"""The creator over the wire: every step without JavaScript, going on where something is missing, plain uploads."""

import pytest
from aiohttp import FormData

from core.domain.account import Actor
from core.domain.dataset import Dataset
from core.kinds.intake import Payload
from loraguild.composition import House
from tests.builders.forms import PAGE, pressed, read
from tests.builders.scenes import a_ready_dataset, finished, taken_in, uploaded
from tests.builders.visits import Client, entered


@pytest.fixture
async def _signed_in(house: House, client: Client, ann: Actor) -> None:
    await entered(house, client, ann)


pytestmark = pytest.mark.usefixtures("_signed_in")


async def test_a_dataset_comes_to_be_step_by_step(house: House, client: Client, ann: Actor) -> None:
    first = await read(client, "/datasets/new")
    traits = await pressed(client, first, "Go on", character="new", name="Zorp", trigger="zorp")
    naming = await pressed(
        client, traits, "Go on", {"trait-species": "robot", "category": "tail", "value": "long striped tail"}
    )
    files = await pressed(client, naming, "Go on", name="zorp at home")

    [dataset] = await house.services.datasets.list(ann)
    [character] = await house.services.characters.known(ann)
    assert character.phrases == ("robot", "long striped tail")
    assert (dataset.name, dataset.trigger, dataset.character) == ("zorp at home", "zorp", character.id)
    assert files.path == f"/datasets/{dataset.id}/create/pictures"
    assert files.links["Traits"] == f"/characters/{character.id}"


async def test_the_optional_steps_can_be_skipped(house: House, client: Client, ann: Actor) -> None:
    naming = await read(client, (await read(client, "/datasets/new")).links["Skip"])
    refused = await pressed(client, naming, "Go on", name="night", trigger="the")
    files = await pressed(client, refused, "Go on", trigger="nightx")

    [dataset] = await house.services.datasets.list(ann)
    assert (refused.status, ("name", "night") in refused.forms[-1].fields) == (400, True)
    assert (dataset.trigger, dataset.character) == ("nightx", None)
    assert "Traits" not in files.links


async def test_what_was_typed_of_traits_is_not_lost(house: House, client: Client, ann: Actor) -> None:
    made = await house.services.characters.create(ann, name="Zorp", trigger="zorp")
    form = await read(client, f"/datasets/new/traits?character={made.character.id}")
    refused = await pressed(client, form, "Go on", value="long tail")

    assert (refused.status, "say what it is about" in refused.words) == (400, True)
    assert ("value", "long tail") in refused.forms[-1].fields


async def test_continue_leads_to_the_first_step_that_something_is_missing_of(
    house: House, client: Client, ann: Actor
) -> None:
    empty = await house.services.datasets.create(ann, name="empty", trigger="emptx")
    ready = await a_ready_dataset(house, ann)

    assert (await read(client, f"/datasets/{empty.id}/create")).path == f"/datasets/{empty.id}/create/pictures"
    last = await read(client, f"/datasets/{ready.id}/create")
    assert last.path == f"/datasets/{ready.id}/create/order"
    assert last.links["Choose what to train"] == f"/train?dataset={ready.id}"
    assert (await read(client, f"/datasets/{ready.id}/create/captions")).path == f"/datasets/{ready.id}/captions"
    assert (await read(client, f"/datasets/{ready.id}/create/nonsense")).status == 404


async def test_an_order_says_what_is_in_its_way(client: Client, dataset: Dataset) -> None:
    page = await read(client, f"/datasets/{dataset.id}/create/order")

    assert "Not yet" in page.words
    assert f"/datasets/{dataset.id}/create" in page.links.values()


async def test_a_plain_form_brings_files_in_through_the_upload_session(
    house: House, client: Client, ann: Actor, dataset: Dataset
) -> None:
    page = await read(client, f"/datasets/{dataset.id}/create/pictures")
    form = next(form for form in page.forms if "Send them" in form.buttons)
    files = FormData()
    for name, content in (("a.png", b"a" * 100_000), ("a.txt", b"zorp, a robot")):
        files.add_field("files", content, filename=name, content_type="application/octet-stream")
    answer = await client.post(form.action, data=files, headers=PAGE)

    [job] = await house.services.jobs.about(ann, dataset.id)
    payload = Payload.model_validate(job.payload)
    assert answer.url.path == f"/datasets/{dataset.id}/create/pictures"
    assert [(file.name, file.size) for file in payload.files] == [("a.png", 100_000), ("a.txt", 13)]
    assert "2 files coming in" in await answer.text()


async def test_a_plain_form_without_a_file_is_refused_with_words(client: Client, link: str) -> None:
    empty = FormData()
    empty.add_field("files", b"", filename="", content_type="application/octet-stream")
    answer = await client.post(link, data=empty, headers=PAGE)

    assert answer.status == 400
    assert "choose one or more files first" in await answer.text()


async def test_the_page_says_what_became_of_each_file(house: House, client: Client, ann: Actor) -> None:
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    await taken_in(house, await uploaded(house, ann, dataset, "a.png", "b.png"))
    page = await read(client, f"/datasets/{dataset.id}/create/pictures")

    assert "2 pictures taken." in page.words
    assert "a.png" in page.words


async def test_links_are_asked_to_be_fetched_once(house: House, client: Client, ann: Actor, dataset: Dataset) -> None:
    page = await read(client, f"/datasets/{dataset.id}/create/pictures")
    wrong = await pressed(client, page, "Fetch them", links="nonsense")
    await pressed(client, wrong, "Fetch them", links="https://x.example/a.png https://x.example/b.png")
    await pressed(client, wrong, "Fetch them", links="https://x.example/a.png https://x.example/b.png")

    [job] = await house.services.jobs.about(ann, dataset.id)
    assert ("links", "nonsense") in wrong.forms[-1].fields
    assert Payload.model_validate(job.payload).links == ("https://x.example/a.png", "https://x.example/b.png")


async def test_one_upload_session_serves_however_often_the_page_is_opened(
    house: House, client: Client, dataset: Dataset
) -> None:
    for _ in range(3):
        page = await read(client, f"/datasets/{dataset.id}/create/pictures")
    assert page.status == 200
    assert len(await house.store.uploads.open_for(dataset.id, now=house.services.uploads.clock.now())) == 1


async def test_the_doctor_is_sent_and_mends(house: House, client: Client, ann: Actor) -> None:
    dataset = await a_ready_dataset(house, ann, pictures=5)  # the first and the last look alike
    page = await read(client, f"/datasets/{dataset.id}/doctor")
    preview = await read(client, page.links["Drop look-alikes…"])
    kept = await pressed(client, page, "Keep look-alikes")
    looking = await pressed(client, kept, "Check again")
    [job] = await house.services.jobs.about(ann, dataset.id)
    await finished(house, job)

    assert "Drop look-alikes: 1 picture?" in preview.words
    assert ("It is mended." in kept.words, "Drop look-alikes…" in kept.links) == (True, False)
    assert "the doctor looks" in looking.words
    assert "Nothing to mend" in (await read(client, f"/datasets/{dataset.id}/doctor")).words


async def test_what_drops_pictures_is_done_after_it_was_shown(house: House, client: Client, ann: Actor) -> None:
    dataset = await a_ready_dataset(house, ann, pictures=5)
    preview = await read(client, f"/datasets/{dataset.id}/doctor/drop_near")
    await pressed(client, preview, "Drop them")

    assert len(await house.services.items.list(ann, dataset.id)) == 4
