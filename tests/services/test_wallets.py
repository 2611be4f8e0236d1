"""What people see of their money: everything they have, every month of it, and a receipt for each job."""

from datetime import date, timedelta
from itertools import pairwise
from random import Random

import pytest

from core.domain.account import Actor, Place, Platform
from core.domain.errors import BadValue, NotEnoughPoints
from core.domain.job import Job
from core.domain.ledger import Act, Lot, points, qoints
from core.ports.clock import HandClock
from core.services.wallets import OF_EARNINGS, Statement
from loraguild.composition import House
from tests.builders.scenes import (
    BROKEN,
    a_ready_dataset,
    a_trained_model,
    an_order,
    finished,
    given,
    imagined,
    prove_the_ledger,
    somebody,
)

DM = Place(platform=Platform.DISCORD, chat="42")
STEPS = ("200", "1000", "2000")


async def bought(house: House, actor: Actor, amount: int, *, sold: bool = True) -> None:
    root, key = await somebody(house, "root"), house.services.conversations.token()
    made = await house.services.vouchers.issue(root, amount=amount, count=1, days=9, sold=sold, key=key)
    await house.services.wallets.redeem(actor, made.codes[0])


def lots(statement: Statement) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(statement.opening.lots.values()), tuple(statement.closing.lots.values())


def changed(statement: Statement) -> tuple[int, int]:
    """Add up the rows: points and qoints."""
    rows, owner = statement.transactions, statement.owner
    return sum(one.change(points(owner)) for one in rows), sum(one.change(qoints(owner)) for one in rows)


async def lived(house: House, clock: HandClock, actor: Actor, dice: Random) -> None:
    """Do something with money, some days later; points come by themselves."""
    clock.advance(timedelta(days=dice.randint(1, 9), hours=dice.randint(0, 23)))
    await somebody(house)
    root, wallets = await somebody(house, "root"), house.services.wallets
    jobs = [one for one in await wallets.receipts(actor) if one.parts(Act.CAPTURE)]
    match dice.choice(["grant", "code", "gift", "job", "job", "failure", "refund", "refund"]):
        case "grant":
            await given(house, actor, dice.randint(1, 50))
        case "code":
            await bought(house, actor, dice.randint(1, 50))
        case "gift":
            await bought(house, actor, dice.randint(1, 50), sold=False)
        case "refund" if jobs:
            key = house.services.conversations.token()
            await wallets.refund(root, dice.choice(jobs).job, amount=dice.randint(1, 9), why="sorry", key=key)
        case wished:
            (dataset,) = await house.services.datasets.list(actor)
            job = await an_order(house, actor, dataset, steps=dice.choice(STEPS))
            clock.advance(timedelta(days=dice.randint(0, 9)))
            await finished(house, job, BROKEN if wished == "failure" else None)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_every_month_begins_where_the_last_ended_and_adds_up(
    house: House, clock: HandClock, seed: int
) -> None:
    ann, dice = await somebody(house), Random(seed)
    await a_ready_dataset(house, ann)
    for _ in range(16):
        try:
            await lived(house, clock, ann, dice)
        except (NotEnoughPoints, BadValue):
            continue

    first, last = clock.now().replace(month=3, day=1).date(), clock.now().date()
    months = [first.replace(month=month) for month in range(2, last.month + 1)]
    statements = [await house.services.wallets.monthly(ann, month) for month in months]
    assert len(statements) > 2
    assert lots(statements[0]) == ((0, 0, 0), (0, 0, 0))
    for before, after in pairwise(statements):
        assert after.opening == before.closing
    for one in statements:
        assert (one.opening.free + changed(one)[0], one.opening.qoints + changed(one)[1]) == (
            one.closing.free,
            one.closing.qoints,
        )
    assert statements[-1] == await house.services.wallets.monthly(ann)
    assert statements[-1].closing == await house.services.wallets.view(ann)
    await prove_the_ledger(house.store)


async def test_a_statement_has_what_a_merge_brought_and_no_word_of_the_past_elsewhere(
    house: House, clock: HandClock
) -> None:
    ann, links = await somebody(house), house.services.links
    hilda = await house.services.accounts.welcome(Platform.DISCORD, "42", name="hilda")
    await bought(house, hilda, 30)
    clock.advance(timedelta(days=31))
    request = await links.redeem(hilda, await links.issue(ann, DM), DM)
    await links.confirm(ann, request.id)
    march, april = [await house.services.wallets.monthly(ann, date(2026, month, 1)) for month in (3, 4)]

    assert [one.act for one in (*march.transactions, *april.transactions)] == [Act.REFILL, Act.MERGE]
    assert lots(march) == ((0, 0, 0), (100, 0, 0))
    assert lots(april) == ((100, 0, 0), (200, 0, 30))
    assert april.closing == await house.services.wallets.view(ann)


async def test_only_months_that_have_begun_have_a_statement(house: House, clock: HandClock) -> None:
    ann, wallets = await somebody(house), house.services.wallets
    for late in (date(2026, 4, 1), date(9999, 12, 31)):
        with pytest.raises(BadValue):
            await wallets.monthly(ann, late)

    assert (await wallets.monthly(ann, date(1, 1, 1))).transactions == ()
    assert (await wallets.monthly(ann, date(2026, 3, 31))).month == date(2026, 3, 1)
    clock.advance(timedelta(days=30, hours=12))
    assert (await wallets.monthly(ann)).month == date(2026, 4, 1)


async def earned(house: House) -> tuple[Actor, Actor, Job]:
    """Let ann make pictures with bob's model, and pay with 9 granted and purchased qoints alone."""
    ann, bob = await somebody(house), await somebody(house, "bob")
    model = await a_trained_model(house, bob)
    await house.services.models.publish(bob, model.id)
    await an_order(house, ann, await a_ready_dataset(house, ann, name="blip"), steps="1800")
    await given(house, ann, 1)
    await bought(house, ann, 8)
    return ann, bob, await finished(house, await imagined(house, ann, count=8))


async def test_everything_somebody_has_is_in_one_place(house: House) -> None:
    ann, bob, _ = await earned(house)
    payer, owner = [await house.services.wallets.overview(one) for one in (ann, bob)]

    assert (payer.balance.lots, payer.on_hold, payer.earned) == (
        {Lot.FREE: 0, Lot.GRANTED: 0, Lot.PURCHASED: 1},
        100,
        0,
    )
    assert (owner.balance.free, owner.on_hold, owner.earned) == (80, 0, 2)
    assert sorted(one.act for one in owner.latest) == [Act.HOLD, Act.REFILL]
    assert list(owner.latest) == await house.services.wallets.statement(bob)


async def test_earnings_come_into_a_statement_when_they_are_spent(house: House, clock: HandClock) -> None:
    _, bob, _ = await earned(house)
    clock.advance(timedelta(days=31))
    await house.services.payouts.spend(bob, 2, key="k")
    march, april = [await house.services.wallets.monthly(bob, date(2026, month, 1)) for month in (3, 4)]

    assert lots(march) == ((0, 0, 0), (80, 0, 0))
    assert [(one.act, changed(april)) for one in april.transactions] == [(Act.SPEND, (0, 2))]
    assert lots(april) == ((80, 0, 0), (80, 2, 0))
    assert april.closing == await house.services.wallets.view(bob)


async def test_a_receipt_says_which_lots_paid_and_nothing_of_what_others_earned(house: House) -> None:
    ann, bob, job = await earned(house)
    receipt = await house.services.wallets.receipt(ann, job.id)
    of_bob = await house.store.ledger.of(bob.account)

    assert [one.act for one in of_bob if one.act in OF_EARNINGS] == [Act.ROYALTY]
    assert sorted(one.act for one in receipt.transactions) == [Act.CAPTURE, Act.HOLD]
    assert receipt.parts(Act.HOLD) == receipt.parts(Act.CAPTURE) == {Lot.GRANTED: 1, Lot.PURCHASED: 7}
    assert receipt.parts(Act.REFUND) == {}


async def test_a_receipt_stays_whole_when_its_owner_becomes_somebody_else(house: House) -> None:
    ann, links = await somebody(house), house.services.links
    hilda = await house.services.accounts.welcome(Platform.DISCORD, "42", name="hilda")
    job = await finished(house, await an_order(house, hilda, await a_ready_dataset(house, hilda)))
    before = await house.services.wallets.receipt(hilda, job.id)
    request = await links.redeem(hilda, await links.issue(ann, DM), DM)
    await links.confirm(ann, request.id)

    assert await house.services.wallets.receipt(ann, job.id) == before
    assert before.disputable


async def test_only_its_owner_can_dispute_a_receipt_and_once(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    job = await an_order(house, ann, await a_ready_dataset(house, ann))
    wallets, seen = house.services.wallets, []
    seen.append((await wallets.receipt(ann, job.id)).disputable)
    await finished(house, job)
    seen += [(await wallets.receipt(actor, job.id)).disputable for actor in (ann, root)]
    opened = await house.services.disputes.open(ann, job.id, why="blurred")
    after = await wallets.receipt(ann, job.id)

    assert seen == [False, True, False]
    assert (after.disputable, after.dispute) == (False, opened)
