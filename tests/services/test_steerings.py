"""Steering a training that runs: who may wish what, what comes of it, and what it costs."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from core.domain.account import Actor, Role
from core.domain.errors import (
    JobEnded,
    KeyReused,
    LeaseLost,
    NotEnoughPoints,
    NotFound,
    NotSteerable,
    Outdated,
    OutOfBounds,
)
from core.domain.failure import Remedy
from core.domain.job import Job, JobState, Progress
from core.domain.ledger import Act, held
from core.domain.notice import Topic
from core.domain.run import Epoch, Glimpse
from core.domain.steering import Steer
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import (
    BROKEN,
    a_ready_dataset,
    a_worker,
    an_order,
    claimed,
    moderating,
    prove_the_ledger,
    somebody,
    stored,
    well_done,
)


async def under_way(house: House, ann: Actor, *, step: int = 0) -> tuple[Job, str]:
    """Let a worker be at a step of a training of 200 steps and 20 points, of which 10 are due in any case."""
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    found, token = await claimed(house, job)
    await house.services.jobs.report(job.id, token, progress=Progress(step=step, total=200, doing="training"))
    return found, token


async def an_epoch(house: House, job: Job, token: str, number: int) -> Epoch:
    artifact = await stored(house, f"epoch {number}")
    epoch = Epoch(number=number, step=100 * number, loss=0.5, artifact=artifact)
    await house.services.runs.passed(job.id, token, epoch, run=job.id)
    return epoch


async def acts(house: House, job: Job) -> Sequence[tuple[Act, int]]:
    return sorted((one.act, one.amount) for one in await house.store.ledger.about(job.id))


async def points(house: House, actor: Actor) -> int:
    return (await house.services.wallets.view(actor)).total


async def references(database: Database, sha256: str) -> int:
    blob = await database["blobs"].find_one({"_id": sha256})
    assert blob
    return int(blob["references"])


async def test_a_wish_reaches_the_worker_and_what_comes_of_it_everyone_who_looks(
    house: House, database: Database
) -> None:
    ann = await somebody(house)
    job, token = await under_way(house, ann)
    steerings = house.services.steerings
    told = await steerings.wish(ann, job.id, Steer.SAMPLE, key="k1")
    assert await steerings.wish(ann, job.id, Steer.SAMPLE, key="k1") == told
    assert await steerings.wish(ann, job.id, Steer.SAMPLE, key="k2") == told
    (wish,) = (await steerings.heard(job.id, token)).wishes
    assert (wish.key, wish.what, wish.by) == ("k1", Steer.SAMPLE, ann.account)

    glimpse = Glimpse(step=7, samples=(await stored(house, "now.png"),))
    for _ in range(2):
        await steerings.sampled(job.id, token, glimpse)

    assert (await steerings.heard(job.id, token)).wishes == ()
    assert (await house.store.runs.get(job.id)).glimpses == (glimpse,)
    news = [one for one in await house.services.deliveries.pending(HOME.platform) if one.topic is Topic.STEERED]
    assert [(one.account, one.job, one.details) for one in news] == [(ann.account, job.id, {"step": "7"})]
    assert await references(database, glimpse.samples[0].sha256) == 1


async def test_a_copy_is_kept_with_the_epochs_but_not_twice(house: House) -> None:
    ann = await somebody(house)
    job, token = await under_way(house, ann)
    steerings = house.services.steerings
    await an_epoch(house, job, token, 1)
    copy = await stored(house, "copy")
    for step, key in ((120, "k1"), (100, "k2")):
        await steerings.wish(ann, job.id, Steer.SAVE, key=key)
        await steerings.saved(job.id, token, copy, step=step, loss=0.25)
    run = await house.store.runs.get(job.id)
    assert [(one.name, one.step, one.loss, one.wished) for one in run.epochs] == [
        ("1", 100, 0.5, False),
        ("step-120", 120, 0.25, True),
    ]
    assert (await steerings.heard(job.id, token)).wishes == ()


async def test_what_cannot_be_steered_is_refused_with_words(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    dataset = await a_ready_dataset(house, ann)
    job = await an_order(house, ann, dataset)
    wish = house.services.steerings.wish
    with pytest.raises(NotSteerable, match="is waiting, so there is nothing yet"):
        await wish(ann, job.id, Steer.SAMPLE, key="k1")
    _, token = await claimed(house, job)
    for stranger in (bob, moderating(bob), bob.but(role=Role.ADMIN)):
        with pytest.raises(NotFound):
            await wish(stranger, job.id, Steer.STOP, key="k1")
    with pytest.raises(NotFound, match="These have ended: none"):
        await wish(ann, job.id, Steer.STOP, key="k1", number=1)
    await wish(ann, job.id, Steer.SAMPLE, key="k1")
    with pytest.raises(KeyReused):
        await wish(ann, job.id, Steer.SAVE, key="k1")
    with pytest.raises(LeaseLost):
        await house.services.steerings.heard(job.id, "stale")
    await house.services.jobs.finish(job.id, token, BROKEN)
    with pytest.raises(JobEnded):
        await wish(ann, job.id, Steer.SAMPLE, key="k1")
    look = await house.services.datasets.check(ann, dataset, place=HOME, key="look")
    with pytest.raises(NotSteerable, match="is no training"):
        await wish(ann, look.id, Steer.SAMPLE, key="k1")


async def test_a_wish_outlives_the_worker_that_did_not_hear_it(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    job, token = await under_way(house, ann)
    await house.services.steerings.wish(ann, job.id, Steer.SAVE, key="k1")
    await house.services.jobs.retry(job.id, token)
    clock.advance(timedelta(minutes=1))
    _, later = await claimed(house, job, worker="w2")
    assert [one.key for one in (await house.services.steerings.heard(job.id, later)).wishes] == ["k1"]


@pytest.mark.parametrize(("step", "due"), [(1, 11), (100, 15), (199, 20), (200, 20)])
async def test_an_early_end_costs_the_base_and_the_steps_that_were_done(house: House, step: int, due: int) -> None:
    ann = await somebody(house)
    job, token = await under_way(house, ann, step=step)
    ending = await house.services.steerings.ending(ann, job.id)
    assert (ending.due, ending.epoch, ending.others) == (due, None, ())
    await house.services.steerings.wish(ann, job.id, Steer.STOP, key="k1")
    assert await house.services.steerings.kept(job.id) is None
    done = await house.services.jobs.finish(job.id, token, (await well_done(house, job)).but(step=step))
    assert (done.state, done.due) == (JobState.SUCCEEDED, due)
    rest = [(Act.RELEASE, 20 - due)] if due < 20 else []
    assert await acts(house, job) == [(Act.CAPTURE, due), (Act.HOLD, 20), *rest]
    assert await points(house, ann) == 100 - due
    await prove_the_ledger(house.store)


async def test_an_early_end_can_keep_an_epoch(house: House) -> None:
    ann = await somebody(house)
    job, token = await under_way(house, ann, step=150)
    epoch = await an_epoch(house, job, token, 1)
    ending = await house.services.steerings.ending(ann, job.id, number=1)
    assert (ending.epoch, ending.others) == (epoch, ())
    await house.services.steerings.wish(ann, job.id, Steer.STOP, key="k1", number=1)
    assert await house.services.steerings.kept(job.id) == epoch


async def test_more_steps_are_held_and_paid_by_the_rule_of_the_offering(house: House) -> None:
    ann = await somebody(house)
    job, token = await under_way(house, ann)
    steerings = house.services.steerings
    more = await steerings.extension(ann, job.id, 300)
    assert (more.price, more.balance) == (15, 80)
    for _ in range(2):
        after = await steerings.extend(ann, job.id, 300, price=15, key="k1")
        assert (after.price, [wish.number for wish in after.wishes]) == (35, [300])
    assert (await house.store.ledger.balance(held(job.id))).total == 35
    heard = await steerings.heard(job.id, token)
    assert (heard.wishes, heard.extra) == ((), (300,))
    assert (await house.store.runs.get(job.id)).steps == 500
    await prove_the_ledger(house.store)

    done = await house.services.jobs.finish(job.id, token, (await well_done(house, job)).but(step=500))
    assert (done.due, await points(house, ann)) == (35, 65)
    await prove_the_ledger(house.store)


async def test_more_steps_that_come_too_late_are_not_paid(house: House) -> None:
    ann = await somebody(house)
    job, token = await under_way(house, ann)
    await house.services.steerings.extend(ann, job.id, 200, price=10, key="k1")
    await house.services.jobs.finish(job.id, token, (await well_done(house, job)).but(step=200))
    assert await points(house, ann) == 80
    await prove_the_ledger(house.store)


async def test_more_steps_go_back_with_the_rest_where_it_fails(house: House) -> None:
    ann = await somebody(house)
    job, token = await under_way(house, ann)
    await house.services.steerings.extend(ann, job.id, 200, price=10, key="k1")
    await house.services.jobs.finish(job.id, token, BROKEN)
    assert await acts(house, job) == [(Act.HOLD, 10), (Act.HOLD, 20), (Act.RELEASE, 30)]
    assert await points(house, ann) == 100


async def test_more_steps_than_fit_or_can_be_paid_change_nothing(house: House) -> None:
    ann = await somebody(house)
    job, _ = await under_way(house, ann)
    before = await house.store.jobs.get(job.id)
    extend = house.services.steerings.extend
    with pytest.raises(OutOfBounds, match="steps=2201"):
        await house.services.steerings.extension(ann, job.id, 2001)
    with pytest.raises(Outdated):
        await extend(ann, job.id, 200, price=9, key="k1")
    with pytest.raises(NotEnoughPoints):
        await extend(ann, job.id, 1800, price=90, key="k1")
    assert await house.store.jobs.get(job.id) == before
    assert (await house.store.runs.get(job.id)).steps == 200


async def test_a_remedy_is_remembered_once(house: House) -> None:
    ann = await somebody(house)
    job, token = await under_way(house, ann)
    for _ in range(2):
        run = await house.services.steerings.remedied(job.id, token, Remedy.CHECKPOINTING)
    assert run == await house.store.runs.get(job.id)
    assert (run.remedies, run.hyperparameters["checkpointing"]) == ((Remedy.CHECKPOINTING,), True)
    with pytest.raises(LeaseLost):
        await house.services.steerings.remedied(job.id, "stale", Remedy.SMALL_BATCH)


async def test_a_worker_that_lacks_something_does_not_get_the_job_back_soon(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    job, token = await under_way(house, ann)
    await house.services.jobs.retry(job.id, token, elsewhere=True)
    w1, w2 = await a_worker(house, "w1"), await a_worker(house, "w2")
    assert await house.services.jobs.claim(w1) is None
    taken = await house.services.jobs.claim(w2)
    assert taken
    await house.services.jobs.retry(job.id, str(taken.token), elsewhere=True)
    assert await house.services.jobs.claim(w2) is None
    clock.advance(timedelta(minutes=1))
    again = await house.services.jobs.claim(w2)
    assert again
    assert (again.id, again.attempt) == (job.id, 3)
    assert await house.services.jobs.claim(w1) is None
