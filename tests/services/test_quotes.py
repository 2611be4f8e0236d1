"""What a quote says, what it refuses before anything is held, and what becomes of its choices."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.domain.account import Actor
from core.domain.consent import RIGHTS
from core.domain.cost import Cost
from core.domain.dataset import Kind, Review
from core.domain.errors import (
    BadValue,
    BaseUnavailable,
    ConsentWithdrawn,
    DatasetUnfit,
    MinorsGuarded,
    ModelUnfit,
    NotAdult,
    NotFound,
    Suspended,
)
from core.domain.job import JobState
from core.domain.offering import Offering
from core.domain.rating import Rating
from core.ports.clock import HandClock
from core.services.trainings import Trainings
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME, NOON
from tests.builders.scenes import (
    a_quote_for,
    a_ready_dataset,
    a_trained_model,
    a_worker,
    adult,
    an_order,
    everything_in,
    finished,
    given,
    prove_the_ledger,
    somebody,
)

GPUS = {"any": {"label": "gpu"}, "large": {"label": "a100", "price": 150, "speed": 2.0, "hour": 90}}


def selling(house: House, **facts: Any) -> tuple[Trainings, Offering]:
    """The trainings of a house with the tiny offering changed."""
    offerings = house.services.trainings.offerings
    tiny = Offering.model_validate(offerings["tiny"].model_dump() | facts)
    return replace(house.services.trainings, offerings={**offerings, "tiny": tiny}), tiny


def a_cost(number: int, seconds: float, *, gpu: str = "", **facts: Any) -> Cost:
    row: dict[str, Any] = {"kind": "training", "offering": "tiny", "price": 20, "paid": 0, "steps": 200, "at": NOON}
    return Cost(id=f"c{number}", seconds=seconds, gpu=gpu, **(row | facts))


async def an_adult(house: House, name: str = "ann") -> Actor:
    return adult(await somebody(house, name))


async def test_a_class_of_gpu_has_its_price_its_time_and_its_workers(house: House) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    trainings, tiny = selling(house, gpus=GPUS, gpu_memory=8000)
    await a_worker(house, "cpu")
    alone = await trainings.quote(ann, dataset, tiny, preset="fast", overrides={})
    await a_worker(house, "big", labels=("gpu", "a100"), memory=80_000, gpu="a100")

    quoted = await trainings.quote(ann, dataset, tiny, preset="fast", overrides={"gpu": "large"})
    job = await trainings.order(ann, quoted.quote.id, place=HOME, attested=RIGHTS)

    assert (alone.manned, list(alone.choices), alone.quote.gpu) == (False, ["any"], "any")
    assert (quoted.manned, quoted.quote.gpu) == (True, "large")
    assert {gpu: one.price for gpu, one in quoted.choices.items()} == {"any": 20, "large": 30}
    assert quoted.choices["large"].takes == quoted.takes
    assert quoted.takes.usual < quoted.choices["any"].takes.usual
    assert (job.price, job.labels, job.memory, job.meter.gpu, job.meter.rate) == (30, ("a100",), 8000, "large", 90)
    with pytest.raises(BadValue, match="tiny has any, large"):
        await trainings.quote(ann, dataset, tiny, preset="fast", overrides={"gpu": "huge"})
    with pytest.raises(BadValue, match="none to choose from"):
        await a_quote_for(house, ann, dataset, gpu="large")
    await prove_the_ledger(house.store)


async def test_the_time_is_what_others_of_the_same_class_took_lately(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    now = clock.now()
    before = await a_quote_for(house, ann, dataset)
    await house.store.costs.add_all(
        [
            *(a_cost(number, 41 + number % 3, at=now - timedelta(days=number)) for number in range(9)),
            a_cost(20, 900, gpu="large", at=now),
            a_cost(21, 900, offering="long", at=now),
            a_cost(22, 900, kind="generation", at=now),
            a_cost(23, 900, steps=0, at=now),
            a_cost(24, 900, at=now - timedelta(days=91)),
        ]
    )

    after = await a_quote_for(house, ann, dataset)

    assert (before.takes.low, before.takes.usual, before.takes.high) == (2, 3, 5)
    assert 35 < after.takes.low < after.takes.usual == 42 < after.takes.high < 50
    assert after.quote.seconds == 42
    assert (await an_order(house, ann, dataset)).estimate == 42


async def test_a_base_that_no_worker_there_can_load_is_refused_before_anything_is_held(
    house: House, database: Database
) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    nobody = await a_quote_for(house, ann, dataset)
    worker = await a_worker(house, "w2", missing={"tiny": "tiny-sd is not on its disk."})
    before = await everything_in(database)

    with pytest.raises(BaseUnavailable, match=r"tiny-sd is not on its disk\. Tell an admin"):
        await a_quote_for(house, ann, dataset)
    with pytest.raises(BaseUnavailable):
        await house.services.trainings.order(ann, nobody.quote.id, place=HOME, attested=RIGHTS)
    assert await everything_in(database) == before

    await house.services.jobs.beat(worker.but(id="w3", missing={}))
    assert (await a_quote_for(house, ann, dataset)).manned
    await prove_the_ledger(house.store)


async def test_a_dataset_of_the_other_kind_is_refused_with_what_is_needed(house: House) -> None:
    ann = await somebody(house)
    pictures = await a_ready_dataset(house, ann)
    said = pictures.but(kind=Kind.CONVERSATIONS, count=4)
    trainings, talking = selling(house, takes="conversations", least_items=4)

    with pytest.raises(DatasetUnfit, match="Tiny needs conversations; «zorp» has pictures"):
        await trainings.quote(ann, pictures, talking, preset="fast", overrides={})
    await house.store.datasets.save(said)
    with pytest.raises(DatasetUnfit, match="Tiny needs pictures; «zorp» has conversations"):
        await a_quote_for(house, ann, said)
    quoted = await trainings.quote(ann, said, talking, preset="fast", overrides={})
    await house.store.datasets.save(said.but(count=3))
    with pytest.raises(DatasetUnfit, match="4 to 20 conversations"):
        await trainings.order(ann, quoted.quote.id, place=HOME, attested=RIGHTS)


async def test_a_training_goes_on_from_an_earlier_model_of_the_same_owner(house: House, database: Database) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    await given(house, ann, 100)
    model = await a_trained_model(house, ann)
    first = await house.store.runs.get(model.run)
    await house.store.runs.save(first.but(hyperparameters={**first.hyperparameters, "rank": 4, "alpha": 2.0}))
    dataset = await a_ready_dataset(house, ann, name="glim")
    theirs = await a_ready_dataset(house, bob, name="bobs")

    job = await an_order(house, ann, dataset, **{"from": "zorp"})

    run = await house.store.runs.get(job.id)
    row = await database["blobs"].find_one({"_id": model.artifact.sha256})
    assert (run.start, run.hyperparameters["rank"], run.hyperparameters["alpha"]) == (model.artifact.sha256, 4, 2.0)
    assert row
    assert row["references"] == 2  # the model's and the run's
    assert (await finished(house, job)).state is JobState.SUCCEEDED
    for wished, error in ({"from": "nope"}, NotFound), ({"from": "zorp", "rank": "8"}, BadValue):
        with pytest.raises(error):
            await a_quote_for(house, ann, dataset, **wished)
    with pytest.raises(NotFound, match="model of yours"):
        await a_quote_for(house, bob, theirs, **{"from": model.id})
    trainings, other = selling(
        house, base={**house.services.trainings.offerings["tiny"].base.model_dump(), "family": "x"}
    )
    with pytest.raises(ModelUnfit, match="it is made for tiny-shapes, and that is x"):
        await trainings.quote(ann, dataset, other, preset="fast", overrides={"from": "zorp"})
    await prove_the_ledger(house.store)


async def test_what_stands_against_the_earlier_model_stands_against_going_on_from_it(house: House) -> None:
    ann = await an_adult(house)
    await given(house, ann, 100)
    model = await a_trained_model(house, ann)
    dataset = await a_ready_dataset(house, ann, name="glim")
    quoted = await a_quote_for(house, ann, dataset, **{"from": "zorp"})
    order, source = house.services.trainings.order, (await house.store.runs.get(model.run)).dataset

    for changed, error in (
        (model.but(suspended="r1"), Suspended),
        (model.but(withdrawn=("i1",)), ConsentWithdrawn),
        (model.but(deleted_at=NOON), NotFound),
    ):
        await house.store.models.save(changed)
        with pytest.raises(error):
            await a_quote_for(house, ann, dataset, **{"from": model.id})
        with pytest.raises(error):
            await order(ann, quoted.quote.id, place=HOME, attested=RIGHTS)
    await house.store.models.save(model)
    trained_on = await house.store.datasets.get(source)
    await house.store.datasets.save(trained_on.but(suspended="r1"))
    with pytest.raises(Suspended):
        await order(ann, quoted.quote.id, place=HOME, attested=RIGHTS)
    await house.store.datasets.save(trained_on)
    await prove_the_ledger(house.store)


async def test_what_goes_on_from_a_model_for_adults_is_for_adults(house: House) -> None:
    ann = await an_adult(house)
    model = await a_trained_model(house, ann)
    await house.store.models.save(model.but(rating=Rating.NSFW))
    dataset = await a_ready_dataset(house, ann, name="glim")
    item = (await house.services.datasets.view(ann, dataset.id)).items[0]

    with pytest.raises(NotAdult):
        await a_quote_for(house, await somebody(house), dataset, **{"from": "zorp"})
    job = await an_order(house, ann, dataset, **{"from": "zorp"})
    await finished(house, job)

    continued = await house.store.models.of_run(job.id)
    assert continued
    assert continued.rating is Rating.NSFW
    await house.services.captions.edit(ann, item, text="glim, a young child")
    with pytest.raises(MinorsGuarded):
        await an_order(house, ann, dataset, **{"from": "zorp"})
    await an_order(house, ann, dataset)
    await prove_the_ledger(house.store)


async def test_a_withdrawn_consent_reaches_what_went_on_from_what_it_was_for(house: House) -> None:
    ann = await somebody(house)
    await given(house, ann, 200)
    first = await a_trained_model(house, ann)
    source = await house.store.datasets.get((await house.store.runs.get(first.run)).dataset)
    dataset = await a_ready_dataset(house, ann, name="glim")
    second = await an_order(house, ann, dataset, **{"from": "zorp"})
    await finished(house, second)
    third = await an_order(house, ann, dataset, **{"from": "glim"})
    alone = await an_order(house, ann, dataset)

    await house.services.consents.withdraw(ann, source.id, key="k")

    made = await house.store.models.of_run(second.id)
    snapshot = await house.store.snapshots.get((await house.store.runs.get(second.id)).snapshot)
    states = [(await house.store.jobs.get(job.id)).state for job in (third, alone)]
    assert made
    assert (made.withdrawn, made.usable) == ((source.id,), False)
    assert states == [JobState.CANCELLED, JobState.QUEUED]
    assert snapshot.erased_at is None
    await prove_the_ledger(house.store)


async def test_words_among_the_settings_are_read_as_captions_are(house: House) -> None:
    ann = await an_adult(house)
    dataset = await a_ready_dataset(house, ann)
    trainings, tiny = selling(
        house, recipe="dreambooth_lora", bounds={"class_prompt": (1, 80)}, presets={"fast": {"steps": 200}}
    )
    words = {"class_prompt": "a photo of a child"}

    quoted = await trainings.quote(ann, dataset, tiny, preset="fast", overrides=words)
    for_adults = dataset.but(rating=Rating.NSFW, review=Review.APPROVED)
    await house.store.datasets.save(for_adults)

    with pytest.raises(MinorsGuarded):
        await trainings.quote(ann, for_adults, tiny, preset="fast", overrides=words)
    with pytest.raises(MinorsGuarded):
        await trainings.order(ann, quoted.quote.id, place=HOME, attested=RIGHTS)
