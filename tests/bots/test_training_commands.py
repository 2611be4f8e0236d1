"""Quotes as people read them: what they are made of, which GPU, how long; what offerings need; what jobs cost."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from core.domain.offering import Offering
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.chats import labels, press, say
from tests.builders.scenes import (
    a_ready_dataset,
    a_trained_model,
    a_worker,
    an_order,
    claimed,
    prove_the_ledger,
    somebody,
    well_done,
)

GPUS = {"any": {"label": "gpu"}, "large": {"label": "a100", "price": 150, "speed": 4.0}}


def selling(house: House, **facts: Any) -> House:
    """The house with the tiny offering changed."""
    trainings = house.services.trainings
    tiny = Offering.model_validate(trainings.offerings["tiny"].model_dump() | facts)
    changed = replace(trainings, offerings={**trainings.offerings, "tiny": tiny})
    return replace(house, services=replace(house.services, trainings=changed))


async def test_a_quote_offers_the_classes_of_gpu_that_are_there(house: House) -> None:
    ann = await somebody(house)
    await a_ready_dataset(house, ann)
    shop = selling(
        house, gpus=GPUS, seconds_per_step=3.0, price={"base": 10, "per_thousand_steps": 50, "per_sample": 1}
    )
    alone = await say(shop, ann, "quote", dataset="zorp", offering="tiny")
    await a_worker(shop, "big", labels=("gpu", "a100"))

    quoted = await say(shop, ann, "quote", dataset="zorp", offering="tiny", settings="epochs=4")
    large, then = await press(shop, ann, quoted, "On large")
    card, _ = await press(shop, ann, large, "Confirm")

    assert "No worker that can take it is here now: it waits until there is one." in alone.lines
    assert labels(quoted) == ["Confirm", "On large", "Change", "Cancel"]
    assert quoted.title == "24 points: Tiny, fast"
    assert dict(quoted.fields)["made of"] == "base 10, 200 steps 10, 4 samples 4"
    assert dict(quoted.fields)["GPU"] == "any (chosen): 24 points, 5-21 min; large: 36 points, 1-6 min"
    assert dict(quoted.fields)["takes about"] == "5-21 min"
    assert (then, large.title, dict(large.fields)["settings"]) == (
        "replace",
        "36 points: Tiny, fast",
        "epochs=4 gpu=large",
    )
    assert dict(large.fields)["made of"] == "base 10, 200 steps 10, 4 samples 4, GPU at 150 % 12"
    assert card.job
    assert (await house.store.jobs.get(card.job)).labels == ("a100",)
    await prove_the_ledger(house.store)


async def test_a_quote_that_goes_on_from_a_model_says_so(house: House) -> None:
    ann = await somebody(house)
    await a_trained_model(house, ann)
    await a_ready_dataset(house, ann, name="glim")

    quoted = await say(house, ann, "train order", dataset="glim", offering="tiny", settings="from=zorp")

    assert dict(quoted.fields)["settings"] == "from=zorp"
    assert (await say(house, ann, "quote", dataset="glim", offering="tiny", settings="from=nope")).code == "not_found"


async def test_a_base_that_nobody_can_load_is_told_at_once(house: House) -> None:
    ann = await somebody(house)
    await a_ready_dataset(house, ann)
    await a_worker(house, "bare", missing={"tiny": "tiny-sd is not on its disk."})

    refused = await say(house, ann, "quote", dataset="zorp", offering="tiny")

    assert refused.code == "base_unavailable"
    assert refused.lines[0] == (
        "Tiny cannot be trained for now: tiny-sd is not on its disk. Tell an admin; nothing was set aside for it."
    )


async def test_offerings_say_what_they_need_and_what_their_presets_cost(house: House) -> None:
    ann = await somebody(house)

    listed = await say(selling(house, gpus=GPUS, gpu_memory=7500), ann, "offerings")

    assert listed.table
    assert listed.table.header == ("offering", "what it is", "needs", "presets and points")
    rows = {row[0]: row[1:] for row in listed.table.rows}
    assert rows["tiny"] == ("Tiny", "3-20 pictures, GPU with 8 GB", "fast 20, slow 30")
    assert rows["demo-tiny"][1] == "3-200 pictures"


async def test_admins_are_shown_what_jobs_took_and_brought(house: House, clock: HandClock) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    none = await say(house, root, "admin costs")
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    await house.store.jobs.save(job.but(meter=job.meter.but(rate=150)))
    found, token = await claimed(house, job)
    for _ in range(90):
        clock.advance(timedelta(seconds=20))
        await house.services.jobs.report(job.id, token)
    await house.services.jobs.finish(job.id, token, await well_done(house, found))

    costs = await say(house, root, "admin costs")

    assert none.title == "No job has ended in the last 30 days"
    assert costs.table
    assert costs.table.header == ("what", "jobs", "device hours", "points paid", "their cost", "margin")
    assert costs.table.rows == (("training, tiny", "1", "0.5", "20", "0.75", "19.25"),)
    assert (await say(house, ann, "admin costs")).code == "not_allowed"
