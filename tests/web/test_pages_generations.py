"""Pictures on pages without JavaScript: what a prompt calls and costs, ordering, what to do with what came of it."""

import pytest

from core.domain.account import Actor
from core.domain.model import Model
from loraguild.composition import House
from tests.builders.forms import PART, Sheet, pressed, read
from tests.builders.scenes import a_trained_model, finished, imagined, somebody
from tests.builders.visits import Client, entered


@pytest.fixture
async def _signed_in(house: House, client: Client, ann: Actor) -> None:
    await entered(house, client, ann)


@pytest.fixture
async def model(house: House, ann: Actor) -> Model:
    return await a_trained_model(house, ann)


pytestmark = pytest.mark.usefixtures("_signed_in")


async def priced(client: Client, form: Sheet, **typed: str) -> str:
    """What the form is told while somebody types."""
    fields = dict(form.forms[-1].fields) | typed
    return await (await client.post("/generate/price", data=fields, headers=PART)).text()


@pytest.mark.usefixtures("model")
async def test_a_prompt_shows_its_price_and_what_its_words_call(house: House, client: Client, ann: Actor) -> None:
    empty = await read(client, "/generate")
    page = await read(client, "/generate?text=zorp:0.5 at sea")

    assert ("Type a prompt" in empty.words, "No pictures yet" in empty.words) == (True, True)
    assert empty.links["zorp"] == "/generate?text=zorp"
    assert "«zorp» is ann/zorp, at 50 %: one's own newest model comes first." in page.words
    assert "3 points" in " ".join((await priced(client, page, count="3")).replace("<small>", "").split())
    assert 'data-field="count"' in await priced(client, page, count="99")
    assert 'data-field="text"' in await priced(client, page, text="nobody")
    assert await house.services.generations.list(ann) == []


@pytest.mark.usefixtures("model")
async def test_pictures_are_ordered_once_and_what_is_refused_keeps_the_prompt(
    house: House, client: Client, ann: Actor
) -> None:
    page = await read(client, "/generate?text=zorp")
    refused = await pressed(client, page, "Draw", guidance="much")
    job = await pressed(client, page, "Draw", count="2")
    again = await pressed(client, page, "Draw", count="2")

    assert (refused.status, "«much»" in refused.words, ">zorp</textarea>" in refused.html) == (400, True, True)
    assert ("Next in the queue" in job.words, again.path) == (True, job.path)
    assert [made.count for made in await house.services.generations.list(ann)] == [2]


async def test_a_word_that_means_several_models_is_asked_about(house: House, client: Client, ann: Actor) -> None:
    account = await house.store.accounts.get(ann.account)
    shared = []
    for name in ("bob", "cid"):
        owner = await somebody(house, name)
        shared.append(await a_trained_model(house, owner))
        await house.services.models.share(owner, shared[-1].id, account)
    asked = await pressed(client, await read(client, "/generate"), "Draw", text="zorp at sea")
    fields = dict(asked.forms[-1].fields) | {"meant": f"{shared[1].id} zorp"}
    chosen = await (await client.post("/generate/form", data=fields)).text()

    assert ("Which «zorp» do you mean?" in asked.words, "bob/zorp" in asked.html) == (True, True)
    assert (f">{shared[1].id} at sea</textarea>" in chosen, "<strong>cid/zorp</strong>" in chosen) == (True, True)
    assert await house.services.generations.list(ann) == []


@pytest.mark.usefixtures("model")
async def test_what_came_of_it_is_drawn_again_rated_and_deleted(house: House, client: Client, ann: Actor) -> None:
    job = await finished(house, await imagined(house, ann, "zorp", count=2, seed=7))
    page = await read(client, f"/generate/{job.id}")
    again = await pressed(client, page, "Again")
    varied = await pressed(client, page, "Vary", picture="2", strength="40")
    rated = await pressed(client, page, "Rate", stars="4", words="fine <b>")
    wrong = await pressed(client, page, "Rate", stars="9")
    gone = await pressed(client, page, "Delete")

    assert (sum("/i/" in one for one in page.pictures), "7 to 8" in page.words) == (2, True)
    assert len({page.path, again.path, varied.path}) == 3
    assert "of which 40 % change" in varied.words
    assert ("that is noted" in rated.words, "fine &lt;b&gt;" in rated.html) == (True, True)
    assert (wrong.status, "it takes 1 to 5 stars" in wrong.words) == (400, True)
    assert gone.path == "/generate"
    assert (await read(client, page.path)).status == 404


@pytest.mark.usefixtures("model")
async def test_the_gallery_is_paged_and_nobody_elses(house: House, client: Client, ann: Actor) -> None:
    jobs = [await imagined(house, ann, f"zorp {number}") for number in range(13)]
    first = await read(client, "/generate")
    second = await read(client, first.links["More →"])
    await entered(house, client, await somebody(house, "bob"))

    assert {len([one for one in jobs if one.id in page.html]) for page in (first, second)} == {12, 1}
    assert "No pictures yet" in (await read(client, "/generate")).words
    assert (await read(client, f"/generate/{jobs[0].id}")).status == 404
