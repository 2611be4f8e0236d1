"""What cheaters and races try with money: accounts that are gone, admins with friends, keys of others, odd words."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from core.domain.account import Actor, Place, Platform, Role
from core.domain.errors import (
    BadValue,
    CannotMerge,
    FourEyes,
    KeyReused,
    NotFound,
    NothingToDo,
    NotThem,
)
from core.domain.ledger import MINT, SALES, Act, Balance, Lot, Transaction, between, books, points, qoints
from core.domain.model import Model, Visibility
from core.domain.payout import PayoutState
from core.domain.royalty import Rule
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import NOON, a_model, an_artifact
from tests.builders.payouts import IBAN, an_admin, approved, asked, changed, earned
from tests.builders.scenes import (
    a_trained_model,
    everything_in,
    finished,
    imagined,
    prove_the_ledger,
    somebody,
)

CONSOLE = Place(platform=Platform.CONSOLE, chat="ann")
FROZEN = timedelta(days=7)
LARGE: dict[str, Any] = {"count": 5, "width": 128, "height": 128}  # 20 qoints: 6 of them are shared


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


async def a_buyer(house: House, name: str, *, amount: int = 1000) -> Actor:
    """Meet somebody who has no points, and so many purchased qoints."""
    actor = await somebody(house, name)
    await house.store.ledger.post(
        Transaction(
            id=f"test:{name}",
            act=Act.PURCHASE,
            owner=actor.account,
            why="a test",
            entries=(
                *between(points(actor.account), MINT, {Lot.FREE: 100}),
                *between(SALES, qoints(actor.account), {Lot.PURCHASED: amount}),
            ),
            at=NOON,
        )
    )
    return actor


async def a_public_model(house: House, owner: Actor, **facts: Any) -> Model:
    wished: dict[str, Any] = {"id": "zorp", "slug": "zorp", "trigger": "zorp", "run": "run of zorp"}
    wished |= {"owner": owner.account, "owner_name": owner.name, "family": "tiny-shapes"}
    wished |= {"artifact": an_artifact("zorp.safetensors"), "visibility": Visibility.PUBLIC, "published_at": NOON}
    model = a_model(**(wished | facts))
    await house.store.models.add(model)
    return model


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
    root, wallets = await somebody(house, "root"), house.services.wallets
    for number in range(6):
        ann, bob = await somebody(house, f"ann{number}"), await a_buyer(house, f"bob{number}", amount=20)
        job = await finished(house, await imagined(house, bob, "a hat", offering="tiny", **LARGE))
        stale, code = await house.store.accounts.get(bob.account), await a_code(house)
        request = await house.services.links.redeem(bob, await house.services.links.issue(ann, CONSOLE), CONSOLE)
        await asyncio.gather(
            house.services.links.confirm(ann, request.id),
            wallets.grant(root, to=stale, amount=7, why="a prize", key=f"grant {number}"),
            wallets.refund(root, job.id, amount=None, why="blurred", key=f"refund {number}"),
            wallets.redeem(bob, code),
        )
        assert (await left(house, ann), await left(house, bob)) == (100 + 50 + 20 + 7, 0)
    await prove_the_ledger(house.store)


async def test_all_that_is_going_on_with_money_goes_on_with_whoever_takes_over(house: House, clock: HandClock) -> None:
    ann, bob, cid, root = [await somebody(house, name) for name in ("ann", "bob", "cid", "root")]
    buyer = await a_buyer(house, "buyer")
    await a_public_model(house, bob)
    pending = await finished(house, await imagined(house, buyer, **LARGE))
    disputed = await finished(house, await imagined(house, bob, "a hat", offering="tiny"))
    await house.services.disputes.open(bob, disputed.id, why="blurred")
    payout = await asked(house, bob)
    await linked(house, ann, bob)

    assert [one.owner for one in await house.services.disputes.waiting(root)] == ["ann"]
    await house.services.wallets.refund(root, disputed.id, amount=None, why="sorry", key="k")
    await house.services.payouts.cancel(ann, payout.id, key="c")
    await house.services.wallets.refund(root, pending.id, amount=10, why="blurred", key="l")
    clock.advance(timedelta(days=30))
    await house.services.earnings.mature_all()

    found = await house.services.earnings.view(ann)
    assert (found.pending, found.payable, found.owed) == (0, 2003, 0)
    assert (await left(house, ann), await left(house, bob)) == (2203, 0)
    for stranger in (bob, cid):
        with pytest.raises(NotFound):
            await house.services.payouts.view(stranger, payout.id)
    await prove_the_ledger(house.store)


async def test_an_approval_by_whoever_became_the_owner_is_no_second_pair_of_eyes(
    house: House, clock: HandClock
) -> None:
    ann, eve, root = await somebody(house), await an_admin(house, "eve"), await somebody(house, "root")
    payout, payouts = await approved(house, ann, eve, 20_000), house.services.payouts
    await linked(house, eve, ann)
    clock.advance(FROZEN)

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


async def test_an_admin_does_not_judge_over_those_they_are_related_to(house: House) -> None:
    eve = await an_admin(house, "eve")
    root = await somebody(house, "root")
    others = [await somebody(house, name) for name in ("ann", "bob")]
    own, one, two = [await house.store.accounts.get(actor.account) for actor in (eve, *others)]
    for other in (one, two):
        await house.services.accounts.relate(root, own, other, on=True)
    await house.services.accounts.relate(root, one, two, on=True)

    with pytest.raises(NotThem):
        await house.services.accounts.relate(eve, one, two, on=False)


@pytest.mark.parametrize("why", ["", " \n ", "x" * 501])
async def test_money_is_moved_for_a_reason_that_can_be_read(house: House, why: str) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    job = await finished(house, await imagined(house, ann, "a hat", offering="tiny"))
    account = await house.store.accounts.get(ann.account)

    with pytest.raises(BadValue):
        await house.services.wallets.grant(root, to=account, amount=5, why=why, key="k")
    with pytest.raises(BadValue):
        await house.services.wallets.refund(root, job.id, amount=None, why=why, key="k")


async def test_only_months_that_have_begun_have_earnings(house: House) -> None:
    ann, month = await somebody(house), house.services.earnings.month

    assert (await month(ann, date(1, 1, 1))).lines == ()
    for day in (date(2026, 4, 1), date(9999, 12, 31)):
        with pytest.raises(BadValue):
            await month(ann, day)


async def test_what_a_payer_has_earned_others_today_is_not_forgotten_by_linking(house: House, clock: HandClock) -> None:
    ann, eve, mask = await somebody(house), await a_buyer(house, "eve"), await a_buyer(house, "mask")
    await a_public_model(house, ann)
    house = replace(house, services=replace(house.services, generations=replace(house.services.generations, cap=8)))
    used = [await finished(house, await imagined(house, eve, **LARGE)) for _ in range(2)]
    await linked(house, mask, eve)
    used.append(await finished(house, await imagined(house, mask, **LARGE)))
    clock.advance(timedelta(days=1))
    used.append(await finished(house, await imagined(house, mask, **LARGE)))

    usages = [(await house.store.usages.of(job.id))[0] for job in used]
    assert [(one.rule, one.share) for one in usages] == [
        (Rule.SHARED, 600),
        (Rule.CAPPED, 200),
        (Rule.CAPPED, 0),
        (Rule.SHARED, 600),
    ]


async def test_names_that_the_other_side_has_reserved_are_no_dead_end(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    mine, theirs, gone, old = [
        await a_trained_model(house, owner, name=name)
        for owner, name in ((ann, "zorp"), (bob, "zorp"), (bob, "blip"), (ann, "blip"))
    ]
    await house.services.models.delete(ann, old.id)
    await house.services.models.delete(bob, gone.id)
    for owner in (ann, bob):
        for dataset in await house.services.datasets.list(owner):
            await house.services.datasets.delete(owner, dataset)
    with pytest.raises(CannotMerge, match=r"both have a model «zorp»\. Delete or rename that of bob first\."):
        await linked(house, ann, bob)
    await house.services.models.rename(bob, theirs.id, "quux")

    await linked(house, ann, bob)

    names = {one.id: (one.owner, one.names) async for one in house.store.models.everything()}
    assert names == {
        mine.id: (ann.account, ("zorp",)),
        theirs.id: (ann.account, ("quux",)),
        old.id: (ann.account, ("blip",)),
        gone.id: (ann.account, (gone.id,)),
    }
    assert [one.id for one in await house.services.models.called(ann, "ann/zorp")] == [mine.id]
