"""The main road: quote, order, work, end; and everything that can go wrong on it."""

import asyncio
import hashlib
from datetime import timedelta

import pytest

from core.domain.caption import CaptionMode
from core.domain.consent import RIGHTS
from core.domain.errors import (
    BadValue,
    DatasetEmpty,
    DatasetNotReady,
    DatasetUnfit,
    LeaseLost,
    NotAttested,
    NotEnoughPoints,
    NotFound,
    OfferingClosed,
    OutOfBounds,
    QuoteExpired,
    UnknownParameter,
)
from core.domain.job import JobState
from core.domain.ledger import Act, held
from core.domain.model import Visibility
from core.domain.quote import OPEN_FOR, QuoteState
from core.domain.run import Epoch, MetricsPoint
from core.kinds import training
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import (
    BROKEN,
    a_quote_for,
    a_ready_dataset,
    an_order,
    claimed,
    everything_in,
    finished,
    given,
    prove_the_ledger,
    somebody,
    stored,
    taken_in,
    uploaded,
    well_done,
)


async def test_an_order_is_a_hold_a_job_a_run_a_snapshot_and_a_card(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    quoted = await a_quote_for(house, ann, dataset)

    job = await house.services.trainings.order(ann, quoted.quote.id, place=HOME, attested=RIGHTS)

    run = await house.store.runs.get(job.id)
    snapshot = await house.store.snapshots.get(run.snapshot)
    assert (quoted.quote.price, quoted.balance, job.price, job.state) == (20, 100, 20, JobState.QUEUED)
    assert (await house.services.wallets.view(ann)).free == 80
    assert (await house.store.ledger.balance(held(job.id))).free == 20
    assert [entry.name for entry in snapshot.entries] == ["zorp 0.png", "zorp 1.png", "zorp 2.png"]
    assert [entry.caption for entry in snapshot.entries] == ["zorp number 0", "zorp number 1", "zorp number 2"]
    assert (run.offering, run.hyperparameters["steps"], run.base) == ("tiny", 200, "tiny-sd")
    assert run.offering_version == house.services.trainings.offerings["tiny"].version
    assert [(card.job, card.place) for card in await house.services.deliveries.cards(HOME)][-1] == (job.id, HOME)
    assert (await house.store.quotes.get(quoted.quote.id)).state is QuoteState.ACCEPTED
    await prove_the_ledger(house.store)


async def test_without_enough_points_nothing_is_written_and_the_words_say_what_is_missing(
    house: House, database: Database
) -> None:
    ann = await somebody(house)
    quoted = await a_quote_for(house, ann, await a_ready_dataset(house, ann), steps="2000")
    before = await everything_in(database)

    with pytest.raises(NotEnoughPoints) as refused:
        await house.services.trainings.order(ann, quoted.quote.id, place=HOME, attested=RIGHTS)

    assert (refused.value.price, refused.value.balance, refused.value.missing) == (110, 100, 10)
    assert await everything_in(database) == before


async def test_confirming_often_and_at_once_makes_one_job_and_one_hold(house: House, database: Database) -> None:
    ann = await somebody(house)
    quoted = await a_quote_for(house, ann, await a_ready_dataset(house, ann))

    jobs = await asyncio.gather(
        *(house.services.trainings.order(ann, quoted.quote.id, place=HOME, attested=RIGHTS) for _ in range(6))
    )
    again = await house.services.trainings.order(ann, quoted.quote.id, place=HOME, attested=RIGHTS)

    assert {job.id for job in jobs} == {again.id}
    assert await database["runs"].count_documents({}) == 1
    assert (await house.services.wallets.view(ann)).free == 80
    await prove_the_ledger(house.store)


async def test_what_cannot_be_ordered_is_refused_and_writes_nothing(house: House, database: Database) -> None:
    ann = await somebody(house)
    ready = await a_ready_dataset(house, ann)
    small = await a_ready_dataset(house, ann, name="glim", pictures=2)
    empty = await house.services.datasets.create(ann, name="empty", trigger="empty")
    draft = await a_ready_dataset(house, ann, name="busy")
    await uploaded(house, ann, draft, "more.png")
    before = await everything_in(database)

    for dataset, overrides, error in (
        (empty, {}, DatasetEmpty),
        (draft, {}, DatasetNotReady),
        (small, {}, DatasetUnfit),
        (ready, {"steps": "5000"}, OutOfBounds),
        (ready, {"rank": "0"}, OutOfBounds),
        (ready, {"rank": "many"}, BadValue),
        (ready, {"colour": "red"}, UnknownParameter),
        (ready, {"steps": "10", "epochs": "10", "batch": "8.5"}, BadValue),
    ):
        with pytest.raises(error):
            await a_quote_for(house, ann, dataset, **overrides)

    assert await everything_in(database) == before


async def test_the_first_order_takes_its_owners_word_on_rights_and_consent(house: House, database: Database) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    order, quote = house.services.trainings.order, (await a_quote_for(house, ann, dataset)).quote.id
    before = await everything_in(database)
    for words in (None, "rights-0"):
        with pytest.raises(NotAttested, match="I have the consent of everyone depicted"):
            await order(ann, quote, place=HOME, attested=words)
    assert await everything_in(database) == before

    await order(ann, quote, place=HOME, attested=RIGHTS)
    await order(ann, (await a_quote_for(house, ann, dataset)).quote.id, place=HOME)
    attested = (await house.store.datasets.get(dataset.id)).attestation
    await taken_in(house, await uploaded(house, ann, dataset, "more.png"))
    more = await a_quote_for(house, ann, dataset)

    assert attested
    assert (attested.by, attested.words) == (ann.account, RIGHTS)
    with pytest.raises(NotAttested):
        await order(ann, more.quote.id, place=HOME)


async def test_a_seed_is_taken_where_somebody_wants_to_repeat_a_training(house: House) -> None:
    ann = await somebody(house)
    await given(house, ann, 100)
    dataset = await a_ready_dataset(house, ann)
    jobs = [await an_order(house, ann, dataset, seed="0"), await an_order(house, ann, dataset, seed="7")]

    runs = [await house.store.runs.get(job.id) for job in jobs]

    assert [(run.seed, run.snapshot) for run in runs] == [(0, runs[0].snapshot), (7, runs[0].snapshot)]
    assert "seed" not in runs[0].hyperparameters
    for seed in ("-1", "seven", str(2**31)):
        with pytest.raises(BadValue, match="seed"):
            await a_quote_for(house, ann, dataset, seed=seed)


async def test_a_quote_expires(house: House, clock: HandClock, database: Database) -> None:
    ann = await somebody(house)
    quoted = await a_quote_for(house, ann, await a_ready_dataset(house, ann))
    clock.advance(OPEN_FOR)
    before = await everything_in(database)

    with pytest.raises(QuoteExpired):
        await house.services.trainings.order(ann, quoted.quote.id, place=HOME, attested=RIGHTS)

    assert await everything_in(database) == before


async def test_a_dataset_that_changed_since_the_quote_must_be_ready_again(house: House, database: Database) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    uploading, gone = await a_quote_for(house, ann, dataset), await a_quote_for(house, ann, dataset)
    await uploaded(house, ann, dataset, "more.png")
    before = await everything_in(database)
    with pytest.raises(DatasetNotReady):
        await house.services.trainings.order(ann, uploading.quote.id, place=HOME, attested=RIGHTS)
    assert await everything_in(database) == before

    await house.services.datasets.delete(ann, dataset)

    with pytest.raises(NotFound, match="There is no dataset"):
        await house.services.trainings.order(ann, gone.quote.id, place=HOME, attested=RIGHTS)


async def test_an_offering_that_left_the_configuration_is_closed(house: House) -> None:
    ann = await somebody(house)
    quoted = await a_quote_for(house, ann, await a_ready_dataset(house, ann))
    await house.store.quotes.save(quoted.quote.but(offering="gone"))

    with pytest.raises(OfferingClosed):
        await house.services.trainings.order(ann, quoted.quote.id, place=HOME, attested=RIGHTS)


async def test_a_training_that_succeeds_makes_a_model_and_captures_once(house: House) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    found, token = await claimed(house, job)
    result = await well_done(house, found)

    done = await house.services.jobs.finish(job.id, token, result)
    with pytest.raises(LeaseLost):
        await house.services.jobs.finish(job.id, token, result)

    (model,) = await house.services.models.list(ann)
    receipt = await house.services.wallets.receipt(ann, job.id)
    run = await house.store.runs.get(job.id)
    assert (done.state, model.slug, model.trigger, model.visibility) == ("succeeded", "zorp", "zorp", "private")
    assert [(one.act, one.amount) for one in sorted(receipt.transactions, key=lambda one: one.id, reverse=True)] == [
        (Act.HOLD, 20),
        (Act.CAPTURE, 20),
    ]
    assert (run.base_hash, run.code_version) == ("b" * 64, "1")
    assert (run.evaluation_before, run.evaluation_after) == (0.5, 0.25)
    assert (await house.services.wallets.view(ann)).free == 80
    await prove_the_ledger(house.store)


async def test_two_models_of_one_dataset_have_two_slugs(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    for _ in range(3):
        await finished(house, await an_order(house, ann, dataset))

    assert {model.slug for model in await house.services.models.list(ann)} == {"zorp", "zorp-2", "zorp-3"}


async def test_a_training_that_fails_pays_back_and_says_why(house: House) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))

    await finished(house, job, BROKEN)

    receipt = await house.services.wallets.receipt(ann, job.id)
    assert [(one.act, one.amount, one.why) for one in receipt.transactions] == [
        (Act.HOLD, 20, "zorp · Tiny"),
        (Act.RELEASE, 20, "It broke."),
    ]
    assert (await house.services.wallets.view(ann)).free == 100
    assert await house.services.models.list(ann) == []
    await prove_the_ledger(house.store)


async def test_a_snapshot_stays_whatever_happens_to_its_dataset(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    job = await an_order(house, ann, dataset)
    before = (await house.services.runs.assignment(job)).snapshot
    item = (await house.services.datasets.view(ann, dataset.id)).items[0]

    await house.services.captions.edit(ann, item, text="zorp, something else")
    await taken_in(house, await uploaded(house, ann, dataset, "more.png"))
    auto = await house.services.captionings.auto(ann, dataset, mode=CaptionMode.OVERWRITE, place=HOME, key="k")
    await finished(house, auto)
    edited = await an_order(house, ann, dataset)
    await house.services.datasets.delete(ann, dataset)

    assert (await house.services.runs.assignment(job)).snapshot == before
    assert (await house.services.runs.assignment(edited)).snapshot.id != before.id
    assert (await finished(house, job)).state is JobState.SUCCEEDED


async def test_equal_content_is_one_snapshot_whose_bytes_are_held_once(house: House, database: Database) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    quotes = [await a_quote_for(house, ann, dataset) for _ in range(3)]

    await asyncio.gather(
        *(house.services.trainings.order(ann, one.quote.id, place=HOME, attested=RIGHTS) for one in quotes)
    )

    assert await database["snapshots"].count_documents({}) == 1
    picture = (await house.services.datasets.view(ann, dataset.id)).items[0].artifact
    row = await database["blobs"].find_one({"_id": picture.sha256})
    assert row
    assert row["references"] == 2  # the item and the snapshot


async def test_what_a_lost_attempt_had_done_beyond_the_end_is_no_part_of_the_run(
    house: House, database: Database
) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    _, token = await claimed(house, job)
    for number in (1, 2):
        epoch = Epoch(number=number, step=20 * number, loss=0.5, artifact=await stored(house, f"epoch {number}"))
        await house.services.runs.passed(job.id, token, epoch, run=job.id)
    points = [MetricsPoint(step=step, loss=1.0, lr=0.1) for step in range(1, 41)]
    await house.services.jobs.report(job.id, token, points=points)
    await house.services.jobs.release(job.id, token)
    found, token = await claimed(house, job)
    result = await well_done(house, found)
    assert isinstance(result, training.Result)
    await house.services.jobs.finish(job.id, token, result.but(step=37))

    run = await house.store.runs.get(job.id)
    assert [epoch.step for epoch in run.epochs] == [20]
    assert list(await house.store.runs.chart(job.id)) == points[:37]
    counts = {row["_id"]: row["references"] async for row in database["blobs"].find()}
    assert [counts[hashlib.sha256(name).hexdigest()] for name in (b"epoch 1", b"epoch 2")] == [1, 0]


async def test_epochs_points_and_checkpoints_are_recorded_under_the_lease(house: House, database: Database) -> None:
    ann = await somebody(house)
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    _, token = await claimed(house, job)
    old, new = await stored(house, "old.ckpt"), await stored(house, "new.ckpt")
    first, again = await stored(house, "first"), await stored(house, "again")
    epoch = Epoch(number=1, step=100, loss=0.5, artifact=first)

    await house.services.jobs.report(job.id, token, points=[MetricsPoint(step=1, loss=1.0, lr=0.1)])
    await house.services.jobs.checkpoint(job.id, token, old)
    await house.services.jobs.checkpoint(job.id, token, new)
    await house.services.runs.passed(job.id, token, epoch, run=job.id)
    await house.services.runs.passed(job.id, token, epoch.but(artifact=again), run=job.id)

    run = await house.store.runs.get(job.id)
    counts = {row["_id"]: row["references"] async for row in database["blobs"].find()}
    assert [one.artifact for one in run.epochs] == [again]
    assert (await house.store.jobs.get(job.id)).checkpoint == new
    assert [counts[one.sha256] for one in (old, new, first, again)] == [0, 1, 0, 1]
    assert await house.services.runs.chart(job.id) == [MetricsPoint(step=1, loss=1.0, lr=0.1)]

    await house.services.jobs.cancel(ann, job.id)
    row = await database["blobs"].find_one({"_id": new.sha256})
    assert row
    assert row["references"] == 0


async def test_a_price_that_changed_since_the_quote_is_not_charged(house: House) -> None:
    ann = await somebody(house)
    quoted = await a_quote_for(house, ann, await a_ready_dataset(house, ann))
    await house.store.quotes.save(quoted.quote.but(offering_version="another"))

    with pytest.raises(QuoteExpired):
        await house.services.trainings.order(ann, quoted.quote.id, place=HOME, attested=RIGHTS)


async def test_publishing_is_for_everyone_and_once(house: House, clock: HandClock) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    await finished(house, await an_order(house, ann, await a_ready_dataset(house, ann)))
    (model,) = await house.services.models.list(ann)
    hidden = await house.services.models.list(bob)
    clock.advance(timedelta(minutes=1))

    public = await house.services.models.publish(ann, model.id)

    assert hidden == []
    assert (public.visibility, public.published_at) == (Visibility.PUBLIC, clock.now())
    assert (await house.services.models.view(bob, model.id)).model == public
