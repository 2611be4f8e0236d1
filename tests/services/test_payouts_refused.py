"""Who gets no money, and whom it takes: what fraud would try with payouts, and what admins may not do alone."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.domain.account import Platform
from core.domain.errors import (
    DomainError,
    FourEyes,
    NotAllowed,
    NotEnoughEarned,
    NotFound,
    NotThem,
    PayoutFrozen,
)
from core.domain.ledger import debt, earnings
from core.domain.payout import PayoutState
from core.domain.royalty import clawed_back
from core.ports.clock import HandClock
from core.services.payouts import Payouts
from loraguild.composition import House
from tests.builders.payouts import IBAN, an_admin, approved, asked, changed, earned, lies
from tests.builders.scenes import prove_the_ledger, somebody


async def test_admins_alone_decide_and_only_owners_and_admins_see(house: House) -> None:
    ann, bob, root = await somebody(house), await somebody(house, "bob"), await somebody(house, "root")
    payout, payouts = await asked(house, ann), house.services.payouts

    for refused in (
        payouts.approve(ann, [payout.id], key="k"),
        payouts.reject(bob, payout.id, why="no", key="k"),
        payouts.failed(bob, payout.id, why="no", key="k"),
        payouts.paid(bob, payout.id, reference="TX"),
        payouts.claims(bob, PayoutState.REQUESTED),
        payouts.claim(ann, payout.id),
        payouts.file(ann, [], name="x.csv"),
    ):
        with pytest.raises(NotAllowed):
            await refused
    words = []
    for missing in (
        payouts.view(bob, payout.id),
        payouts.cancel(bob, payout.id, key="k"),
        payouts.again(bob, payout.id, key="k"),
        payouts.cancel(root, payout.id, key="k"),
        payouts.view(bob, "nowhere"),
    ):
        with pytest.raises(NotFound) as found:
            await missing
        words.append(str(found.value).replace("nowhere", payout.id))
    assert len(set(words)) == 1
    assert await payouts.view(root, payout.id) == payout


async def test_an_admin_never_decides_about_their_own_money(house: House) -> None:
    root, eve, payouts = await somebody(house, "root"), await an_admin(house, "eve"), house.services.payouts
    bob = await somebody(house, "bob")
    await changed(house, bob, related=(eve.account,))
    own, related = await asked(house, root), await asked(house, bob)

    for actor, payout in ((root, own), (eve, related)):
        for refused in (
            payouts.approve(actor, [payout.id], key="a"),
            payouts.reject(actor, payout.id, why="no", key="r"),
        ):
            with pytest.raises(FourEyes):
                await refused
    await payouts.approve(eve, [own.id], key="a")
    await payouts.approve(root, [related.id], key="b")
    for actor, payout in ((root, own), (eve, related)):
        with pytest.raises(FourEyes):
            await payouts.paid(actor, payout.id, reference="TX")


async def test_splitting_into_small_payouts_does_not_spare_the_second_admin(house: House, clock: HandClock) -> None:
    ann, root, eve = await somebody(house), await somebody(house, "root"), await an_admin(house, "eve")
    payouts = house.services.payouts
    first = [await approved(house, ann, root, 2000) for _ in range(5)]  # 10,000 together: one admin may
    for number, payout in enumerate(first):
        await payouts.paid(root, payout.id, reference=f"TX {number}")

    clock.advance(timedelta(days=29))
    over = await approved(house, ann, root, 1000)
    assert (await payouts.claim(root, over.id)).four_eyes
    with pytest.raises(FourEyes):
        await payouts.paid(root, over.id, reference="TX over")
    await payouts.paid(eve, over.id, reference="TX over")

    clock.advance(timedelta(days=31))
    later = await approved(house, ann, root, 10_000)
    assert not (await payouts.claim(root, later.id)).four_eyes
    clock.advance(timedelta(days=31))
    another = await approved(house, ann, root, 10_000)
    assert not (await payouts.claim(root, another.id)).four_eyes
    assert (await payouts.paid(root, another.id, reference="TX another")).state is PayoutState.PAID


async def test_waiting_does_not_spare_the_second_admin_and_what_came_back_does_not_count(
    house: House, clock: HandClock
) -> None:
    ann, root, payouts = await somebody(house), await somebody(house, "root"), house.services.payouts
    one, two = await approved(house, ann, root, 6000), await approved(house, ann, root, 6000)
    clock.advance(timedelta(days=40))
    with pytest.raises(FourEyes):
        await payouts.paid(root, one.id, reference="TX 1")

    await payouts.failed(root, two.id, why="no such bank", key="f")

    assert (await payouts.paid(root, one.id, reference="TX 1")).paid_by == root.account


async def test_the_approver_is_nobody_else_by_another_account(house: House) -> None:
    ann, root, eve = await somebody(house), await somebody(house, "root"), await an_admin(house, "eve")
    payout = await approved(house, ann, eve, 20_000)
    await changed(house, eve, merged_into=root.account)

    with pytest.raises(FourEyes):
        await house.services.payouts.paid(root, payout.id, reference="TX 1")


async def test_an_account_that_took_another_over_waits_for_seven_days(house: House, clock: HandClock) -> None:
    ann, root, payouts = await somebody(house), await somebody(house, "root"), house.services.payouts
    one, two = await asked(house, ann), await approved(house, ann, root)
    await earned(house, ann, 2000)
    await changed(house, ann, merged_at=clock.now())
    clock.advance(timedelta(days=7) - timedelta(seconds=1))

    for frozen in (
        payouts.request(ann, to=IBAN, amount=None, key="k"),
        payouts.approve(root, [one.id], key="a"),
        payouts.paid(root, two.id, reference="TX"),
    ):
        with pytest.raises(PayoutFrozen):
            await frozen
    clock.advance(timedelta(seconds=1))

    assert (await payouts.request(ann, to=IBAN, amount=None, key="k")).amount == 2000
    await payouts.approve(root, [one.id], key="a")
    await payouts.paid(root, two.id, reference="TX")


async def test_nothing_is_paid_to_the_banned_but_it_can_be_given_back(house: House) -> None:
    ann, root, payouts = await somebody(house), await somebody(house, "root"), house.services.payouts
    one, two = await asked(house, ann), await approved(house, ann, root)
    await changed(house, ann, banned="rude")

    for refused in (payouts.approve(root, [one.id], key="a"), payouts.paid(root, two.id, reference="TX")):
        with pytest.raises(NotThem):
            await refused
    await payouts.reject(root, one.id, why="rude", key="r")
    await payouts.failed(root, two.id, why="rude", key="f")

    assert await lies(house, ann, one) == (4000, 0, 0)


async def test_who_owes_the_house_is_paid_nothing_and_what_comes_back_repays_it(house: House) -> None:
    ann, root, payouts = await somebody(house), await somebody(house, "root"), house.services.payouts
    one, two = await asked(house, ann), await approved(house, ann, root)

    async def work(tx: Any) -> None:
        rows = [await tx.ledger.balance(name) for name in ("", earnings(ann.account))]
        now = house.services.payouts.clock.now()
        await tx.ledger.post(clawed_back(1500, *rows, owner=ann.account, key="k", why="a refund", now=now))

    await house.store.transact(work)
    refused: Sequence[tuple[Awaitable[object], type[DomainError]]] = (
        (payouts.approve(root, [one.id], key="a"), NotThem),
        (payouts.paid(root, two.id, reference="TX"), NotThem),
        (payouts.request(ann, to=IBAN, amount=1000, key="k"), NotEnoughEarned),
        (payouts.spend(ann, 1, key="s"), NotEnoughEarned),
    )
    for step, error in refused:
        with pytest.raises(error):
            await step
    await payouts.cancel(ann, one.id, key="c")

    assert await lies(house, ann, one) == (500, 0, 0)
    assert (await house.store.ledger.balance(debt(ann.account))).total == 0
    await payouts.paid(root, two.id, reference="TX")
    await prove_the_ledger(house.store)


async def test_where_one_admin_is_alone_the_limit_can_be_raised(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    payout = await approved(house, ann, root, 20_000)
    generous: Payouts = replace(house.services.payouts, four_eyes=20_000)

    with pytest.raises(FourEyes):
        await house.services.payouts.paid(root, payout.id, reference="TX 1")
    assert (await generous.paid(root, payout.id, reference="TX 1")).state is PayoutState.PAID


async def test_a_payout_of_an_account_that_was_taken_over_comes_back_to_who_took_it(house: House) -> None:
    ann = await somebody(house)
    other = await house.services.accounts.welcome(Platform.TELEGRAM, "7", name="ann")
    payout = await asked(house, other)
    await house.store.transact(lambda tx: tx.ownership.move(other.account, ann.account, name="ann"))

    await house.services.payouts.cancel(ann, payout.id, key="c")

    assert await lies(house, ann, payout) == (2000, 0, 0)
