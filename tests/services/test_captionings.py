"""Having pictures described: where they may be sent, what is kept however it ends, and what that costs."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from core.domain.account import Actor
from core.domain.caption import CaptionMode, CaptionSource
from core.domain.character import Character
from core.domain.dataset import Dataset, Kind
from core.domain.errors import (
    ConsentWithdrawn,
    DatasetEmpty,
    LeaseLost,
    NotEnoughPoints,
    NotFound,
    NothingToDo,
    ProviderNotAllowed,
    Suspended,
)
from core.domain.item import Item
from core.domain.job import LEASE, Failure, Job, JobState
from core.domain.ledger import Act
from core.domain.rating import Rating
from core.kinds.captioning import Payload, Result
from core.ports.blobs import Blobs
from core.ports.clock import HandClock, RandomIds
from core.ports.store import Store
from loraguild.composition import House, assembled
from storage.repositories.entities import Database
from tests.builders.entities import HOME, NOON
from tests.builders.scenes import (
    BROKEN,
    a_ready_dataset,
    claimed,
    described,
    everything_in,
    finished,
    given,
    prove_the_ledger,
    somebody,
)

XAI = "api.x.ai"


@pytest.fixture(params=[3])
def seeing(house: House, store: Store, blobs: Blobs, clock: HandClock, request: pytest.FixtureRequest) -> House:
    """The house with a third party that describes a picture for 3 points, unless another price is asked for."""
    settings = house.settings.model_copy(update={"vision_key": SecretStr("sk"), "vision_price": request.param})
    services = assembled(settings, store=store, blobs=blobs, clock=clock, ids=RandomIds())
    return House(settings=settings, store=store, blobs=blobs, services=services)


async def auto(house: House, actor: Actor, dataset: Dataset, **facts: Any) -> Job:
    wished: dict[str, Any] = {"mode": CaptionMode.OVERWRITE, "place": HOME, "key": house.services.conversations.token()}
    return await house.services.captionings.auto(actor, dataset, **(wished | facts))


async def seen(house: House, dataset: Dataset) -> tuple[Dataset, list[Item]]:
    return await house.store.datasets.get(dataset.id), list(await house.store.items.of(dataset.id))


async def texts(house: House, dataset: Dataset) -> list[str]:
    after, items = await seen(house, dataset)
    return [caption.text if (caption := after.caption_of(item)) else "" for item in items]


async def purse(house: House, actor: Actor) -> int:
    return (await house.services.wallets.view(actor)).total


async def moved(house: House, job: Job) -> dict[Act, int]:
    return {one.act: one.amount for one in await house.store.ledger.about(job.id)}


async def test_what_was_described_becomes_captions_of_this_job(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=2)
    job = await auto(house, ann, dataset)

    ended = await finished(house, job)

    assert Result.model_validate(ended.result) == Result(described=2)
    assert await texts(house, dataset) == ["zorp, a scene of zorp 0.png", "zorp, a scene of zorp 1.png"]
    after, items = await seen(house, dataset)
    versions = [after.caption_of(item) for item in items]
    assert [(one.version, one.source, one.job, one.author) for one in versions if one] == [
        (2, CaptionSource.AUTOMATIC, job.id, ann.account)
    ] * 2
    assert await house.store.scenes.of(job.id) == []
    assert after.status == dataset.status


async def test_a_caption_says_trigger_traits_constraints_and_scene(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    facts: dict[str, Any] = {
        "name": "Zorp",
        "folded": "zorp",
        "trigger": "zorp",
        "created_at": NOON,
        "updated_at": NOON,
    }
    traits = ({"category": "hair", "value": "red", "phrase": "red hair"},)
    await house.store.characters.add(Character(id="c1", owner=ann.account, traits=traits, **facts))
    await house.store.datasets.save(dataset.but(character="c1", constraints=("in a studio",)))

    await finished(house, await auto(house, ann, dataset))

    assert await texts(house, dataset) == ["zorp, red hair, in a studio, a scene of zorp 0.png"]


@pytest.mark.parametrize(
    ("mode", "first", "second"),
    [
        (CaptionMode.IGNORE, "zorp number 0", "zorp, a scene of zorp 1.png"),
        (CaptionMode.APPEND, "zorp number 0, a scene of zorp 0.png", "zorp, a scene of zorp 1.png"),
        (CaptionMode.OVERWRITE, "zorp, a scene of zorp 0.png", "zorp, a scene of zorp 1.png"),
    ],
)
async def test_the_mode_says_what_becomes_of_a_caption(
    house: House, mode: CaptionMode, first: str, second: str
) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=2)
    await house.services.captions.delete(ann, (await house.store.items.of(dataset.id))[1])

    await finished(house, await auto(house, ann, dataset, mode=mode))

    assert await texts(house, dataset) == [first, second]


async def test_what_somebody_wrote_meanwhile_stays(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=1)
    item = (await house.store.items.of(dataset.id))[0]
    await house.services.captions.delete(ann, item)
    job = await auto(house, ann, dataset, mode=CaptionMode.IGNORE)

    await house.services.captions.edit(ann, item, text="zorp by hand")
    await finished(house, job)

    assert await texts(house, dataset) == ["zorp by hand"]


@pytest.mark.parametrize("outcome", [None, BROKEN])
async def test_an_end_before_the_end_keeps_what_was_described(house: House, outcome: Failure | None) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=3)
    found, token = await claimed(house, await auto(house, ann, dataset))
    await described(house, found, most=2)

    if outcome:
        await house.services.jobs.finish(found.id, token, outcome)
    else:
        await house.services.jobs.cancel(ann, found.id)

    assert await texts(house, dataset) == [
        "zorp, a scene of zorp 0.png",
        "zorp, a scene of zorp 1.png",
        "zorp number 2",
    ]
    assert await house.store.scenes.of(found.id) == []
    again = await house.services.captionings.retry(ann, found.id, place=HOME, key="again")
    assert len(Payload.model_validate(again.payload).items) == 1


async def test_another_worker_goes_on_where_the_lost_one_was(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=3)
    job = await auto(house, ann, dataset)
    lost, token = await claimed(house, job)
    await described(house, lost, most=1)
    clock.advance(LEASE + timedelta(seconds=1))
    await house.services.jobs.expire()

    following, _ = await claimed(house, job, worker="w2")
    left = await house.services.captionings.assignment(following)

    assert ([item.artifact.name for item in left.items], left.total) == (["zorp 1.png", "zorp 2.png"], 3)
    with pytest.raises(LeaseLost):
        await house.services.captionings.described(job.id, token, ())
    await described(house, following)
    assert await house.services.captionings.result(following) == Result(described=3)


async def test_failures_have_words_and_are_tried_again_alone(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=3)
    failing = (await house.store.items.of(dataset.id))[1]
    found, token = await claimed(house, await auto(house, ann, dataset))
    await described(house, found, failing={failing.id: "It was dark."})
    result = await house.services.captionings.result(found)
    await house.services.jobs.finish(found.id, token, result)

    assert result == Result(described=2, failures={failing.id: "It was dark."})
    again = await house.services.captionings.retry(ann, found.id, place=HOME, key="again")
    assert Payload.model_validate(again.payload).items == (failing.id,)
    assert await house.services.captionings.retry(ann, found.id, place=HOME, key="again") == again
    await finished(house, again)
    assert await texts(house, dataset) == [f"zorp, a scene of zorp {number}.png" for number in range(3)]
    with pytest.raises(NothingToDo, match="Nothing is left"):
        await house.services.captionings.retry(ann, again.id, place=HOME, key="once more")


async def test_only_ended_captionings_of_ones_own_are_tried_again(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    job = await auto(house, ann, await a_ready_dataset(house, ann))

    with pytest.raises(NothingToDo, match="has not ended"):
        await house.services.captionings.retry(ann, job.id, place=HOME, key="1")
    for actor, name in ((bob, job.id), (ann, "nothing")):
        with pytest.raises(NotFound):
            await house.services.captionings.retry(actor, name, place=HOME, key="2")


async def test_what_all_pictures_show_is_left_out_where_all_were_described(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=2)
    first, _ = await house.store.items.of(dataset.id)

    async def told(*failing: str) -> tuple[list[str], Job]:
        found, token = await claimed(house, await auto(house, ann, dataset))
        await described(house, found, failing=dict.fromkeys(failing, "It was dark."))
        scenes = [one.but(text=f"striped, {one.text}") for one in await house.store.scenes.of(found.id) if one.text]
        await house.services.captionings.described(found.id, token, scenes)
        result = await house.services.captionings.result(found)
        assert result.shared == (() if failing else ("striped",))
        ended = await house.services.jobs.finish(found.id, token, result)
        return await texts(house, dataset), ended

    assert (await told())[0] == ["zorp, a scene of zorp 0.png", "zorp, a scene of zorp 1.png"]
    assert (await told(first.id))[0] == ["zorp, a scene of zorp 0.png", "zorp, striped, a scene of zorp 1.png"]


async def test_a_third_party_sees_pictures_only_where_their_owner_allows_it(seeing: House, database: Database) -> None:
    ann = await somebody(seeing)
    dataset, other = await a_ready_dataset(seeing, ann), await a_ready_dataset(seeing, ann, name="blip")
    captionings = seeing.services.captionings
    before = await everything_in(database)

    terms = await captionings.terms(ann, dataset, mode=CaptionMode.OVERWRITE, captioner="vision")
    assert (terms.captioner.host, terms.count, terms.price, terms.allowed) == (XAI, 3, 9, False)
    for allowed in (None, "somewhere.else"):
        with pytest.raises(ProviderNotAllowed, match=r"The pictures of «zorp» would be sent to api\.x\.ai: its owner"):
            await auto(seeing, ann, dataset, captioner="vision", allowed=allowed)
    assert await everything_in(database) == before

    job = await auto(seeing, ann, dataset, captioner="vision", allowed=XAI)

    assert Payload.model_validate(job.payload).captioner == "vision"
    assert (await seeing.store.datasets.get(dataset.id)).providers == (XAI,)
    assert (await seeing.store.datasets.get(other.id)).providers == ()
    (audit,) = [one for one in await seeing.store.audits.latest() if one.act.startswith("caption.")]
    assert (audit.actor, audit.act, audit.subject, audit.details) == (
        ann.account,
        "caption.allow",
        dataset.id,
        {"provider": XAI},
    )
    await finished(seeing, job)
    assert (await captionings.terms(ann, dataset, mode=CaptionMode.OVERWRITE, captioner="vision")).allowed


async def test_what_was_taken_back_before_it_began_is_not_sent(seeing: House) -> None:
    ann = await somebody(seeing)
    dataset = await a_ready_dataset(seeing, ann)
    job = await auto(seeing, ann, dataset, captioner="vision", allowed=XAI)

    await seeing.services.captionings.forbid(ann, dataset, XAI)

    with pytest.raises(ProviderNotAllowed):
        await seeing.services.captionings.assignment(job)
    with pytest.raises(NotFound):
        await seeing.services.captionings.forbid(ann, dataset, XAI)
    await seeing.services.jobs.cancel(ann, job.id)
    with pytest.raises(ProviderNotAllowed):
        await seeing.services.captionings.retry(ann, job.id, place=HOME, key="again")


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"rating": Rating.NSFW}, ProviderNotAllowed),
        ({"revoked_at": NOON}, ConsentWithdrawn),
        ({"suspended": "r1"}, Suspended),
    ],
)
async def test_what_must_not_leave_does_not_whoever_allows_it(
    seeing: House, facts: dict[str, Any], error: type[Exception]
) -> None:
    ann = await somebody(seeing)
    dataset = await a_ready_dataset(seeing, ann)
    await seeing.store.datasets.save(dataset.but(**facts))

    for allowed in (None, XAI):
        with pytest.raises(error):
            await auto(seeing, ann, dataset, captioner="vision", allowed=allowed)
    with pytest.raises(error):
        await seeing.services.captionings.terms(ann, dataset, mode=CaptionMode.OVERWRITE, captioner="vision")
    assert (await seeing.store.datasets.get(dataset.id)).providers == ()
    assert (await auto(seeing, ann, dataset, captioner="palette")).state is JobState.QUEUED


async def test_an_operator_may_let_pictures_for_adults_be_sent(seeing: House, store: Store, blobs: Blobs) -> None:
    settings = seeing.settings.model_copy(update={"vision_adult": True})
    open_house = assembled(settings, store=store, blobs=blobs, clock=HandClock(), ids=RandomIds())
    ann = await somebody(seeing)
    dataset = await a_ready_dataset(seeing, ann)
    await store.datasets.save(dataset.but(rating=Rating.NSFW))

    mode = CaptionMode.OVERWRITE
    terms = await open_house.captionings.terms(ann, dataset, mode=mode, captioner="vision")

    assert (terms.count, terms.allowed) == (3, False)


async def test_what_somebody_took_their_consent_back_for_is_left_out(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=2)
    first, second = await house.store.items.of(dataset.id)
    await house.store.items.save(first.but(withdrawn_at=NOON))

    job = await auto(house, ann, dataset)

    assert Payload.model_validate(job.payload).items == (second.id,)


async def test_only_described_pictures_are_paid(seeing: House) -> None:
    ann = await somebody(seeing)
    dataset = await a_ready_dataset(seeing, ann, pictures=4)
    failing = (await seeing.store.items.of(dataset.id))[0]
    job = await auto(seeing, ann, dataset, captioner="vision", allowed=XAI)
    assert (job.price, await purse(seeing, ann)) == (12, 88)
    found, token = await claimed(seeing, job)
    await described(seeing, found, failing={failing.id: "It was dark."})
    await described(seeing, found, failing={failing.id: "It was dark."})

    await seeing.services.jobs.finish(job.id, token, await seeing.services.captionings.result(found))

    assert await moved(seeing, job) == {Act.HOLD: 12, Act.CAPTURE: 9, Act.RELEASE: 3}
    assert await purse(seeing, ann) == 91
    await prove_the_ledger(seeing.store)


@pytest.mark.parametrize("seeing", [34], indirect=True)
@pytest.mark.parametrize("outcome", [None, BROKEN])
async def test_what_is_kept_of_an_early_end_is_paid_from_the_first_lots(seeing: House, outcome: Failure | None) -> None:
    ann = await somebody(seeing)
    await given(seeing, ann, 20)
    dataset = await a_ready_dataset(seeing, ann)
    job = await auto(seeing, ann, dataset, captioner="vision", allowed=XAI)
    assert (await purse(seeing, ann)) == 18
    found, token = await claimed(seeing, job)
    await described(seeing, found, most=2)

    if outcome:
        await seeing.services.jobs.finish(job.id, token, outcome)
    else:
        await seeing.services.jobs.cancel(ann, job.id)

    assert await moved(seeing, job) == {Act.HOLD: 102, Act.CAPTURE: 68, Act.RELEASE: 34}
    balance = await seeing.services.wallets.view(ann)
    assert (balance.free, balance.granted) == (32, 20)
    await prove_the_ledger(seeing.store)


@pytest.mark.parametrize("seeing", [34], indirect=True)
async def test_whoever_cannot_pay_has_nothing_allowed_or_begun(seeing: House, database: Database) -> None:
    ann = await somebody(seeing)
    dataset = await a_ready_dataset(seeing, ann)
    before = await everything_in(database)

    with pytest.raises(NotEnoughPoints):
        await auto(seeing, ann, dataset, captioner="vision", allowed=XAI)

    assert await everything_in(database) == before


async def test_words_of_young_age_do_not_come_into_captions_for_adults(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=2)
    await house.store.datasets.save(dataset.but(rating=Rating.NSFW))
    found, token = await claimed(house, await auto(house, ann, dataset))
    await described(house, found)
    first = (await house.store.scenes.of(found.id))[0]

    await house.services.captionings.described(found.id, token, [first.but(text="a schoolgirl on a chair")])

    result = await house.services.captionings.result(found)
    assert (result.described, list(result.failures)) == (1, [first.item])
    assert "nothing for adults is made of anybody who may be a minor" in result.failures[first.item]


async def test_one_dataset_is_described_and_paid_once_at_a_time(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    first = await house.services.captionings.auto(ann, dataset, mode=CaptionMode.OVERWRITE, place=HOME, key="1")

    with pytest.raises(NothingToDo, match="is being described already"):
        await house.services.captionings.auto(ann, dataset, mode=CaptionMode.OVERWRITE, place=HOME, key="2")
    await house.services.jobs.cancel(ann, first.id)
    second = await house.services.captionings.auto(ann, dataset, mode=CaptionMode.OVERWRITE, place=HOME, key="2")

    assert [job.id for job in await house.store.jobs.about(dataset.id)] == [second.id]


async def test_there_must_be_pictures_and_a_captioner(house: House) -> None:
    ann = await somebody(house)
    empty = await house.services.datasets.create(ann, name="empty", trigger="emptyx")
    with pytest.raises(DatasetEmpty):
        await auto(house, ann, empty)

    dataset = await a_ready_dataset(house, ann)
    with pytest.raises(NothingToDo, match="has a caption"):
        await auto(house, ann, dataset, mode=CaptionMode.IGNORE)
    with pytest.raises(NotFound, match=r"There is no captioner «vision»\. There are: palette\."):
        await auto(house, ann, dataset, captioner="vision")

    await house.store.datasets.save(dataset.but(kind=Kind.CONVERSATIONS))
    with pytest.raises(NothingToDo, match="holds conversations"):
        await auto(house, ann, dataset)


async def test_a_dataset_that_was_deleted_meanwhile_stays_as_it_was(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    found, token = await claimed(house, await auto(house, ann, dataset))
    await described(house, found)
    await house.store.items.clear(dataset.id)
    result = await house.services.captionings.result(found)

    assert (await house.services.jobs.finish(found.id, token, result)).state is JobState.SUCCEEDED
    assert await house.store.scenes.of(found.id) == []
