"""Payouts: what each state is reached from, who may take which step, and that no step loses or makes money."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.account import Account, Role
from core.domain.claim import COLUMNS, Claim, news, table
from core.domain.errors import (
    BadValue,
    FourEyes,
    NotEnoughEarned,
    NotThem,
    PayoutFrozen,
    PayoutMoved,
)
from core.domain.ledger import (
    PAID_OUT,
    REVENUE,
    Act,
    Balance,
    Lot,
    Transaction,
    balances,
    between,
    debt,
    earnings,
    is_house,
    qoints,
    sums,
)
from core.domain.payout import (
    BEFORE,
    FROZEN,
    LENGTH,
    WINDOW,
    Circumstances,
    Payout,
    PayoutState,
    line,
    posting,
    require_earned,
    set_aside,
    spent,
    takes_two,
)
from core.domain.royalty import clawed_back
from tests.builders.entities import HOME, NOON


def an_account(name: str = "ann", **facts: Any) -> Account:
    wished: dict[str, Any] = {"id": name, "name": name, "role": Role.USER, "home": HOME, "created_at": NOON}
    return Account(**(wished | facts))


def a_payout(**facts: Any) -> Payout:
    wished: dict[str, Any] = {"id": "p1", "owner": "ann", "amount": 500, "to": "ann@bank"}
    return Payout(**(wished | {"requested_at": NOON, "updated_at": NOON} | facts))


def seen(**facts: Any) -> Circumstances:
    wished: dict[str, Any] = {"by": an_account("root"), "owner": an_account()}
    return Circumstances(**(wished | facts))


@pytest.mark.parametrize("state", PayoutState)
@pytest.mark.parametrize("wished", PayoutState)
def test_each_state_is_reached_from_one_other(state: PayoutState, wished: PayoutState) -> None:
    payout = a_payout(state=state)

    if BEFORE[wished] is state:
        assert payout.stepped(wished, seen(), note="so", now=NOON).state is wished
        return
    with pytest.raises(PayoutMoved) as refused:
        payout.stepped(wished, seen(), note="so", now=NOON)
    assert (refused.value.state, refused.value.needed) == (state, BEFORE[wished])


def test_a_payout_remembers_who_did_what_and_a_new_round_begins_afresh() -> None:
    later = NOON + timedelta(days=1)
    approved = a_payout().stepped(PayoutState.APPROVED, seen(), now=later)
    paid = approved.stepped(PayoutState.PAID, seen(by=an_account("eve")), note="TX 1", now=later)
    failed = approved.stepped(PayoutState.FAILED, seen(), note="no such bank", now=later)
    again = failed.stepped(PayoutState.REQUESTED, seen(by=an_account()), now=later)

    assert approved == a_payout(state="approved", approved_by="root", approved_at=later, updated_at=later)
    assert paid == approved.but(state="paid", paid_by="eve", paid_at=later, reference="TX 1")
    assert failed == approved.but(state="failed", reason="no such bank")
    assert again == a_payout(round=2, requested_at=later, updated_at=later)


decisions = [PayoutState.APPROVED, PayoutState.REJECTED, PayoutState.PAID, PayoutState.FAILED]


@pytest.mark.parametrize("state", decisions)
@pytest.mark.parametrize(
    "who",
    [
        {"by": an_account()},
        {"by": an_account("root", related=("ann",))},
        {"by": an_account("root"), "owner": an_account(related=("root",))},
    ],
)
def test_nobody_decides_about_their_own_nor_about_that_of_somebody_related(
    state: PayoutState, who: dict[str, Any]
) -> None:
    with pytest.raises(FourEyes):
        a_payout(state=BEFORE[state]).stepped(state, seen(**who), now=NOON)


@pytest.mark.parametrize("state", decisions)
@pytest.mark.parametrize(
    ("facts", "refused"),
    [
        ({"owner": an_account(banned="rude")}, NotThem),
        ({"owed": 1}, NotThem),
        ({"owner": an_account(merged_at=NOON - FROZEN + timedelta(seconds=1))}, PayoutFrozen),
        ({"owner": an_account(merged_at=NOON - FROZEN)}, None),
    ],
)
def test_money_goes_to_nobody_banned_in_debt_or_just_merged_and_can_always_be_given_back(
    state: PayoutState, facts: dict[str, Any], refused: type[Exception] | None
) -> None:
    before = a_payout(state=BEFORE[state])

    if refused and state in {PayoutState.APPROVED, PayoutState.PAID}:
        with pytest.raises(refused):
            before.stepped(state, seen(**facts), now=NOON)
    else:
        assert before.stepped(state, seen(**facts), now=NOON).state is state


@pytest.mark.parametrize(
    ("by", "four_eyes", "passes"),
    [
        (an_account("root"), False, True),
        (an_account("root"), True, False),
        (an_account("eve"), True, True),
        (an_account("eve", related=("root",)), True, False),
    ],
)
def test_above_the_sum_the_payer_is_not_the_approver(by: Account, four_eyes: bool, passes: bool) -> None:  # noqa: FBT001 - a case
    approved = a_payout(state=PayoutState.APPROVED, approved_by="root")
    facts = seen(by=by, approver=an_account("root"), four_eyes=four_eyes)

    if passes:
        assert approved.stepped(PayoutState.PAID, facts, note="TX 1", now=NOON).paid_by == by.id
    else:
        with pytest.raises(FourEyes):
            approved.stepped(PayoutState.PAID, facts, note="TX 1", now=NOON)


moments = st.integers(-40, 40).map(lambda days: NOON + timedelta(days=days))


@given(
    st.lists(st.tuples(st.integers(1, 500), st.sampled_from(PayoutState), moments), max_size=6), st.integers(0, 2000)
)
def test_whatever_an_owner_asked_for_in_the_window_counts_unless_it_came_back(
    rows: list[tuple[int, PayoutState, datetime]], above: int
) -> None:
    payout = a_payout()
    others = [
        a_payout(id=f"o{number}", amount=amount, state=state, requested_at=moment)
        for number, (amount, state, moment) in enumerate(rows)
    ]
    back = {PayoutState.REJECTED, PayoutState.CANCELLED, PayoutState.FAILED}
    total = payout.amount + sum(
        amount for amount, state, moment in rows if state not in back and moment >= NOON - WINDOW
    )

    assert takes_two(payout, others, above=above) == (total > above)
    assert takes_two(payout, [payout, *others], above=above) == (total > above)


@given(st.integers(1, 1000), st.integers(0, 1500), st.integers(0, 600), st.lists(st.sampled_from(PayoutState)))
def test_whatever_steps_are_taken_the_amount_lies_in_one_place(
    amount: int, earned: int, clawed: int, wished: list[PayoutState]
) -> None:
    """Play any steps, with a clawback after the first; what cannot be is refused and moves nothing."""
    entries = between(REVENUE, earnings("ann"), {Lot.PURCHASED: amount + earned})
    book = [Transaction(id="r", act=Act.ROYALTY, owner="ann", why="", entries=entries, at=NOON)]
    payout = a_payout(amount=amount)

    def row(name: str) -> Balance:
        return balances(book).get(name) or Balance(id=name)

    def keep(moved: Transaction | None) -> None:
        book.extend([moved] if moved else [])

    keep(posting(payout, debt=row(debt("ann"))))
    if clawed:
        pending = Balance(id="")
        keep(clawed_back(clawed, pending, row(earnings("ann")), owner="ann", key="c", why="", now=NOON))
    for state in wished:
        free, owed = row(earnings("ann")).purchased, row(debt("ann")).purchased
        try:
            stepped = payout.stepped(state, seen(owed=owed), note="so", now=NOON)
            if state is PayoutState.REQUESTED:
                require_earned(payout.amount, earned=free, owed=owed, least=1)
        except (PayoutMoved, NotEnoughEarned, NotThem):
            continue
        payout = stepped
        keep(posting(payout, debt=row(debt("ann"))))

        left = row(earnings("ann")).purchased - row(debt("ann")).purchased
        assert row(set_aside("p1")).purchased == (amount if payout.state.open else 0)
        assert row(PAID_OUT).purchased == (amount if payout.state is PayoutState.PAID else 0)
        assert left + row(set_aside("p1")).purchased + row(PAID_OUT).purchased == amount + earned - clawed

    assert len({one.id for one in book}) == len(book)
    assert not any(sums(entry for one in book for entry in one.entries).values())
    people = [one for name, one in balances(book).items() if not is_house(name)]
    assert all(one.free == one.granted == 0 <= one.purchased for one in people)


def test_what_is_spent_turns_from_purchased_into_granted() -> None:
    rows = balances([spent(30, key="k", owner="ann", now=NOON)])

    assert rows[earnings("ann")] == Balance(id=earnings("ann"), purchased=-30)
    assert rows[qoints("ann")] == Balance(id=qoints("ann"), granted=30)
    assert rows[REVENUE] == Balance(id=REVENUE, purchased=30)


@pytest.mark.parametrize(
    ("wished", "owed", "words"),
    [
        (101, 0, "You have 100 earned that you can use now, and 101 is more than that. See `earnings`."),
        (9, 0, "You have 100 earned that you can use now, and 9 is less than 10, the least. See `earnings`."),
        (-5, 0, "You have 100 earned that you can use now, and -5 is less than 10, the least. See `earnings`."),
        (
            50,
            7,
            (
                "You have 100 earned that you can use now, and 50 is not to be had while you owe 7: "
                "what your models earn next repays it. See `earnings`."
            ),
        ),
        (10, 0, ""),
        (100, 0, ""),
    ],
)
def test_one_takes_what_one_has_and_not_too_little(wished: int, owed: int, words: str) -> None:
    said = ""
    try:
        require_earned(wished, earned=100, owed=owed, least=10)
    except NotEnoughEarned as refused:
        said = str(refused)

    assert said == words


@given(st.text(max_size=2 * LENGTH))
def test_a_line_is_one_line_that_can_be_seen_or_refused(text: str) -> None:
    try:
        said = line(text, what="address")
    except BadValue:
        return
    assert said == " ".join(text.split())
    assert 0 < len(said) <= LENGTH
    assert len(said.splitlines()) == 1
    assert said.isprintable()


@pytest.mark.parametrize("text", ["", " \n ", "x" * 201, "iban\u202e321", "a\x00b", "zero\u200bwidth"])
def test_what_cannot_be_seen_is_no_address(text: str) -> None:
    with pytest.raises(BadValue):
        line(text, what="address")


def test_the_file_for_whoever_pays_has_a_row_for_each() -> None:
    payout = a_payout(to="=cmd()", state=PayoutState.APPROVED, approved_by="root", approved_at=NOON)
    claim = Claim.of(payout, seen(approver=an_account("root")), payer=None, now=NOON + timedelta(days=3))
    header, row = csv.reader(io.StringIO(table([claim]).decode(), newline=""))

    noon = "2026-03-01T12:00:00+00:00"
    assert tuple(header) == COLUMNS
    assert row == ["p1", "ann", "500", "'=cmd()", "approved", noon, noon, "root", "", "", "", ""]
    assert (claim.days, claim.hindrance) == (3, "")


@pytest.mark.parametrize("state", PayoutState)
def test_the_owner_is_told_of_each_step_but_never_where_the_money_goes(state: PayoutState) -> None:
    notice = news(a_payout(state=state, reason="why {to}", reference="TX"), an_account())

    assert (notice.account, notice.place) == ("ann", HOME)
    assert "500" in notice.details["title"]
    assert "ann@bank" not in str(notice.details)
