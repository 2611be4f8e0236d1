"""Many people and workers at once, doing whatever they like: the books are right in the end."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from random import Random
from typing import Any

from rich.console import Console

from core.domain.account import Actor
from core.domain.dataset import Dataset
from core.domain.errors import (
    BadValue,
    DisputeClosed,
    JobEnded,
    LeaseLost,
    NotEnoughEarned,
    NotEnoughPoints,
    NotThem,
    PayoutFrozen,
    PayoutMoved,
    TooOften,
)
from core.domain.job import Job, JobState
from core.domain.ledger import REVENUE, Act, captured
from core.domain.model import Visibility
from core.domain.payout import PayoutState
from core.domain.royalty import HUNDREDTHS
from core.ports.clock import HandClock
from core.ports.store import Store
from loraguild.composition import House
from loraguild.database import verify
from storage.repositories.entities import Database
from tests.builders.entities import HOME, NOON, a_model, an_artifact
from tests.builders.scenes import (
    BROKEN,
    a_ready_dataset,
    a_worker,
    an_order,
    imagined,
    prove_the_ledger,
    somebody,
    well_done,
)

TICK = timedelta(seconds=1)
EXPECTED = (NotEnoughPoints, JobEnded, LeaseLost)
REFUSED = (
    *EXPECTED, BadValue, DisputeClosed, NotEnoughEarned, NotThem, PayoutFrozen, PayoutMoved, TooOften,
)  # fmt: skip
NAMES = ("ann", "bob", "cid", "dan")
LARGE: dict[str, Any] = {"count": 5, "width": 128, "height": 128}  # 20 points or qoints


async def lived(house: House, actor: Actor, dataset: Dataset, *, dice: Random) -> None:
    """Order and cancel at random."""
    for _ in range(6):
        try:
            if dice.random() < 0.7:
                await an_order(house, actor, dataset)
            elif jobs := await house.services.trainings.list(actor):
                await house.services.jobs.cancel(actor, dice.choice(list(jobs)).id)
        except EXPECTED:
            await asyncio.sleep(0)


async def worked(
    house: House, clock: HandClock, name: str, *, people: Sequence[asyncio.Task[None]], dice: Random
) -> None:
    """Claim, then end well, badly, hand back, or vanish without a word until others notice; as long as people order."""
    worker, idle = await a_worker(house, name), 0
    while idle < 4:
        job = await house.services.jobs.claim(worker)
        if job is None or job.token is None:
            if all(one.done() for one in people):
                idle += 1
                clock.advance(30 * TICK)
            await house.services.jobs.expire()
            await asyncio.sleep(0.02)
            continue
        idle = 0
        try:
            match dice.choice(["well", "well", "badly", "back", "vanish"]):
                case "well":
                    await house.services.jobs.finish(job.id, job.token, await well_done(house, job))
                case "badly":
                    await house.services.jobs.finish(job.id, job.token, BROKEN)
                case "back":
                    await house.services.jobs.release(job.id, job.token)
                case _:
                    clock.advance(50 * TICK)
        except EXPECTED:
            continue


async def test_whatever_people_and_workers_do_at_once_the_books_are_right(
    house: House, clock: HandClock, database: Database
) -> None:
    dice = Random(7)
    people = [await somebody(house, name) for name in ("ann", "bob", "cid")]
    datasets = [await a_ready_dataset(house, actor) for actor in people]

    async with asyncio.TaskGroup() as town:
        lives = [
            town.create_task(lived(house, actor, dataset, dice=dice))
            for actor, dataset in zip(people, datasets, strict=True)
        ]
        for number in range(4):
            town.create_task(worked(house, clock, f"w{number}", people=lives, dice=dice))

    await prove_the_ledger(house.store)
    jobs = [job for actor in people for job in await house.services.trainings.list(actor)]
    assert jobs
    for job in jobs:
        acts = sorted(one.act for one in await house.store.ledger.about(job.id))
        moved = {one.amount for one in await house.store.ledger.about(job.id)}
        match job.state:
            case JobState.SUCCEEDED:
                assert acts == [Act.CAPTURE, Act.HOLD]
            case JobState.FAILED | JobState.CANCELLED:
                assert acts == [Act.HOLD, Act.RELEASE]
            case _:
                assert acts == [Act.HOLD]
        assert moved == {job.price}
    made = {row["run"] async for row in database["models"].find()}
    assert made == {job.id for job in jobs if job.state is JobState.SUCCEEDED}


async def a_model_of(house: House, owner: Actor) -> None:
    """Let somebody have a model for everyone, whose trigger word is their name."""
    facts = {"id": owner.name, "slug": owner.name, "trigger": owner.name, "run": owner.name, "owner_name": owner.name}
    model = a_model(owner=owner.account, family="tiny-shapes", artifact=an_artifact(owner.name), **facts)
    await house.store.models.add(model.but(visibility=Visibility.PUBLIC, published_at=NOON))


async def dealt(house: House, actor: Actor, codes: list[str], *, dice: Random) -> None:
    """Buy qoints, draw with everybody's models, cancel, complain, spend and ask for what was earned."""
    services, key = house.services, house.services.conversations.token
    await services.wallets.redeem(actor, codes.pop())
    for _ in range(18):
        with suppress(*REFUSED):
            jobs = list(await services.jobs.list(actor))
            match dice.choice([*["draw"] * 6, "buy", "cancel", "complain", "ask", "ask", "spend"]):
                case "draw":
                    await imagined(house, actor, " ".join(dice.sample(NAMES, 3)), **LARGE)
                case "buy" if codes:
                    await services.wallets.redeem(actor, codes.pop())
                case "cancel" if jobs:
                    await services.jobs.cancel(actor, dice.choice(jobs).id)
                case "complain" if jobs:
                    await services.disputes.open(actor, dice.choice(jobs).id, why="It is blurred.")
                case "ask":
                    await services.payouts.request(actor, to="home", amount=dice.randint(1, 9), key=key())
                case "spend":
                    await services.payouts.spend(actor, dice.randint(1, 3), key=key())


async def decided(house: House, clock: HandClock, people: list[Actor], *, dice: Random) -> None:
    """What an admin does meanwhile: pay back, decline, step payouts on, mark people as related, let days pass."""
    root, services = await somebody(house, "root"), house.services
    for _ in range(40):
        jobs = [job for actor in people for job in await services.jobs.list(actor)]
        payouts = [one for state in PayoutState for one in await house.store.payouts.at(state)]
        with suppress(*REFUSED):
            match dice.choice(["refund", "refund", "decline", "mature", "relate", *["payout"] * 5]):
                case "refund" if jobs:
                    await refunded(house, root, dice.choice(jobs), dice.randint(1, 20))
                case "decline":
                    for complaint in (await services.disputes.waiting(root))[:1]:
                        await services.disputes.decline(root, complaint.dispute.id, answer="It is sharp.")
                case "mature":
                    clock.advance(timedelta(days=8))
                    await services.earnings.mature_all()
                case "relate":
                    pair = [await house.store.accounts.get(actor.account) for actor in dice.sample(people, 2)]
                    await services.accounts.relate(root, *pair, on=dice.random() < 0.5)
                case "payout" if payouts:
                    await stepped(house, root, dice.choice(payouts).id, dice=dice)


async def refunded(house: House, root: Actor, job: Job, amount: int | None) -> None:
    key = house.services.conversations.token()
    await house.services.wallets.refund(root, job.id, amount=amount, why="blurred", key=key)


async def stepped(house: House, root: Actor, payout: str, *, dice: Random) -> None:
    payouts, key = house.services.payouts, house.services.conversations.token()
    match dice.choice(["approve", "approve", "paid", "reject", "failed"]):
        case "approve":
            await payouts.approve(root, [payout], key=key)
        case "paid":
            await payouts.paid(root, payout, reference=key)
        case "reject":
            await payouts.reject(root, payout, why="no", key=key)
        case _:
            await payouts.failed(root, payout, why="no such bank", key=key)


async def sound(house: House) -> None:
    """Assert that the operator finds nothing, whatever is going on."""
    said = StringIO()
    assert await verify(house.store, out=Console(file=said)) == 0, said.getvalue()


async def watched(house: House) -> None:
    for _ in range(8):
        await sound(house)
        await asyncio.sleep(0.2)


async def taken_over(house: House, staying: Actor, joining: Actor) -> None:
    """Let one person confirm that they are another too."""
    code = await house.services.links.issue(staying, HOME)
    asked = await house.services.links.redeem(joining, code, HOME)
    await house.services.links.confirm(staying, asked.id)


async def prove_the_royalties(store: Store) -> None:
    """Assert to the hundredth: owners were credited what their models' uses earned, out of what is still paid."""
    accounts = {one.id: one.merged_into async for one in store.accounts.everything()}
    credited, shares, pools = Counter[str](), Counter[str](), Counter[str]()
    async for one in store.ledger.everything():
        owner = one.owner
        while gone := accounts[owner]:
            owner = gone
        credited[owner] -= one.change(REVENUE) if one.act in {Act.ROYALTY, Act.CLAWBACK, Act.MERGE} else 0
    async for use in store.usages.everything():
        shares[use.owner] += use.share
        pools[use.generation] += use.share
        paid = captured(await store.ledger.about(use.generation)).purchased
        assert use.paid == paid
        assert pools[use.generation] <= paid * use.terms.percent
    rests = {one.id: one.hundredths async for one in store.remainders.everything()}
    assert {who: credited[who] * HUNDREDTHS + rests.get(who, 0) for who in shares} == dict(shares)


async def test_whatever_people_and_admins_do_with_money_at_once_it_is_right(house: House, clock: HandClock) -> None:
    dice, services = Random(11), house.services
    house = replace(house, services=replace(services, payouts=replace(services.payouts, minimum=1)))
    people = [await somebody(house, name) for name in NAMES]
    issued = await services.vouchers.issue(
        await somebody(house, "root"), amount=80, count=20, days=3650, sold=True, key="codes"
    )
    codes = list(issued.codes)
    for actor in people:
        await a_model_of(house, actor)
        for _ in range(4):  # most of the day's points are spent first
            await imagined(house, actor, "ann bob", **LARGE)

    async with asyncio.TaskGroup() as town:
        lives = [town.create_task(dealt(house, actor, codes, dice=dice)) for actor in people]
        for number in range(2):
            town.create_task(worked(house, clock, f"w{number}", people=lives, dice=dice))
        town.create_task(decided(house, clock, people, dice=dice))
        town.create_task(watched(house))
    await prove_the_ledger(house.store)
    await prove_the_royalties(house.store)

    ann, bob, cid, dan = people
    for actor in people:
        for job in await house.store.jobs.active(actor.account):
            await services.jobs.cancel(actor, job.id)
    await taken_over(house, ann, bob)
    await taken_over(house, dan, cid)
    paid = {use.generation async for use in house.store.usages.everything() if use.share}
    for name in sorted(paid)[::2]:
        await refunded(house, await somebody(house, "root"), await house.store.jobs.get(name), None)
    await taken_over(house, ann, dan)
    clock.advance(timedelta(days=30))
    await services.earnings.mature_all()

    await prove_the_ledger(house.store)
    await prove_the_royalties(house.store)
    await sound(house)
    assert {one.act async for one in house.store.ledger.everything()} >= {Act.ROYALTY, Act.CLAWBACK, Act.MERGE}
