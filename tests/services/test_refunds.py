"""Paying back: never more than was captured, to the lots it came from, once per key."""

import asyncio

import pytest
from hypothesis import given as every
from hypothesis import strategies as st

from core.domain.account import Actor
from core.domain.errors import BadValue, KeyReused, NotAllowed, NotFound, NotThem
from core.domain.job import Job, JobState
from core.domain.ledger import (
    Act,
    Balance,
    Transaction,
    balances,
    capture,
    captured,
    earnings_pending,
    held,
    hold,
    refund,
    sums,
)
from core.domain.notice import Topic
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.entities import NOON
from tests.builders.scenes import (
    BROKEN,
    a_ready_dataset,
    a_trained_model,
    an_order,
    everything_in,
    finished,
    given,
    imagined,
    prove_the_ledger,
    somebody,
)

lots = st.integers(0, 50)
wallets = st.builds(Balance, id=st.just("ann"), free=lots, granted=lots, purchased=lots)


@every(wallets, st.data())
def test_whatever_is_paid_back_in_whatever_steps_the_wallet_never_gets_more_than_it_gave(
    wallet: Balance, data: st.DataObject
) -> None:
    price = data.draw(st.integers(0, wallet.total))
    held_back = hold(wallet, price, owner="ann", job="j", why="", now=NOON)
    on_hold = balances([held_back]).get(held("j")) or Balance(id=held("j"))
    book: list[Transaction] = [held_back, capture(on_hold, owner="ann", job="j", why="", now=NOON)]
    paid, back = dict(on_hold.lots), 0

    for number, amount in enumerate(data.draw(st.lists(st.integers(-5, 60), max_size=8))):
        left = captured(book)
        assert left.total == price - back
        if not 0 < amount <= left.total:
            with pytest.raises(BadValue):
                refund(left, amount, key="k", owner="ann", job="j", why="", now=NOON)
            continue
        book.append(refund(left, amount, key=f"{number}", owner="ann", job="j", why="", now=NOON))
        back += amount
        rest = list(captured(book).lots.values())
        whole = list(paid.values())
        assert all(0 <= some <= most for some, most in zip(rest, whole, strict=True))
        for later in range(1, 3):  # a lot is only paid back when those spent after it are
            assert rest[later] == 0 or rest[:later] == whole[:later]

    assert back <= price
    assert not any(sums(entry for one in book for entry in one.entries).values())


async def a_paid_job(house: House, *, granted: int = 15) -> Job:
    """Train for 110: 100 points and 10 qoints."""
    ann = await somebody(house)
    await given(house, ann, granted)
    return await finished(house, await an_order(house, ann, await a_ready_dataset(house, ann), steps="2000"))


async def purse(house: House) -> tuple[int, int]:
    wallet = await house.services.wallets.view(await somebody(house))
    return wallet.free, wallet.granted


async def a_buyer(house: House) -> Actor:
    """Let ann have 100 points, 6 granted and 40 purchased qoints."""
    ann, root = await somebody(house), await somebody(house, "root")
    await given(house, ann, 6)
    made = await house.services.vouchers.issue(root, amount=40, count=1, days=1, sold=True, key="bought")
    await house.services.wallets.redeem(ann, made.codes[0])
    return ann


async def lots_of(house: House) -> tuple[int, ...]:
    return tuple((await house.services.wallets.view(await somebody(house))).lots.values())


async def test_a_refund_goes_back_to_the_lots_it_came_from_the_last_first(house: House) -> None:
    job, root = await a_paid_job(house), await somebody(house, "root")
    wallets = house.services.wallets
    seen = [await purse(house)]
    for key, amount in (("a", 4), ("b", 10), ("c", None)):
        await wallets.refund(root, job.id, amount=amount, why="sorry", key=key)
        seen.append(await purse(house))

    assert seen == [(0, 5), (0, 9), (4, 15), (100, 15)]
    receipt = await wallets.receipt(root, job.id)
    assert sorted((one.act, one.amount) for one in receipt.transactions) == [
        (Act.CAPTURE, 110),
        (Act.HOLD, 110),
        (Act.REFUND, 4),
        (Act.REFUND, 10),
        (Act.REFUND, 96),
    ]
    await prove_the_ledger(house.store)


async def test_a_refund_pays_once_per_key_and_tells_the_owner_and_the_audit(house: House, database: Database) -> None:
    job, root = await a_paid_job(house), await somebody(house, "root")
    before = await everything_in(database)

    done = await asyncio.gather(
        *(house.services.wallets.refund(root, job.id, amount=10, why="sorry", key="k") for _ in range(4))
    )

    assert len(set(done)) == 1
    assert await purse(house) == (0, 15)
    after = await everything_in(database)
    told = [row for row in after["notices"] if row not in before["notices"]]
    acts = [row for row in after["audits"] if row not in before["audits"]]
    assert [(row["topic"], row["account"], row["job"], row["details"]) for row in told] == [
        (Topic.REFUNDED, job.owner, job.id, {"amount": "10", "why": "sorry", "what": job.title, "by": "root"})
    ]
    assert [(row["act"], row["actor"], row["subject"], row["details"]) for row in acts] == [
        ("admin.refund", root.account, job.id, {"amount": "10", "why": "sorry"})
    ]


async def test_refunds_at_once_never_pay_more_than_was_captured(house: House) -> None:
    job, root = await a_paid_job(house), await somebody(house, "root")

    done = await asyncio.gather(
        *(house.services.wallets.refund(root, job.id, amount=60, why="sorry", key=f"{n}") for n in range(4)),
        return_exceptions=True,
    )

    assert [type(one) for one in done if isinstance(one, Exception)] == [BadValue] * 3
    assert captured(await house.store.ledger.about(job.id)).total == 50
    await prove_the_ledger(house.store)


async def test_a_refund_that_cannot_be_writes_nothing(house: House, database: Database) -> None:
    job, root, ann = await a_paid_job(house), await somebody(house, "root"), await somebody(house)
    await given(house, ann, 20)
    broken = await finished(house, await an_order(house, ann, await a_ready_dataset(house, ann, name="blip")), BROKEN)
    await house.services.wallets.refund(root, job.id, amount=10, why="sorry", key="k")
    before = await everything_in(database)

    for actor, name, amount, key, error in (
        (ann, job.id, 5, "other", NotAllowed),
        (root, "nowhere", 5, "other", NotFound),
        (root, job.id, 0, "other", BadValue),
        (root, job.id, -5, "other", BadValue),
        (root, job.id, 101, "other", BadValue),
        (root, broken.id, 1, "other", BadValue),
        (root, broken.id, None, "other", BadValue),
        (root, job.id, 11, "k", KeyReused),
        (root, broken.id, 10, "k", KeyReused),
    ):
        with pytest.raises(error):
            await house.services.wallets.refund(actor, name, amount=amount, why="sorry", key=key)

    assert broken.state is JobState.FAILED
    assert await everything_in(database) == before


async def test_admins_do_not_pay_their_own_jobs_back(house: House, database: Database) -> None:
    root = await somebody(house, "root")
    job = await finished(house, await an_order(house, root, await a_ready_dataset(house, root)))
    before = await everything_in(database)

    with pytest.raises(NotThem):
        await house.services.wallets.refund(root, job.id, amount=None, why="sorry", key="k")

    assert await everything_in(database) == before


async def test_every_lot_pays_in_its_order_and_gets_back_exactly_what_it_gave(house: House) -> None:
    ann, dataset = await a_buyer(house), await a_ready_dataset(house, await somebody(house))
    lots = [await lots_of(house)]
    broken = await an_order(house, ann, dataset, steps="2000")
    lots.append(await lots_of(house))
    await finished(house, broken, BROKEN)
    lots.append(await lots_of(house))
    job = await finished(house, await an_order(house, ann, dataset, steps="2000"))
    for key, amount in (("a", 2), ("b", 4), ("c", None)):
        root = await somebody(house, "root")
        await house.services.wallets.refund(root, job.id, amount=amount, why="sorry", key=key)
        lots.append(await lots_of(house))

    assert lots == [(100, 6, 40), (0, 0, 36), (100, 6, 40), (0, 0, 38), (0, 2, 40), (100, 6, 40)]
    await prove_the_ledger(house.store)


async def test_what_was_shared_with_others_changes_nothing_in_what_can_be_paid_back(house: House) -> None:
    bob, root = await somebody(house, "bob"), await somebody(house, "root")
    model = await a_trained_model(house, bob)
    await house.services.models.publish(bob, model.id)
    ann = await a_buyer(house)
    await an_order(house, ann, await a_ready_dataset(house, ann, name="blip"), steps="1920")  # all but what was bought
    job = await finished(house, await imagined(house, ann, count=8))
    earned, seen = [], [await lots_of(house)]
    for key, amount in (("a", 3), ("b", 4), ("c", 1)):
        earned.append((await house.store.ledger.balance(earnings_pending(bob.account))).total)
        await house.services.wallets.refund(root, job.id, amount=amount, why="sorry", key=key)
        seen.append(await lots_of(house))

    assert seen == [(0, 0, 32), (0, 0, 35), (0, 0, 39), (0, 0, 40)]
    assert earned == [2, 1, 0]  # 30 percent of 8, of 5 and of 1
    with pytest.raises(BadValue):
        await house.services.wallets.refund(root, job.id, amount=1, why="sorry", key="d")
    receipt = await house.services.wallets.receipt(ann, job.id)
    assert sorted((one.act, one.amount) for one in receipt.transactions) == [
        (Act.CAPTURE, 8),
        (Act.HOLD, 8),
        (Act.REFUND, 1),
        (Act.REFUND, 3),
        (Act.REFUND, 4),
    ]
    await prove_the_ledger(house.store)
