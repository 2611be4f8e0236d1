"""The proof of the books: a town's are sound, and whatever is changed in them is found and named."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from core.domain.ledger import (
    MINT,
    REVENUE,
    SALES,
    Act,
    Balance,
    Entry,
    Lot,
    Transaction,
    balances,
    between,
    earnings_pending,
    held,
    is_house,
    qoints,
)
from core.domain.payout import PayoutState
from core.domain.proof import Proof
from core.domain.value import Entity
from tests.builders.entities import NOON
from tests.builders.money import BYTES, Town

Rows = list[Entity]

OPEN = "for payouts that are open."


@pytest.fixture(scope="module")
def town() -> Town:
    """A town after some months: with debts, merges, and payouts of every kind."""
    town, dice = Town(), Random(4)
    while len(town.book.posted) < 1500:
        town.act(*dice.randbytes(BYTES))
    assert {one.act for one in town.book.posted.values()} == set(Act)
    return town


@pytest.fixture(scope="module")
def rows(town: Town) -> Rows:
    """All that is written down."""
    posted = list(town.book.posted.values())
    stored = [row for name, row in balances(posted).items() if not is_house(name)]
    nouns = (town.usages, town.remainders, town.payouts, town.accounts)
    return [*posted, *stored, *town.waiting.values(), *(row for noun in nouns for row in noun.all.values())]


def found(rows: Sequence[Entity]) -> list[str]:
    proof, about = Proof(), defaultdict[str | None, list[Transaction]](list)
    for row in rows:
        proof.read(row)
        if isinstance(row, Transaction):
            about[row.job].append(row)
    for job in sorted(proof.refunded):
        proof.read_refunded(job, about[job])
    return proof.findings()


def changed(rows: Rows, row: Entity, **facts: Any) -> Rows:
    """Give one row other facts."""
    assert any(one is row for one in rows)
    return [one.but(**facts) if one is row else one for one in rows]


def words(lots: Mapping[Lot, int], *, purchased: int = 0) -> str:
    return f"free {lots[Lot.FREE]}, granted {lots[Lot.GRANTED]}, purchased {lots[Lot.PURCHASED] + purchased}"


def first(rows: Rows, act: Act, *, last: bool = False) -> Transaction:
    all_of_it = [row for row in rows if isinstance(row, Transaction) and row.act is act]
    return all_of_it[-1 if last else 0]


def test_a_sound_house_in_any_order(rows: Rows) -> None:
    assert found(rows) == []
    assert found(Random(1).sample(rows, len(rows))) == []
    assert found([]) == []


def test_a_balance_that_was_edited_is_named_with_what_it_should_be(rows: Rows) -> None:
    row = next(row for row in rows if isinstance(row, Balance) and row.purchased and row.id.endswith(":qoints"))
    proved, edited = words(row.lots), words(row.lots, purchased=7)

    assert found(changed(rows, row, purchased=row.purchased + 7)) == [
        f"{row.id}: the ledger proves {proved}, the balance says {edited}."
    ]


def test_a_balance_out_of_nowhere_and_one_that_is_missing_are_named(rows: Rows) -> None:
    row = next(row for row in rows if isinstance(row, Balance) and row.granted and row.id.endswith(":qoints"))

    nothing = words(Balance(id="").lots)

    assert found([Balance(id="account:zoe:points", free=5)]) == [
        f"account:zoe:points: the ledger proves {nothing}, the balance says free 5, granted 0, purchased 0."
    ]
    assert found([one for one in rows if one is not row]) == [
        f"{row.id}: the ledger proves {words(row.lots)}, the balance says {nothing}."
    ]
    assert found([*rows, Balance(id="account:zoe:points")]) == []


@pytest.mark.parametrize("act", list(Act))
def test_a_transaction_that_is_gone_is_missed(rows: Rows, act: Act) -> None:
    gone = first(rows, act, last=True)
    left = found([row for row in rows if row != gone])

    touched = {entry.account for entry in gone.entries if not is_house(entry.account)}
    assert all(any(line.startswith(f"{name}: ") for line in left) for name in touched)


@pytest.mark.parametrize("act", list(Act))
def test_a_transaction_that_moves_more_and_still_sums_to_zero_is_found(rows: Rows, act: Act) -> None:
    one = first(rows, act, last=True)
    more = tuple(entry.but(amount=entry.amount * 2) for entry in one.entries)
    left = found(changed(rows, one, entries=more))

    touched = {entry.account for entry in one.entries if not is_house(entry.account)}
    assert all(any(line.startswith(f"{name}: ") for line in left) for name in touched)


def test_money_from_the_wrong_source_is_found_though_every_balance_is_right(rows: Rows) -> None:
    bought = first(rows, Act.PURCHASE)
    minted = tuple(entry.but(account=MINT) if entry.account == SALES else entry for entry in bought.entries)

    assert found(changed(rows, bought, entries=minted)) == [
        f"{bought.id}: no purchase of {bought.owner} moves purchased of {MINT}."
    ]


def test_money_that_goes_to_somebody_else_under_the_owners_name_is_found() -> None:
    entries = between(REVENUE, qoints("bob"), {Lot.GRANTED: 5})
    back = Transaction(id="refund:1", act=Act.REFUND, owner="ann", why="", entries=entries, at=NOON)

    assert "refund:1: no refund of ann moves granted of account:bob:qoints." in found([back])


def test_points_that_come_back_as_qoints_are_found() -> None:
    entries = between(held("j"), qoints("ann"), {Lot.FREE: 5})
    back = Transaction(id="release:j", act=Act.RELEASE, owner="ann", job="j", why="", entries=entries, at=NOON)

    assert "release:j: no release of ann moves free of account:ann:qoints." in found([back])


def test_the_hold_of_another_job_is_found() -> None:
    entries = between(held("j1"), REVENUE, {Lot.GRANTED: 5})
    taken = Transaction(id="capture:j2", act=Act.CAPTURE, owner="ann", job="j2", why="", entries=entries, at=NOON)

    assert "capture:j2: no capture of ann moves granted of hold:j1." in found([taken])


def test_whoever_has_less_than_nothing_is_found(rows: Rows) -> None:
    entries = (
        Entry(account=qoints("ann"), lot=Lot.GRANTED, amount=-5),
        Entry(account=MINT, lot=Lot.GRANTED, amount=5),
    )
    taken = Transaction(id="grant:1", act=Act.GRANT, owner="ann", why="", entries=entries, at=NOON)

    assert found([*rows, taken, Balance(id=qoints("ann"), granted=-5)]) == [
        "account:ann:qoints: the ledger proves free 0, granted -5, purchased 0: less than nothing."
    ]


def test_a_hold_that_an_ended_job_has_left_is_found(rows: Rows, town: Town) -> None:
    job = next(job for job in town.waiting.values() if job.price)

    assert found(changed(rows, job, state="cancelled")) == [
        f"hold:{job.id}: it holds {job.price}, and should hold 0 for jobs that have not ended."
    ]


def test_a_payout_whose_account_holds_another_amount_is_found(rows: Rows, town: Town) -> None:
    open_one = next(one for one in town.payouts.all.values() if one.state.open)
    paid = next(one for one in town.payouts.all.values() if one.state is PayoutState.PAID)
    out = sum(one.amount for one in town.payouts.all.values() if one.state is PayoutState.PAID)

    left = found(changed(rows, open_one, amount=open_one.amount + 1))
    assert left == [f"payout:{open_one.id}: it holds {open_one.amount}, and should hold {open_one.amount + 1} {OPEN}"]
    assert found(changed(rows, paid, amount=paid.amount + 1)) == [
        f"house:payouts: it holds {out}, and should hold {out + 1} for payouts that were paid."
    ]


def test_uses_that_do_not_add_up_with_the_ledger_are_found_to_the_hundredth(rows: Rows, town: Town) -> None:
    use = next(use for use in town.usages.all.values() if use.share and use.owner in town.people)
    kept = next(row for row in town.remainders.all.values() if row.hundredths)

    (more,) = found(changed(rows, use, share=use.share + 1))
    (less,) = found(changed(rows, kept, hundredths=kept.hundredths - 1))

    earned, credited, rest = re.findall(r"\d+\.\d\d", more)
    assert more.startswith(f"{use.owner}: uses have earned {earned} qoints, the ledger has credited {credited}, and ")
    assert Decimal(earned) == Decimal(credited) + Decimal(rest) + Decimal("0.01")
    earned, credited, rest = re.findall(r"\d+\.\d\d", less)
    assert less.startswith(f"{kept.id}: ")
    assert Decimal(earned) == Decimal(credited) + Decimal(rest) + Decimal("0.01")


def test_what_waits_with_the_uses_is_what_is_pending(rows: Rows, town: Town) -> None:
    use = next(use for use in town.usages.all.values() if use.pending)
    name, pending = earnings_pending(use.owner), town.book.total(earnings_pending(use.owner))

    assert found(changed(rows, use, pending=use.pending + 1)) == [
        f"{name}: it holds {pending}, and should hold {pending + 1} for uses in their holding period."
    ]


def test_more_paid_back_than_was_taken_is_found(rows: Rows) -> None:
    back = first(rows, Act.REFUND)
    entries = between(REVENUE, qoints(back.owner), {Lot.GRANTED: 1000})
    again = back.but(id="refund:again", entries=entries)

    assert any(line.startswith(f"{back.job}: more of the job was paid back") for line in found([*rows, again]))


def test_money_that_came_to_an_account_after_it_was_taken_over_is_found(rows: Rows, town: Town) -> None:
    gone = next(account for account in town.accounts.all.values() if account.merged_into)
    entries = between(MINT, qoints(gone.id), {Lot.GRANTED: 5})
    late = Transaction(id="grant:late", act=Act.GRANT, owner=gone.id, why="", entries=entries, at=NOON)

    assert found([*rows, late, Balance(id=qoints(gone.id), granted=5)])[-1] == (
        f"{qoints(gone.id)}: it holds 5, but {gone.merged_into} has taken over the account."
    )


def test_accounts_that_have_taken_over_each_other_are_no_trap(rows: Rows, town: Town) -> None:
    one, other = (town.accounts.all[name] for name in town.people[:2])
    circle = changed(changed(rows, one, merged_into=other.id), other, merged_into=one.id)

    assert any("has taken over the account" in line for line in found(circle))
