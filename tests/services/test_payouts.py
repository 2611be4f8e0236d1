"""Payouts through the store: money and state together, once, by the right people, however often and at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import pytest

from core.domain.errors import (
    BadValue,
    KeyReused,
    NotEnoughEarned,
    PayoutMoved,
)
from core.domain.ledger import Act
from core.domain.notice import Topic
from core.domain.payout import PayoutState
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.payouts import IBAN, an_admin, approved, asked, changed, earned, lies
from tests.builders.scenes import everything_in, prove_the_ledger, somebody


async def test_from_earnings_to_money_outside(house: House, clock: HandClock) -> None:
    ann, root, payouts = await somebody(house), await somebody(house, "root"), house.services.payouts
    await earned(house, ann, 2500)
    payout = await payouts.request(ann, to=f" {IBAN}\n", amount=2000, key="k")
    assert await lies(house, ann, payout) == (500, 2000, 0)
    assert (payout.to, payout.state, payout.amount) == (IBAN, PayoutState.REQUESTED, 2000)

    clock.advance(timedelta(days=2))
    (agreed,) = await payouts.approve(root, [payout.id], key="a")
    assert await lies(house, ann, payout) == (500, 2000, 0)
    done = await payouts.paid(root, payout.id, reference="TX 1")

    assert await lies(house, ann, payout) == (500, 0, 2000)
    assert (agreed.approved_by, done.paid_by, done.reference) == (root.account, root.account, "TX 1")
    assert list(await payouts.list(ann)) == [done]
    await prove_the_ledger(house.store)


async def test_each_step_tells_the_owner_and_the_audit_and_a_request_the_admins(
    house: House, database: Database
) -> None:
    ann, root, eve = await somebody(house), await somebody(house, "root"), await an_admin(house, "eve")
    payout = await approved(house, ann, root)
    await house.services.payouts.failed(root, payout.id, why="no such bank", key="f")
    await house.services.payouts.again(ann, payout.id, key="g")
    await house.services.payouts.cancel(ann, payout.id, key="c")

    rows = await everything_in(database)
    told = sorted((row["account"], row["details"]["title"]) for row in rows["notices"])
    assert told == sorted(
        [
            (ann.account, "You asked for 2000 qoints"),
            (ann.account, "You asked for 2000 qoints"),
            (ann.account, "Your payout of 2000 qoints is approved"),
            (ann.account, "Your payout of 2000 qoints did not go through"),
            (ann.account, "Your payout of 2000 qoints is called back"),
            *[(admin.account, "ann asks for 2000 qoints") for admin in (root, root, eve, eve)],
        ]
    )
    assert {row["topic"] for row in rows["notices"]} == {Topic.PAYOUT}
    acts = sorted((row["act"], row["actor"], row["subject"], row["details"]["note"]) for row in rows["audits"])
    assert acts == sorted(
        [
            ("payout.requested", ann.account, payout.id, ""),
            ("payout.requested", ann.account, payout.id, ""),
            ("payout.cancelled", ann.account, payout.id, ""),
            ("admin.approve", root.account, payout.id, ""),
            ("admin.failed", root.account, payout.id, "no such bank"),
        ]
    )
    assert IBAN not in str(rows["notices"]) + str(rows["audits"]) + str(rows["ledger"])


async def test_all_that_is_earned_is_asked_for_where_no_amount_is_given(house: House) -> None:
    ann = await somebody(house)
    await earned(house, ann, 1234)

    assert (await house.services.payouts.request(ann, to=IBAN, amount=None, key="k")).amount == 1234


@pytest.mark.parametrize("amount", [None, 999, 0, -1, 1501])
async def test_too_little_and_too_much_is_refused(house: House, database: Database, amount: int | None) -> None:
    ann = await somebody(house)
    await earned(house, ann, 1500 if amount else 999)
    before = await everything_in(database)

    with pytest.raises(NotEnoughEarned):
        await house.services.payouts.request(ann, to=IBAN, amount=amount, key="k")

    assert await everything_in(database) == before


@pytest.mark.parametrize("to", ["", "  ", "x" * 201])
async def test_an_address_is_needed(house: House, to: str) -> None:
    with pytest.raises(BadValue):
        await house.services.payouts.request(await somebody(house), to=to, amount=None, key="k")


async def test_a_request_is_made_once_per_key(house: House) -> None:
    ann, bob, payouts = await somebody(house), await somebody(house, "bob"), house.services.payouts
    await earned(house, ann, 5000)
    done = await asyncio.gather(*(payouts.request(ann, to=IBAN, amount=2000, key="k") for _ in range(4)))

    assert len(set(done)) == 1
    assert await payouts.request(ann, to=IBAN, amount=None, key="k") == done[0]
    for actor, to, amount, error in (
        (ann, IBAN, 2001, KeyReused),
        (ann, "elsewhere", 2000, KeyReused),
        (bob, IBAN, 2000, KeyReused),
    ):
        with pytest.raises(error):
            await payouts.request(actor, to=to, amount=amount, key="k")
    assert await lies(house, ann, done[0]) == (3000, 2000, 0)


async def test_requests_at_once_never_take_the_same_money(house: House) -> None:
    ann = await somebody(house)
    await earned(house, ann, 5000)

    done = await asyncio.gather(
        *(house.services.payouts.request(ann, to=IBAN, amount=2000, key=f"{number}") for number in range(4)),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in done) == ["NotEnoughEarned"] * 2 + ["Payout"] * 2
    await prove_the_ledger(house.store)


async def test_of_two_admins_at_once_one_wins_and_the_other_is_told(house: House) -> None:
    ann, root, eve = await somebody(house), await somebody(house, "root"), await an_admin(house, "eve")
    payout, payouts = await asked(house, ann), house.services.payouts

    done = await asyncio.gather(
        payouts.approve(root, [payout.id], key="a"),
        payouts.reject(eve, payout.id, why="no", key="b"),
        payouts.cancel(ann, payout.id, key="c"),
        return_exceptions=True,
    )

    assert [type(one) for one in done if isinstance(one, Exception)] == [PayoutMoved] * 2
    after = await payouts.view(ann, payout.id)
    assert await lies(house, ann, payout) == ((0, 2000, 0) if after.state.open else (2000, 0, 0))
    await prove_the_ledger(house.store)


async def test_a_step_is_taken_once_per_key(house: House, database: Database) -> None:
    ann, root, payouts = await somebody(house), await somebody(house, "root"), house.services.payouts
    one, two = await asked(house, ann), await asked(house, ann)
    steps: Sequence[Callable[[], Awaitable[object]]] = (
        lambda: payouts.approve(root, [one.id], key="a"),
        lambda: payouts.failed(root, one.id, why="no such bank", key="f"),
        lambda: payouts.again(ann, one.id, key="g"),
        lambda: payouts.reject(root, one.id, why="no", key="r"),
        lambda: payouts.cancel(ann, two.id, key="c"),
    )
    for step in steps:
        await step()
    before = await everything_in(database)

    for step in steps:
        await step()
    for reused in (
        payouts.approve(root, [one.id, two.id], key="a"),
        payouts.failed(root, one.id, why="another reason", key="f"),
        payouts.again(ann, two.id, key="g"),
        payouts.reject(root, two.id, why="no", key="r"),
        payouts.cancel(ann, one.id, key="c"),
    ):
        with pytest.raises(KeyReused):
            await reused

    assert await everything_in(database) == before
    assert await lies(house, ann, one) == (4000, 0, 0)


async def test_a_transfer_pays_one_payout_once(house: House, database: Database) -> None:
    ann, root, eve = await somebody(house), await somebody(house, "root"), await an_admin(house, "eve")
    one, two = await approved(house, ann, root), await approved(house, ann, root)
    payouts = house.services.payouts
    done = await asyncio.gather(*(payouts.paid(admin, one.id, reference="TX 1") for admin in (root, eve, root)))
    before = await everything_in(database)

    assert len(set(done)) == 1
    assert await payouts.paid(eve, one.id, reference=" TX  1") == done[0]
    for name, reference, error in (
        (one.id, "TX 2", PayoutMoved),
        (two.id, "TX 1", BadValue),
        (two.id, "tx 1", BadValue),
        (two.id, " ", BadValue),
    ):
        with pytest.raises(error):
            await payouts.paid(root, name, reference=reference)
    assert await everything_in(database) == before
    assert await lies(house, ann, one) == (0, 0, 2000)


async def test_one_transfer_for_two_payouts_at_once_pays_one(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    both = [await approved(house, ann, root), await approved(house, ann, root)]

    done = await asyncio.gather(
        *(house.services.payouts.paid(root, one.id, reference="TX 1") for one in both), return_exceptions=True
    )

    assert sorted(type(one).__name__ for one in done) == ["BadValue", "Payout"]


async def test_a_batch_is_approved_as_it_was_seen_or_not_at_all(house: House, database: Database) -> None:
    ann, bob, root = await somebody(house), await somebody(house, "bob"), await somebody(house, "root")
    one, two, gone = await asked(house, ann), await asked(house, bob), await asked(house, bob)
    payouts = house.services.payouts
    await payouts.cancel(bob, gone.id, key="c")
    before = await everything_in(database)
    with pytest.raises(PayoutMoved):
        await payouts.approve(root, [one.id, two.id, gone.id], key="a")
    assert await everything_in(database) == before

    done = await payouts.approve(root, [one.id, two.id, one.id], key="b")

    assert [payout.id for payout in done] == [one.id, two.id]
    (act,) = [row for row in (await everything_in(database))["audits"] if row["act"] == "admin.approve"]
    assert (act["subject"], act["details"]["amount"]) == (f"{one.id} {two.id}", "4000")


async def test_claims_say_what_hinders_whom(house: House, clock: HandClock) -> None:
    ann, bob, root = await somebody(house), await somebody(house, "bob"), await somebody(house, "root")
    payouts = house.services.payouts
    await asked(house, ann, 11_000)
    clock.advance(timedelta(days=1))
    await asked(house, root)
    await asked(house, bob)
    await changed(house, bob, banned="rude")

    claims = await payouts.claims(root, PayoutState.REQUESTED)

    assert [(one.owner, one.four_eyes, one.days, one.hindrance) for one in claims] == [
        ("ann", True, 1, ""),
        ("root", False, 0, "Somebody else has to do this: it is your own payout."),
        ("bob", False, 0, "This cannot be done to bob: they are banned."),
    ]


async def test_a_months_payments(house: House, clock: HandClock) -> None:
    ann, root, payouts = await somebody(house), await somebody(house, "root"), house.services.payouts
    for number, days in enumerate((20, 20, 20)):  # from the first of March on
        payout = await approved(house, ann, root, 1000)
        clock.advance(timedelta(days=days))
        await payouts.paid(root, payout.id, reference=f"TX {number}")

    april = await payouts.claims(root, PayoutState.PAID, month=clock.now().date().replace(month=4))
    everything = await payouts.claims(root, PayoutState.PAID)

    assert [one.payout.reference for one in april] == ["TX 2", "TX 1"]
    assert [one.payout.reference for one in everything] == ["TX 2", "TX 1", "TX 0"]
    file = await payouts.file(root, april, name="april.csv")
    content = b"".join([chunk async for chunk in house.blobs.open(file.sha256)])
    assert (file.name, file.media_type, content.count(b"\r\n"), content.count(b"TX")) == ("april.csv", "text/csv", 3, 2)


async def test_earnings_are_spent_once_and_never_earn_again(house: House) -> None:
    ann, bob, payouts = await somebody(house), await somebody(house, "bob"), house.services.payouts
    await earned(house, ann, 30)
    done = await asyncio.gather(*(payouts.spend(ann, 10, key="k") for _ in range(3)))
    rest = await payouts.spend(ann, None, key="l")

    wallet = await house.services.wallets.view(ann)
    assert len(set(done)) == 1
    assert (wallet.granted, wallet.purchased) == (30, 0)
    assert rest.act is Act.SPEND
    for actor, amount, key, error in (
        (ann, 11, "k", KeyReused),
        (bob, 10, "k", KeyReused),
        (ann, 1, "m", NotEnoughEarned),
        (ann, None, "m", NotEnoughEarned),
        (ann, -1, "m", NotEnoughEarned),
    ):
        with pytest.raises(error):
            await payouts.spend(actor, amount, key=key)
    await prove_the_ledger(house.store)
