"""The training form without JavaScript: made of an offering, priced before it is ordered, refused beside its fields."""

import pytest

from core.domain.account import Actor
from core.domain.consent import RIGHTS
from loraguild.composition import House
from tests.builders.forms import PART, Sheet, pressed, read
from tests.builders.scenes import BROKEN, a_ready_dataset, a_trained_model, an_order, finished, somebody
from tests.builders.visits import Client, entered


@pytest.fixture
async def _signed_in(house: House, client: Client, ann: Actor) -> None:
    await entered(house, client, ann)


pytestmark = pytest.mark.usefixtures("_signed_in")


async def priced(client: Client, form: Sheet, **typed: str) -> str:
    """What the form is told while somebody types."""
    fields = dict(form.forms[-1].fields) | typed
    return await (await client.post("/train/price", data=fields, headers=PART)).text()


async def test_without_a_dataset_it_says_what_to_do_first(client: Client) -> None:
    page = await read(client, "/train")

    assert ("No dataset yet" in page.words, page.links["New dataset"]) == (True, "/datasets/new")


async def test_the_form_is_made_of_the_offering_and_knows_the_price(house: House, client: Client, ann: Actor) -> None:
    dataset = await a_ready_dataset(house, ann)
    page = await read(client, f"/train?offering=tiny&dataset={dataset.id}&steps=400")
    slow = await read(client, f"/train?offering=tiny&dataset={dataset.id}&preset=slow")

    assert 'name="rank" type="number" min="1" max="64" step="1"' in page.html
    assert "Inner width of the adapter. 1 to 64; usually 16." in page.words
    assert ("30 points" in page.words, "400 steps" in page.words, "after70" in page.words) == (True, True, True)
    assert ('value="slow" checked' in slow.html, "30 points" in slow.words) == (True, True)


async def test_without_scripts_a_button_shows_the_price_of_what_is_typed(
    house: House, client: Client, ann: Actor
) -> None:
    dataset = await a_ready_dataset(house, ann)
    fields = dict((await read(client, "/train?offering=tiny")).forms[-1].fields)
    typed = fields | {"dataset": dataset.id, "offering": "tiny", "preset": "slow", "epochs": "4"}
    shown = await (await client.post("/train", data=typed)).text()

    assert ("30 <small>points</small>" in shown, 'value="slow" checked' in shown) == (True, True)
    assert 'name="epochs" type="number" min="1" max="10" step="1" value="4"' in shown


async def test_what_does_not_fit_is_said_beside_its_field(house: House, client: Client, ann: Actor) -> None:
    dataset = await a_ready_dataset(house, ann)
    page = await read(client, f"/train?offering=tiny&dataset={dataset.id}&steps=5")
    refused = await pressed(client, page, "Get a quote", seed="-1")

    assert "steps=5 is out of bounds" in page.words
    assert ('aria-describedby="steps-wrong steps-hint"' in page.html, "points" in page.words) == (True, True)
    assert (refused.status, "«-1» is not a valid seed" in refused.words, 'value="5"' in refused.html) == (
        400,
        True,
        True,
    )
    assert 'data-field="steps"' in await priced(client, page)
    assert "points" in await priced(client, page, steps="400")


async def test_a_quote_is_confirmed_with_the_words_on_rights_and_ordered_once(
    house: House, client: Client, ann: Actor
) -> None:
    dataset = await a_ready_dataset(house, ann)
    quote = await pressed(
        client, await read(client, f"/train?offering=tiny&dataset={dataset.id}"), "Get a quote", rank="8"
    )
    refused = await pressed(client, quote, "Order for 20 points")
    job = await pressed(client, quote, "Order for 20 points", attested=RIGHTS)
    again = await pressed(client, quote, "Order for 20 points", attested=RIGHTS)

    assert quote.path.startswith("/train/quotes/")
    assert ("I may use these files" in quote.words, "rank8" in quote.words) == (True, True)
    assert (refused.status, "I may use these files" in refused.words) == (422, True)
    assert job.path.startswith("/jobs/")
    assert again.path == job.path
    assert len(await house.services.trainings.list(ann)) == 1
    assert (await read(client, quote.path)).path == job.path


async def test_nobody_sees_a_quote_of_somebody_else(house: House, client: Client, ann: Actor) -> None:
    dataset = await a_ready_dataset(house, ann)
    quote = await pressed(client, await read(client, f"/train?offering=tiny&dataset={dataset.id}"), "Get a quote")
    await entered(house, client, await somebody(house, "bob"))

    assert [
        (await read(client, path)).status for path in (quote.path, f"/train?offering=tiny&dataset={dataset.id}")
    ] == [404, 404]


async def test_a_model_of_ones_own_can_be_gone_on_with(house: House, client: Client, ann: Actor) -> None:
    model = await a_trained_model(house, ann)
    page = await read(
        client, f"/train?offering=tiny&from={model.id}&dataset={(await house.store.runs.get(model.run)).dataset}"
    )

    assert f'<option value="{model.id}" selected>' in page.html
    assert "points" in page.words


async def test_what_has_failed_by_itself_is_ordered_again_with_the_same_settings(
    house: House, client: Client, ann: Actor
) -> None:
    job = await finished(house, await an_order(house, ann, await a_ready_dataset(house, ann), steps="300"), BROKEN)
    form = await pressed(client, await read(client, f"/jobs/{job.id}"), "Order again")

    assert form.path.startswith("/train?")
    assert 'name="steps" type="number" min="10" max="2000" step="1" value="300"' in form.html
