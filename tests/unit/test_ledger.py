from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.domain.errors import NotEnoughPoints
from core.domain.ledger import (
    MINT,
    REVENUE,
    Act,
    Balance,
    Currency,
    Entry,
    Lot,
    Transaction,
    balances,
    capture,
    divided,
    grant,
    held,
    hold,
    is_house,
    points,
    qoints,
    refill,
    release,
    spend,
    sums,
)
from tests.builders.entities import NOON

amounts = st.integers(0, 1000)
wallets = st.builds(Balance, id=st.just("ann"), free=amounts, granted=amounts, purchased=amounts)


def test_a_transaction_that_does_not_sum_to_zero_cannot_be_made() -> None:
    entries = (
        Entry(account=MINT, lot=Lot.FREE, amount=-5),
        Entry(account=points("ann"), lot=Lot.GRANTED, amount=5),
    )

    with pytest.raises(ValidationError, match="does not sum to zero"):
        Transaction(id="t", act=Act.GRANT, owner="ann", why="", entries=entries, at=NOON)


@given(wallets, st.integers(0, 3000))
def test_what_is_due_of_a_hold_is_spent_in_order_and_the_rest_goes_back(on_hold: Balance, due: int) -> None:
    taken, rest = divided(on_hold, due)

    assert taken.total == min(due, on_hold.total)
    assert {lot: taken.lots[lot] + rest.lots[lot] for lot in Lot} == on_hold.lots
    assert {lot: amount for lot, amount in taken.lots.items() if amount} == spend(on_hold, taken.total)


@given(wallets, st.integers(0, 4000))
def test_spending_takes_the_whole_price_points_first_then_granted_then_purchased(wallet: Balance, price: int) -> None:
    if wallet.total < price:
        with pytest.raises(NotEnoughPoints) as refused:
            spend(wallet, price)
        assert refused.value.missing == price - wallet.total
        return

    parts = spend(wallet, price)

    assert sum(parts.values()) == price
    assert all(0 < part <= wallet.lots[lot] for lot, part in parts.items())
    left = [amount - parts.get(lot, 0) for lot, amount in wallet.lots.items()]
    touched = [lot in parts for lot in wallet.lots]
    for earlier in range(3):
        assert left[earlier] == 0 or not any(touched[earlier + 1 :])


@given(wallets, st.data(), st.sampled_from([capture, release]))
def test_what_was_held_is_captured_or_goes_back_to_the_exact_lots(
    wallet: Balance, data: st.DataObject, ended: Callable[..., Transaction]
) -> None:
    price = data.draw(st.integers(0, wallet.total))
    set_aside = hold(wallet, price, owner="ann", job="j", why="a job", now=NOON)
    on_hold = balances([set_aside]).get(held("j"), Balance(id=held("j")))
    end = ended(on_hold, owner="ann", job="j", why="", now=NOON)

    after = balances([set_aside, end])

    assert after.get(held("j"), Balance(id=held("j"))) == Balance(id=held("j"))
    theirs = [row for row in after.values() if not is_house(row.id)]
    if ended is capture:
        assert sum(row.total for row in theirs) == -price
        assert after.get(REVENUE, Balance(id=REVENUE)).lots == on_hold.lots
    else:
        assert all(row.total == 0 and not any(row.lots.values()) for row in theirs)


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_refill_fills_up_to_the_cap_and_never_takes(free: int, cap: int) -> None:
    today = refill(Balance(id="ann", free=free), owner="ann", cap=cap, now=NOON)

    if free >= cap:
        assert today is None
    else:
        assert today is not None
        assert balances([today])[points("ann")].free == cap - free


def test_a_refill_has_one_key_a_day() -> None:
    empty = Balance(id="ann")
    days = [refill(empty, owner="ann", cap=100, now=NOON + timedelta(hours=hours)) for hours in (0, 11, 12)]

    assert [day.id for day in days if day] == [
        "refill:ann:2026-03-01",
        "refill:ann:2026-03-01",
        "refill:ann:2026-03-02",
    ]


def test_points_and_qoints_are_kept_apart() -> None:
    rows = balances([grant(5, key="g", owner="ann", why="", now=NOON)])

    assert rows[qoints("ann")] == Balance(id=qoints("ann"), granted=5)
    assert rows[qoints("ann")].qoints == 5
    assert {lot: lot.currency for lot in Lot} == {
        Lot.FREE: Currency.POINTS,
        Lot.GRANTED: Currency.QOINTS,
        Lot.PURCHASED: Currency.QOINTS,
    }


def test_the_moment_is_no_part_of_the_content_of_a_transaction() -> None:
    one = grant(5, key="g", owner="ann", why="", now=NOON)

    assert one.same_content(grant(5, key="g", owner="ann", why="", now=NOON + timedelta(days=1)))
    assert not one.same_content(grant(6, key="g", owner="ann", why="", now=NOON))


steps = st.lists(
    st.tuples(st.sampled_from(["grant", "refill", "hold", "capture", "release"]), st.sampled_from("ab"), amounts),
    max_size=25,
)


@given(steps)
def test_whatever_happens_the_ledger_sums_to_zero_and_nobody_owes(wished: list[tuple[str, str, int]]) -> None:
    book: list[Transaction] = []
    waiting: list[tuple[str, str]] = []
    for number, (act, owner, amount) in enumerate(wished):
        rows = balances(book)
        purse = Balance(
            id=owner,
            free=rows.get(points(owner), Balance(id="")).free,
            granted=rows.get(qoints(owner), Balance(id="")).granted,
        )
        job = f"j{number}"
        if act == "grant" and amount:
            book.append(grant(amount, key=job, owner=owner, why="", now=NOON))
        elif act == "refill" and (today := refill(purse, owner=owner, cap=100, now=NOON + timedelta(days=number))):
            book.append(today)
        elif act == "hold" and amount <= purse.total:
            book.append(hold(purse, amount, owner=owner, job=job, why="", now=NOON))
            waiting.append((owner, job))
        elif act in {"capture", "release"} and waiting:
            whose, ended = waiting.pop(0)
            on_hold = rows.get(held(ended), Balance(id=held(ended)))
            book.append((capture if act == "capture" else release)(on_hold, owner=whose, job=ended, why="", now=NOON))

    assert not any(sums(entry for one in book for entry in one.entries).values())
    rows = balances(book)
    assert all(amount >= 0 for row in rows.values() if not is_house(row.id) for amount in row.lots.values())
    open_holds = {held(job) for _, job in waiting}
    assert {name for name, row in rows.items() if name.startswith("hold:") and row.total} <= open_holds
    assert sum(sum(row.lots.values()) for row in rows.values()) == 0


def test_sums_are_counted_per_lot() -> None:
    entries = [Entry(account="a", lot=Lot.FREE, amount=2), Entry(account="b", lot=Lot.GRANTED, amount=-2)]

    assert sums(entries) == Counter({Lot.FREE: 2, Lot.GRANTED: -2})
