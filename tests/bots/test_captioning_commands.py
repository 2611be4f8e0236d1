"""Captioning from inside a chat: whoever describes is named, asked about and paid before anything leaves."""

import pytest
from pydantic import SecretStr

from bots.chat.reply import Reply
from core.domain.account import Actor
from core.domain.dataset import Dataset
from core.domain.job import Failure, Job
from core.domain.rating import Rating
from core.kinds.captioning import Payload
from core.ports.blobs import Blobs
from core.ports.clock import HandClock, RandomIds
from core.ports.store import Store
from loraguild.composition import House, assembled
from tests.builders.chats import a_call, a_dispatcher, button, labels, press, say
from tests.builders.scenes import a_ready_dataset, claimed, described, finished, somebody

XAI = "api.x.ai"


@pytest.fixture
def seeing(house: House, store: Store, blobs: Blobs, clock: HandClock) -> House:
    """The house with a third party that describes a picture for 3 points."""
    settings = house.settings.model_copy(update={"vision_key": SecretStr("sk"), "vision_price": 3})
    services = assembled(settings, store=store, blobs=blobs, clock=clock, ids=RandomIds())
    return House(settings=settings, store=store, blobs=blobs, services=services)


async def begun(house: House, actor: Actor, reply: Reply) -> Job:
    assert reply.job
    return await house.services.jobs.view(actor, reply.job)


async def anew(house: House, actor: Actor, dataset: Dataset, captioner: str) -> Reply:
    return await say(house, actor, "caption auto", dataset=dataset.id, mode="overwrite", captioner=captioner)


async def test_what_stays_in_the_house_and_costs_nothing_begins_at_once(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)

    reply = await say(house, ann, "caption auto", dataset="zorp", mode="overwrite")

    payload = Payload.model_validate((await begun(house, ann, reply)).payload)
    assert (payload.dataset, payload.captioner, len(payload.items)) == (dataset.id, "palette", 3)


async def test_who_describes_is_asked_only_where_there_is_a_choice(house: House, seeing: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    dispatcher, given = a_dispatcher(), {"dataset": dataset.id, "mode": "overwrite"}
    auto = dispatcher.definition("caption auto")

    assert await dispatcher.question(auto, a_call(house, ann), given) is None
    assert await dispatcher.question(auto, a_call(seeing, ann), given) == "captioner"
    page = await dispatcher.choices(auto, "captioner", a_call(seeing, ann), "", given)
    assert [choice.label for choice in page.choices] == ["palette: colours only", "vision: grok-4 at api.x.ai"]


async def test_a_third_party_is_named_priced_and_allowed_before_anything_is_sent(seeing: House) -> None:
    ann = await somebody(seeing)
    dataset = await a_ready_dataset(seeing, ann)

    asking = await anew(seeing, ann, dataset, "vision")

    assert asking.title == "Describe 3 pictures of «zorp»?"
    assert asking.lines == (
        "grok-4 at api.x.ai would describe them: each leaves this house, in up to 1024 pixels and without its name.",
        "You allow that for this dataset until you take it back with `caption providers zorp`.",
        "Do so only if everyone depicted agrees.",
    )
    assert asking.fields == (("price", "9: 3 pictures at 3; what is not described is not paid"),)
    assert (asking.job, labels(asking)) == (None, ["Allow and go on", "Cancel"])
    assert await seeing.services.jobs.list(ann) != []  # those of the upload, and none that describes
    assert {job.kind for job in await seeing.services.jobs.list(ann)} == {"intake", "validation"}

    card, _ = await press(seeing, ann, asking, "Allow and go on")
    again, _ = await press(seeing, ann, asking, "Allow and go on")

    job = await begun(seeing, ann, card)
    assert (job.price, again.job) == (9, job.id)
    assert (await seeing.store.datasets.get(dataset.id)).providers == (XAI,)
    asking = await anew(seeing, ann, dataset, "vision")
    assert (asking.lines, labels(asking)) == ((), ["Go on", "Cancel"])


async def test_pictures_for_adults_do_not_leave(seeing: House) -> None:
    ann = await somebody(seeing)
    dataset = await a_ready_dataset(seeing, ann)
    await seeing.store.datasets.save(dataset.but(rating=Rating.NSFW))

    refused = await anew(seeing, ann, dataset, "vision")

    assert refused.code == "provider_not_allowed"
    assert refused.buttons == ()


async def test_providers_say_where_pictures_go_and_a_word_is_taken_back(seeing: House) -> None:
    ann, bob = await somebody(seeing), await somebody(seeing, "bob")
    dataset = await a_ready_dataset(seeing, ann)
    await press(seeing, ann, await anew(seeing, ann, dataset, "vision"), "Allow and go on")

    shown = await say(seeing, ann, "caption providers", dataset="zorp")

    assert shown.table
    assert shown.table.rows == (
        ("palette", "colours only", "pictures stay here; free"),
        ("vision", "grok-4 at api.x.ai", "pictures are sent to api.x.ai, none for adults; 3 a picture"),
        ("transformers", "a model of your own", "not set up: an operator has to set CAPTION_MODEL"),
    )
    assert shown.lines == ("The pictures of this dataset may be sent to api.x.ai.",)
    stop = button(shown, "Stop sending to api.x.ai")
    assert (await say(seeing, bob, stop.command, **stop.arguments)).code == "not_found"
    stopped, _ = await press(seeing, ann, shown, stop.label)
    assert stopped.title == "The pictures of «zorp» are not sent to api.x.ai any more"
    assert (await seeing.store.datasets.get(dataset.id)).providers == ()
    assert (await say(seeing, ann, "caption providers")).buttons == ()


async def test_the_card_shows_captions_failures_and_what_was_paid(seeing: House) -> None:
    ann = await somebody(seeing)
    dataset = await a_ready_dataset(seeing, ann, pictures=3)
    items = await seeing.store.items.of(dataset.id)
    card, _ = await press(seeing, ann, await anew(seeing, ann, dataset, "vision"), "Allow and go on")
    found, token = await claimed(seeing, await begun(seeing, ann, card))
    await described(seeing, found, failing={items[1].id: "It was dark."})
    result = await seeing.services.captionings.result(found)
    await seeing.services.jobs.finish(found.id, token, result)

    shown = await say(seeing, ann, "train view", job=found.id)

    assert shown.lines == (
        "2 pictures described.",
        "Change one: `caption edit zorp NUMBER TEXT`.",
        "Paid: 6 of the 9 set aside.",
        "1 picture failed:",
        "✗ zorp 1.png: It was dark.",
    )
    assert shown.table
    assert shown.table.rows == (
        ("zorp 0.png", "zorp, a scene of zorp 0.png"),
        ("zorp 2.png", "zorp, a scene of zorp 2.png"),
    )
    retried, _ = await press(seeing, ann, shown, "Retry the 1 that failed")
    again = await begun(seeing, ann, retried)
    assert (Payload.model_validate(again.payload).items, again.price) == ((items[1].id,), 3)
    await finished(seeing, again)
    assert labels(await say(seeing, ann, "train view", job=again.id)) == ["Train"]


async def test_a_card_of_an_early_end_says_what_was_paid(seeing: House) -> None:
    ann = await somebody(seeing)
    dataset = await a_ready_dataset(seeing, ann)
    card, _ = await press(seeing, ann, await anew(seeing, ann, dataset, "vision"), "Allow and go on")
    found, token = await claimed(seeing, await begun(seeing, ann, card))
    await described(seeing, found, most=1)
    await seeing.services.jobs.finish(found.id, token, Failure(code="captioner_failed", words="It is gone."))

    shown = await say(seeing, ann, "train view", job=found.id)
    again = await say(seeing, ann, "caption retry", job=found.id)

    assert shown.lines == ("It is gone.", "The 9 set aside went back to your wallet, but for 3 for what was done.")
    assert (await begun(seeing, ann, again)).price == 6
