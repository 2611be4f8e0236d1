"""What admins turn on and off, and what it means for everyone else; the audit; news for everyone."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from core.domain.account import Actor
from core.domain.consent import RIGHTS
from core.domain.errors import (
    BadValue,
    JobEnded,
    KeyReused,
    LeaseLost,
    NotAllowed,
    NotFound,
    NothingToDo,
    OfferingClosed,
)
from core.domain.job import Job, JobState, Progress
from core.domain.notice import Notice, Topic
from core.domain.switch import QUEUE, of_offering, of_worker
from core.ports.clock import HandClock
from core.services import operations
from core.services.operations import Operations
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import HOME
from tests.builders.scenes import (
    a_quote_for,
    a_ready_dataset,
    a_worker,
    an_order,
    claimed,
    everything_in,
    finished,
    somebody,
    stored,
    uploaded,
)

ACTS: dict[str, Callable[[Operations, Actor], Awaitable[Any]]] = {
    "turn": lambda controls, actor: controls.turn(actor, QUEUE, on=False),
    "queue": lambda controls, actor: controls.queue(actor),
    "requeue": lambda controls, actor: controls.requeue(actor, "j1"),
    "workers": lambda controls, actor: controls.workers(actor),
    "deeds": lambda controls, actor: controls.deeds(actor),
    "lines": lambda controls, actor: controls.lines(actor),
    "news": lambda controls, actor: controls.news(actor, "hello"),
    "broadcast": lambda controls, actor: controls.broadcast(actor, "hello", key="k"),
}


@pytest.mark.parametrize("what", ACTS)
async def test_the_controls_are_for_admins(house: House, database: Database, what: str) -> None:
    ann = await somebody(house)
    before = await everything_in(database)

    with pytest.raises(NotAllowed):
        await ACTS[what](house.services.operations, ann)

    assert await everything_in(database) == before


async def test_a_paused_queue_takes_orders_and_gives_none_away(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    dataset, worker = await a_ready_dataset(house, ann), await a_worker(house)
    await house.services.operations.turn(root, QUEUE, on=False)
    job = await an_order(house, ann, dataset)
    held_back = await house.services.jobs.claim(worker)
    why = await house.services.jobs.why(ann, job.id)
    await house.services.operations.turn(root, QUEUE, on=True)
    found = await house.services.jobs.claim(worker)

    assert (held_back, why.paused, found and found.id) == (None, True, job.id)
    assert not (await house.services.jobs.why(ann, job.id)).paused


async def test_a_draining_worker_takes_nothing_more_and_others_do(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    dataset = await a_ready_dataset(house, ann)
    first, second = await a_worker(house, "w1"), await a_worker(house, "w2")
    await house.services.operations.turn(root, of_worker("w1"), on=False)
    job = await an_order(house, ann, dataset)
    why = await house.services.jobs.why(ann, job.id)
    hands = await house.services.operations.workers(root)
    by_first, by_second = await house.services.jobs.claim(first), await house.services.jobs.claim(second)

    assert [worker.id for worker in why.workers] == ["w2"]
    assert [(hand.worker.id, hand.draining) for hand in hands] == [("w1", True), ("w2", False)]
    assert (by_first, by_second and by_second.id) == (None, job.id)


async def test_an_offering_that_is_off_is_neither_quoted_nor_ordered(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    dataset = await a_ready_dataset(house, ann)
    quoted = await a_quote_for(house, ann, dataset)
    await house.services.operations.turn(root, of_offering("tiny"), on=False)
    listed = await house.services.trainings.offered()

    with pytest.raises(OfferingClosed):
        await a_quote_for(house, ann, dataset)
    with pytest.raises(OfferingClosed):
        await house.services.trainings.order(ann, quoted.quote.id, place=HOME, attested=RIGHTS)
    await house.services.operations.turn(root, of_offering("tiny"), on=True)
    job = await house.services.trainings.order(ann, quoted.quote.id, place=HOME, attested=RIGHTS)

    assert {offering.id for offering, on in listed if not on} == {"tiny"}
    assert (job.state, (await house.services.wallets.view(ann)).free) == (JobState.QUEUED, 80)


async def test_turning_what_is_so_already_is_no_act(house: House) -> None:
    root = await somebody(house, "root")
    for on in (True, False, False, True):
        await house.services.operations.turn(root, QUEUE, on=on)

    acts = [(deed.by, deed.audit.act, deed.to) for deed in await house.services.operations.deeds(root)]
    assert sorted(acts) == [("root", "admin.off", QUEUE), ("root", "admin.on", QUEUE)]


async def test_a_requeued_job_goes_on_elsewhere_and_its_old_worker_is_fenced(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    _, token = await claimed(house, job, worker="w1")
    artifact = await stored(house, "a.ckpt")
    await house.services.jobs.checkpoint(job.id, token, artifact)
    waiting = await house.services.operations.requeue(root, job.id)
    with pytest.raises(LeaseLost):
        await house.services.jobs.report(job.id, token, progress=Progress(step=1, total=2))
    again, _ = await claimed(house, job, worker="w2")

    assert (waiting.state, waiting.worker, waiting.token) == (JobState.QUEUED, None, None)
    assert (again.attempt, again.checkpoint, again.worker, again.lost) == (1, artifact, "w2", ())
    (deed,) = await house.services.operations.deeds(root)
    assert (deed.audit.act, deed.to, deed.audit.details) == ("admin.requeue", job.id, {"worker": "w1"})


async def test_what_does_not_run_cannot_be_requeued(house: House, database: Database) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    dataset = await a_ready_dataset(house, ann)
    ended, waiting = await finished(house, await an_order(house, ann, dataset)), await an_order(house, ann, dataset)
    before = await everything_in(database)

    for job, error in ((ended.id, JobEnded), (waiting.id, NothingToDo), ("nowhere", NotFound)):
        with pytest.raises(error):
            await house.services.operations.requeue(root, job)

    assert await everything_in(database) == before


async def test_the_queue_shows_everybodys_jobs_running_ones_first(house: House, clock: HandClock) -> None:
    ann, bob, root = [await somebody(house, name) for name in ("ann", "bob", "root")]
    jobs: list[Job] = []
    for actor in (ann, bob, bob, bob):
        dataset = await house.services.datasets.create(actor, name=f"zorp{len(jobs)}", trigger="zorp")
        jobs.append(await uploaded(house, actor, dataset, "a.png"))
        clock.advance(timedelta(seconds=1))
    await claimed(house, jobs[1])

    queue = await house.services.operations.queue(root)

    assert [job.id for job in queue.jobs] == [jobs[number].id for number in (1, 0, 2, 3)]
    assert (queue.paused, queue.owners) == (False, {ann.account: "ann", bob.account: "bob"})


async def test_the_audit_names_people_and_can_be_narrowed_to_one(house: House, clock: HandClock) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    to = await house.store.accounts.get(ann.account)
    await house.services.wallets.grant(root, to=to, amount=5, why="hello", key="k")
    clock.advance(timedelta(seconds=1))
    await house.services.operations.turn(root, QUEUE, on=False)
    await house.services.accounts.acted_as(ann, host="desk")

    deeds = await house.services.operations.deeds(root, by=root.account)

    assert [(deed.by, deed.audit.act, deed.to) for deed in deeds] == [
        ("root", "admin.off", QUEUE),
        ("root", "admin.grant", "ann"),
    ]
    assert [deed.by for deed in await house.services.operations.deeds(root, by=ann.account)] == ["ann"]


async def news(house: House) -> list[Notice]:
    """Return the news that wait, in the order in which they are told."""
    found = await house.store.notices.pending(
        HOME.platform, now=house.services.operations.clock.now() + timedelta(days=1)
    )
    return sorted((one for one in found if one.topic is Topic.BROADCAST), key=lambda one: str(one.not_before))


async def test_news_reach_everyone_once_ten_a_second(
    house: House, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "CROWD", 3)
    people = [await somebody(house, f"p{number}") for number in range(7)]
    await house.store.accounts.save((await house.store.accounts.get(people[0].account)).but(banned="spam"))
    root = await somebody(house, "root")
    controls, now = house.services.operations, clock.now()

    planned = await controls.news(root, "  We are\nback.  ")
    told = await asyncio.gather(*(controls.broadcast(root, planned.text, key="k") for _ in range(3)))
    clock.advance(timedelta(seconds=1))
    late = await somebody(house, "late")
    again = await controls.broadcast(root, planned.text, key="k")

    sent = await news(house)
    assert (planned.text, planned.people, told, again) == ("We are\nback.", 7, [7, 7, 7], 7)
    assert {one.account for one in sent} == {actor.account for actor in (*people[1:], root)}
    assert [one.not_before for one in sent] == [now + timedelta(milliseconds=100 * turn) for turn in range(7)]
    assert {one.details["text"] for one in sent} == {"We are\nback."}
    assert late.account not in {one.account for one in sent}
    (deed,) = await controls.deeds(root)
    assert (deed.audit.act, deed.audit.details) == ("admin.broadcast", {"text": "We are\nback.", "people": "7"})


async def test_news_that_were_cut_off_in_the_middle_are_told_to_the_rest(house: House, clock: HandClock) -> None:
    for number in range(5):
        await somebody(house, f"p{number}")
    root = await somebody(house, "root")
    await house.services.operations.broadcast(root, "hello", key="k")
    whole = await news(house)
    for lost in whole[2:]:
        await house.store.notices.remove(lost.id)
    clock.advance(timedelta(minutes=5))

    await house.services.operations.broadcast(root, "hello", key="k")

    assert await news(house) == whole


async def test_news_that_cannot_be_told_write_nothing(house: House, database: Database) -> None:
    root = await somebody(house, "root")
    await house.services.operations.broadcast(root, "hello", key="k")
    before = await everything_in(database)

    for text, key, error in (("  ", "other", BadValue), ("x" * 1001, "other", BadValue), ("hi", "k", KeyReused)):
        with pytest.raises(error):
            await house.services.operations.broadcast(root, text, key=key)

    assert await everything_in(database) == before
