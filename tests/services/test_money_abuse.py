"""What cheaters and races try with money: accounts that are gone, admins with friends, keys of others, odd words."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from core.domain.account import Actor, Place, Platform, Role
from core.domain.errors import (
    BadValue,
    CannotMerge,
    DomainError,
    FourEyes,
    KeyReused,
    NotFound,
    NothingToDo,
    NotThem,
)
from core.domain.ledger import SALES, Act, Balance, Lot, Transaction, between, books, qoints
from core.domain.model import Model, Visibility
from core.domain.payout import PayoutState
from core.domain.royalty import Rule
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import NOON, a_model, an_artifact
from tests.builders.payouts import IBAN, an_admin, approved, asked, changed, earned
from tests.builders.scenes import everything_in, finished, given, imagined, prove_the_ledger, somebody

CONSOLE = Place(platform=Platform.CONSOLE, chat="ann")
HELD = timedelta(days=7)


async def linked(house: House, staying: Actor, joining: Actor) -> None:
    code = await house.services.links.issue(staying, CONSOLE)
    request = await house.services.links.redeem(joining, code, CONSOLE)
    await house.services.links.confirm(staying, request.id)


async def a_code(house: House, *, amount: int = 50) -> str:
    root, key = await somebody(house, "root"), house.services.conversations.token()
    made = await house.services.vouchers.issue(root, amount=amount, count=1, days=1, sold=True, key=key)
    return made.codes[0]


async def left(house: House, actor: Actor) -> int:
    """How much is in the books of an account."""
    rows: list[Balance] = [await house.store.ledger.balance(name) for name in books(actor.account)]
    return sum(row.total for row in rows)


async def test_what_comes_for_an_account_that_is_gone_reaches_whoever_took_it_over(house: House) -> None:
    ann, bob, root = await somebody(house), await somebody(house, "bob"), await somebody(house, "root")
    stale = await house.store.accounts.get(bob.account)
    await linked(house, ann, bob)

    await house.services.wallets.grant(root, to=stale, amount=7, why="a prize", key="k")
    await house.services.wallets.redeem(bob, await a_code(house))

    wallet = await house.services.wallets.view(ann)
    assert (wallet.granted, wallet.purchased, await left(house, bob)) == (7, 50, 0)
    told = [one async for one in house.store.notices.everything() if one.id == "granted:k"]
    assert [one.account for one in told] == [ann.account]
    await prove_the_ledger(house.store)


async def test_money_that_comes_while_an_account_is_taken_over_is_never_left_behind(house: House) -> None:
    root = await somebody(house, "root")
    for number in range(6):
        ann, bob = await somebody(house, f"ann{number}"), await somebody(house, f"bob{number}")
        stale, code = await house.store.accounts.get(bob.account), await a_code(house)
        await asyncio.gather(
            linked(house, ann, bob),
            house.services.wallets.grant(root, to=stale, amount=7, why="a prize", key=f"k{number}"),
            house.services.wallets.redeem(bob, code),
        )
        assert (await left(house, ann), await left(house, bob)) == (257, 0)


async def test_an_approval_by_whoever_became_the_owner_is_no_second_pair_of_eyes(
    house: House, clock: HandClock
) -> None:
    ann, eve, root = await somebody(house), await an_admin(house, "eve"), await somebody(house, "root")
    payout, payouts = await approved(house, ann, eve, 20_000), house.services.payouts
    await linked(house, eve, ann)
    clock.advance(HELD)

    with pytest.raises(FourEyes):
        await payouts.paid(root, payout.id, reference="TX 1")
    await payouts.failed(root, payout.id, why="approved by its owner", key="f")
    await payouts.again(eve, payout.id, key="g")
    await payouts.approve(root, [payout.id], key="a")
    third = await an_admin(house, "joe")
    assert (await payouts.paid(third, payout.id, reference="TX 2")).state is PayoutState.PAID


async def test_an_approval_by_whoever_is_related_to_the_owner_is_no_second_pair_of_eyes(house: House) -> None:
    ann, eve, root = await somebody(house), await an_admin(house, "eve"), await somebody(house, "root")
    payout = await approved(house, ann, eve, 20_000)
    await changed(house, ann, related=(eve.account,))

    with pytest.raises(FourEyes):
        await house.services.payouts.paid(root, payout.id, reference="TX 1")


async def test_nobody_takes_over_somebody_who_has_risen_meanwhile(house: House) -> None:
    ann, bob, root = await somebody(house), await somebody(house, "bob"), await somebody(house, "root")
    code = await house.services.links.issue(ann, CONSOLE)
    request = await house.services.links.redeem(bob, code, CONSOLE)
    await house.services.accounts.role(root, await house.store.accounts.get(bob.account), Role.ADMIN)

    with pytest.raises(CannotMerge):
        await house.services.links.confirm(ann, request.id)
    assert (await somebody(house)).role is Role.USER


async def test_the_key_of_somebody_else_says_nothing_of_their_payout(house: House, database: Database) -> None:
    ann, bob, payouts = await somebody(house), await somebody(house, "bob"), house.services.payouts
    for owner in (ann, bob):
        await earned(house, owner, 5000)
    payout = await payouts.request(ann, to=IBAN, amount=2000, key="k")
    before = await everything_in(database)

    with pytest.raises(KeyReused) as refused:
        await payouts.request(bob, to=IBAN, amount=2000, key="k")
    assert payout.id not in str(refused.value)
    assert await everything_in(database) == before


async def test_nothing_is_approved_where_nothing_is_named(house: House) -> None:
    with pytest.raises(NothingToDo):
        await house.services.payouts.approve(await somebody(house, "root"), [], key="k")


async def test_an_admin_pays_nothing_back_to_somebody_related(house: House) -> None:
    ann, eve, root = await somebody(house), await an_admin(house, "eve"), await somebody(house, "root")
    job = await finished(house, await imagined(house, ann, "a hat", offering="tiny"))
    one, two = [await house.store.accounts.get(actor.account) for actor in (ann, eve)]
    await house.services.accounts.relate(root, one, two, on=True)

    with pytest.raises(NotThem):
        await house.services.wallets.refund(eve, job.id, amount=None, why="sorry", key="k")
    await house.services.wallets.refund(root, job.id, amount=None, why="sorry", key="k")


@pytest.mark.parametrize("why", ["", " \n ", "x" * 501])
async def test_money_is_moved_for_a_reason_that_can_be_read(house: House, why: str) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    job = await finished(house, await imagined(house, ann, "a hat", offering="tiny"))
    account = await house.store.accounts.get(ann.account)

    with pytest.raises(BadValue):
        await house.services.wallets.grant(root, to=account, amount=5, why=why, key="k")
    with pytest.raises(BadValue):
        await house.services.wallets.refund(root, job.id, amount=None, why=why, key="k")


@pytest.mark.parametrize("day", [date(9999, 12, 1), date(9999, 12, 31), date(1, 1, 1)])
async def test_a_month_at_the_end_of_time_is_empty(house: House, day: date) -> None:
    assert (await house.services.earnings.month(await somebody(house), day)).lines == ()
