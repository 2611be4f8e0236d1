"""A training once more: free where the house has failed it, at a new price otherwise."""

from datetime import timedelta

import pytest

from core.domain.account import Actor
from core.domain.errors import ConsentWithdrawn, NotFound, NothingToDo, OfferingClosed
from core.domain.failure import CATALOGUE
from core.domain.job import Failure, Job, JobState
from core.domain.run import Epoch
from core.ports.clock import HandClock
from core.services.retries import Wanted
from loraguild.composition import House
from tests.builders.entities import HOME
from tests.builders.scenes import (
    a_ready_dataset,
    an_order,
    claimed,
    finished,
    prove_the_ledger,
    somebody,
    stored,
)

OURS = Failure(code="broke", words="Something broke; reference 00000000.")
THEIRS = Failure(code="nan_loss", words="The loss is no longer a number at step 3.", ours=False)


async def failed(house: House, ann: Actor, failure: Failure, *, epochs: int = 0, **settings: str) -> Job:
    """Fail a training after so many of its two epochs of 100 steps."""
    job = await an_order(house, ann, await a_ready_dataset(house, ann), **settings)
    _, token = await claimed(house, job)
    for number in range(1, epochs + 1):
        artifact = await stored(house, f"{job.id} {number}")
        epoch = Epoch(number=number, step=100 * number, loss=0.5, artifact=artifact)
        await house.services.runs.passed(job.id, token, epoch, run=job.id)
    return await house.services.jobs.finish(job.id, token, failure)


async def test_what_the_house_has_failed_is_trained_again_at_no_charge(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    job = await failed(house, ann, OURS, rank="8")
    clock.advance(timedelta(minutes=1))
    retries = house.services.retries
    again = await retries.retry(ann, job.id, place=HOME)
    assert again == await retries.retry(ann, job.id, place=HOME)
    assert isinstance(again, Job)
    assert (again.state, again.price, again.title, again.labels) == (JobState.QUEUED, 0, job.title, job.labels)
    before, after = await house.store.runs.get(job.id), await house.store.runs.get(again.id)
    same = ("snapshot", "seed", "offering_version", "base", "recipe")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    assert after.hyperparameters == {**before.hyperparameters, "extra": []}
    assert after.start is None

    done = await finished(house, again)
    assert (done.state, done.due) == (JobState.SUCCEEDED, 0)
    assert (await house.services.wallets.view(ann)).total == 100
    assert [model.run for model in await house.store.models.owned(ann.account)] == [again.id]
    await prove_the_ledger(house.store)


async def test_it_goes_on_from_the_last_epoch_with_the_steps_that_are_left(house: House) -> None:
    ann = await somebody(house)
    job = await failed(house, ann, OURS, epochs=1)
    again = await house.services.retries.retry(ann, job.id, place=HOME)
    assert isinstance(again, Job)
    before, after = await house.store.runs.get(job.id), await house.store.runs.get(again.id)
    assert (after.continues, after.start) == (before.id, before.epochs[0].artifact.sha256)
    assert (after.steps, after.passes, after.epochs) == (100, 1, ())


async def test_it_is_free_once(house: House) -> None:
    ann = await somebody(house)
    job = await failed(house, ann, OURS)
    again = await house.services.retries.retry(ann, job.id, place=HOME)
    assert isinstance(again, Job)
    await finished(house, again, OURS)
    assert isinstance(await house.services.retries.retry(ann, again.id, place=HOME), Wanted)


@pytest.mark.parametrize("failure", [THEIRS, None])
async def test_anything_else_has_a_new_price(house: House, failure: Failure | None) -> None:
    ann = await somebody(house)
    if failure:
        job = await failed(house, ann, failure, rank="8", steps="100")
    else:
        job = await an_order(house, ann, await a_ready_dataset(house, ann), rank="8", steps="100")
        await house.services.jobs.cancel(ann, job.id)
    wanted = await house.services.retries.retry(ann, job.id, place=HOME)
    settings = {"rank": "8", "steps": "100"}
    assert wanted == Wanted(dataset=job.subject, offering="tiny", preset="fast", settings=settings)
    assert (await house.services.wallets.view(ann)).total == 100


async def test_what_cannot_be_trained_again_is_refused(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    job = await failed(house, ann, OURS)
    retry = house.services.retries.retry
    with pytest.raises(NotFound):
        await retry(bob, job.id, place=HOME)
    await house.services.operations.turn(await somebody(house, "root"), "offering:tiny", on=False)
    with pytest.raises(OfferingClosed):
        await retry(ann, job.id, place=HOME)
    await house.services.operations.turn(await somebody(house, "root"), "offering:tiny", on=True)
    await house.services.consents.withdraw(ann, job.subject, key="k1")
    with pytest.raises(ConsentWithdrawn):
        await retry(ann, job.id, place=HOME)
    waiting = await an_order(house, ann, await a_ready_dataset(house, ann, name="glim"))
    with pytest.raises(NothingToDo, match="has not ended"):
        await retry(ann, waiting.id, place=HOME)


def test_only_what_the_house_can_be_blamed_for_is_free() -> None:
    assert sorted(code for code, row in CATALOGUE.items() if row.free) == [
        "attempts_used_up",
        "bad_checkpoint",
        "base_gated",
        "base_missing",
        "broke",
        "disk_full",
    ]
