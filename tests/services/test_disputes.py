"""Disputes: the owner of a paid job asks once, in time; an admin who is somebody else answers."""

import asyncio
from datetime import timedelta

import pytest

from core.domain.account import Role
from core.domain.dispute import OPEN_FOR, Dispute, DisputeState
from core.domain.errors import BadValue, DisputeClosed, NotAllowed, NotFound, NotThem
from core.domain.job import Job
from core.domain.notice import Topic
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.scenes import (
    BROKEN,
    a_ready_dataset,
    an_order,
    everything_in,
    finished,
    moderating,
    somebody,
)


async def a_paid_job(house: House, name: str = "ann") -> Job:
    owner = await somebody(house, name)
    return await finished(house, await an_order(house, owner, await a_ready_dataset(house, owner)))


async def told(database: Database, topic: Topic) -> list[tuple[str, dict[str, str]]]:
    rows = (await everything_in(database))["notices"]
    return [(row["account"], row["details"]) for row in rows if row["topic"] == topic]


async def test_a_dispute_is_told_to_the_admins_and_opened_once(house: House, database: Database) -> None:
    job, ann, root = await a_paid_job(house), await somebody(house), await somebody(house, "root")
    bob = await house.store.accounts.get((await somebody(house, "bob")).account)
    await house.store.accounts.save(bob.but(role=Role.ADMIN))
    disputes = house.services.disputes

    done = await asyncio.gather(*(disputes.open(ann, job.id, why="all  blurred") for _ in range(4)))
    waiting = await disputes.waiting(root)

    assert len(set(done)) == 1
    assert [(one.dispute, one.owner, one.paid) for one in waiting] == [(done[0], "ann", 20)]
    assert (done[0].id, done[0].owner, done[0].why, done[0].state) == (job.id, ann.account, "all blurred", "open")
    details = {"title": "ann wants 20 back for «zorp · Tiny»", "text": "all blurred\nSee `admin disputes`."}
    assert sorted(await told(database, Topic.DISPUTED)) == sorted([(root.account, details), (bob.id, details)])
    with pytest.raises(DisputeClosed):
        await disputes.open(ann, job.id, why="and late")


async def test_declining_ends_a_dispute_and_tells_its_owner(house: House, database: Database) -> None:
    job, ann, root = await a_paid_job(house), await somebody(house), await somebody(house, "root")
    disputes = house.services.disputes
    await disputes.open(ann, job.id, why="blurred")

    done = await asyncio.gather(*(disputes.decline(root, job.id, answer="It is sharp.") for _ in range(3)))

    assert len(set(done)) == 1
    assert (done[0].state, done[0].answer, done[0].closed_by) == (DisputeState.DECLINED, "It is sharp.", root.account)
    assert await disputes.waiting(root) == []
    details = {"title": "Nothing is paid back for «zorp · Tiny»", "text": "It is sharp."}
    assert await told(database, Topic.ANSWERED) == [(ann.account, details)]
    acts = [(row["act"], row["subject"]) for row in (await everything_in(database))["audits"]]
    assert acts == [("admin.decline", job.id)]
    for late in (disputes.decline(root, job.id, answer="No."), disputes.open(ann, job.id, why="blurred")):
        with pytest.raises(DisputeClosed):
            await late


async def test_paying_back_ends_a_dispute_and_tells_its_owner_once(house: House, database: Database) -> None:
    job, ann, root = await a_paid_job(house), await somebody(house), await somebody(house, "root")
    await house.services.disputes.open(ann, job.id, why="blurred")
    await house.services.wallets.refund(root, job.id, amount=5, why="right you are", key="k")
    closed = (await house.services.wallets.receipt(ann, job.id)).dispute

    assert closed
    assert (closed.state, closed.answer, closed.closed_by) == (DisputeState.REFUNDED, "right you are", root.account)
    assert await house.services.disputes.waiting(root) == []
    assert [account for account, _ in await told(database, Topic.REFUNDED)] == [ann.account]
    assert await told(database, Topic.ANSWERED) == []
    with pytest.raises(DisputeClosed):
        await house.services.disputes.decline(root, job.id, answer="No.")
    with pytest.raises(DisputeClosed):
        await house.services.disputes.open(ann, job.id, why="the rest too")


async def test_of_two_answers_at_once_one_counts(house: House, database: Database) -> None:
    job, ann, root = await a_paid_job(house), await somebody(house), await somebody(house, "root")
    await house.services.disputes.open(ann, job.id, why="blurred")

    declined, _ = await asyncio.gather(
        house.services.disputes.decline(root, job.id, answer="No."),
        house.services.wallets.refund(root, job.id, amount=5, why="yes", key="k"),
        return_exceptions=True,
    )

    found = await house.store.disputes.get(job.id)
    answered = [account for account, _ in await told(database, Topic.ANSWERED)]
    if isinstance(declined, Dispute):
        assert (found.state, answered) == (DisputeState.DECLINED, [ann.account])
    else:
        assert isinstance(declined, DisputeClosed)
        assert (found.state, answered) == (DisputeState.REFUNDED, [])


async def test_what_cannot_be_disputed_is_refused_and_nothing_is_written(
    house: House, database: Database, clock: HandClock
) -> None:
    ann, bob, root = await somebody(house), await somebody(house, "bob"), await somebody(house, "root")
    old = await a_paid_job(house)
    clock.advance(OPEN_FOR)
    dataset = await a_ready_dataset(house, ann, name="blip")
    broken = await finished(house, await an_order(house, ann, dataset), BROKEN)
    back = await finished(house, await an_order(house, ann, dataset))
    await house.services.wallets.refund(root, back.id, amount=None, why="sorry", key="k")
    paid = await finished(house, await an_order(house, ann, dataset))
    waiting = await an_order(house, ann, dataset)
    before = await everything_in(database)

    for actor, job, why, error in (
        (ann, old.id, "blurred", DisputeClosed),
        (ann, broken.id, "blurred", DisputeClosed),
        (ann, back.id, "blurred", DisputeClosed),
        (ann, waiting.id, "blurred", DisputeClosed),
        (ann, paid.id, " ", BadValue),
        (ann, paid.id, "x" * 501, BadValue),
        (ann, "nowhere", "blurred", NotFound),
        (bob, paid.id, "blurred", NotFound),
        (moderating(bob), paid.id, "blurred", NotFound),
        (root, paid.id, "blurred", NotFound),
    ):
        with pytest.raises(error):
            await house.services.disputes.open(actor, job, why=why)

    assert await everything_in(database) == before
    clock.advance(OPEN_FOR - timedelta(milliseconds=1))
    assert (await house.services.disputes.open(ann, paid.id, why="blurred")).state is DisputeState.OPEN


async def test_only_an_admin_who_is_somebody_else_answers(house: House, database: Database) -> None:
    root, ann = await somebody(house, "root"), await somebody(house)
    mine, hers = await a_paid_job(house, "root"), await a_paid_job(house)
    await house.services.disputes.open(root, mine.id, why="blurred")
    await house.services.disputes.open(ann, hers.id, why="blurred")
    before = await everything_in(database)
    disputes = house.services.disputes

    assert [one.dispute.id for one in await disputes.waiting(root)] == [hers.id]
    assert [account for account, _ in await told(database, Topic.DISPUTED)] == [root.account]
    for actor, job, answer, error in (
        (root, mine.id, "No.", NotThem),
        (root, hers.id, "", BadValue),
        (root, "nowhere", "No.", NotFound),
        (ann, hers.id, "No.", NotAllowed),
        (moderating(ann), hers.id, "No.", NotAllowed),
    ):
        with pytest.raises(error):
            await disputes.decline(actor, job, answer=answer)
    with pytest.raises(NotAllowed):
        await disputes.waiting(moderating(ann))
    assert await everything_in(database) == before
