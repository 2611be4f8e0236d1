"""Who earns how much of a picture, and how it moves: without a database."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.account import Account, Role
from core.domain.ledger import (
    DEBTS,
    RESERVE,
    REVENUE,
    Act,
    Balance,
    Transaction,
    balances,
    debt,
    earnings,
    earnings_pending,
    is_house,
    sums,
)
from core.domain.royalty import (
    HUNDREDTHS,
    Part,
    Rule,
    Terms,
    Usage,
    accrued,
    clawed_back,
    losses,
    lowered,
    matured,
    rounded,
    shown,
    split,
    used,
)
from tests.builders.entities import HOME, NOON

TERMS = Terms(percent=30, cap=500, holding_days=14)
PLENTY = 10**9
pools = st.integers(0, 10**6)
weights = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 200), min_size=1)
amounts = st.integers(0, 1000)


def a_part(model: str = "m1", **facts: Any) -> Part:
    return Part(
        **({"model": model, "run": "j1", "owner": f"owner of {model}", "sha256": model, "percent": 100} | facts)
    )


def a_usage(model: str = "m1", **facts: Any) -> Usage:
    wished: dict[str, Any] = {"id": f"g1:{model}", "generation": "g1", "model": model, "run": "j1", "owner": "ann"}
    wished |= {"payer": "bob", "percent": 100, "rule": Rule.SHARED, "terms": TERMS, "at": NOON}
    return Usage(**(wished | facts))


def shares(*parts: Part, paid: int = 100, **facts: Any) -> dict[str, tuple[Rule, int]]:
    wished: dict[str, Any] = {"generation": "g1", "payer": "bob", "related": (), "room": PLENTY, "terms": TERMS}
    return {one.model: (one.rule, one.share) for one in used(parts, paid=paid, now=NOON, **(wished | facts))}


@given(pools, weights)
def test_shares_sum_exactly_to_the_pool_and_are_within_one_of_what_is_due(pool: int, weights: dict[str, int]) -> None:
    parts = split(pool, weights)

    assert sum(parts.values()) == pool
    assert all(
        abs(part * sum(weights.values()) - pool * weights[name]) < sum(weights.values()) for name, part in parts.items()
    )
    assert split(pool, dict(reversed(weights.items()))) == parts


@pytest.mark.parametrize(
    ("pool", "weights", "parts"),
    [
        (100, {"b": 1, "a": 1, "c": 1}, {"a": 34, "b": 33, "c": 33}),  # a tie goes by name
        (200, {"a": 1, "b": 1, "c": 1}, {"a": 67, "b": 67, "c": 66}),
        (10, {"a": 70, "b": 26, "c": 4}, {"a": 7, "b": 3, "c": 0}),  # 0.6 is the largest remainder
        (7, {"a": 0}, {"a": 0}),
        (0, {}, {}),
    ],
)
def test_the_largest_remainder_gets_what_is_left(pool: int, weights: dict[str, int], parts: dict[str, int]) -> None:
    assert split(pool, weights) == parts


def test_a_share_is_split_by_strength_among_others_models_only() -> None:
    mine, hers, his = a_part("a", owner="bob", percent=200), a_part("b", percent=100), a_part("c", percent=50)

    assert shares(mine, hers, his) == {"a": (Rule.OWN, 0), "b": (Rule.SHARED, 2000), "c": (Rule.SHARED, 1000)}


@pytest.mark.parametrize(
    ("rule", "part", "facts"),
    [
        (Rule.OWN, a_part(owner="bob"), {}),
        (Rule.OWN, a_part(owner="bob"), {"paid": 0, "related": {"bob"}}),
        (Rule.RELATED, a_part(owner="ann"), {"related": {"ann"}}),
        (Rule.OFF, a_part(), {"terms": TERMS.but(percent=0)}),
        (Rule.NOT_PURCHASED, a_part(), {"paid": 0}),
        (Rule.CAPPED, a_part(), {"room": 0}),
    ],
)
def test_why_nothing_is_earned(rule: Rule, part: Part, facts: dict[str, Any]) -> None:
    assert shares(part, **facts) == {"m1": (rule, 0)}


def test_the_same_file_twice_earns_once_for_whoever_had_it_first() -> None:
    stuffed = [a_part(f"copy {number}", sha256="zorp", owner="eve") for number in range(3)]

    first, *others = shares(a_part("zorp", owner="ann"), *stuffed).values()

    assert first == (Rule.SHARED, 3000)
    assert others == [(Rule.COPY, 0)] * 3


def test_a_pool_shrinks_to_what_the_payer_may_still_earn_others_today() -> None:
    assert shares(a_part("a"), a_part("b"), room=3000) == {"a": (Rule.SHARED, 1500), "b": (Rule.SHARED, 1500)}
    assert shares(a_part("a"), a_part("b"), room=2999) == {"a": (Rule.CAPPED, 1500), "b": (Rule.CAPPED, 1499)}


def test_accounts_are_related_when_either_is_marked() -> None:
    ann, bob = (Account(id=name, name=name, role=Role.USER, home=HOME, created_at=NOON) for name in ("ann", "bob"))
    marked = ann.marked("bob", related=True)

    assert not ann.is_related(bob)
    assert marked.is_related(bob)
    assert bob.is_related(marked)
    assert marked.marked("bob", related=True) == marked
    assert marked.marked("bob", related=False) == ann


@given(st.lists(st.integers(-5000, 5000)))
def test_many_small_amounts_bring_exactly_as_much_as_one_large_one(changes: list[int]) -> None:
    whole, rest = 0, 0
    for change in changes:
        moved, rest = rounded(rest, change)
        whole += moved

    assert (whole, rest) == rounded(0, sum(changes))
    assert 0 <= rest < HUNDREDTHS


@given(st.lists(st.integers(0, 300), min_size=1, max_size=6), st.integers(0, 100), st.data())
def test_what_is_paid_back_leaves_exactly_the_pool_of_what_is_still_paid(
    strengths: list[int], paid: int, data: st.DataObject
) -> None:
    parts = [a_part(f"m{number}", percent=strength + 1) for number, strength in enumerate(strengths)]
    room = data.draw(st.integers(0, 3000))
    usages = list(used(parts, generation="g", payer="bob", related=(), paid=paid, room=room, terms=TERMS, now=NOON))
    while paid:
        paid = data.draw(st.integers(0, paid - 1))
        lost = losses(usages, paid=paid)
        usages = [
            one.but(paid=paid, share=one.share - lost[one.model], clawed=one.clawed + lost[one.model]) for one in usages
        ]

        assert all(loss >= 0 for loss in lost.values())
        assert all(one.share >= 0 for one in usages)
        assert sum(one.share for one in usages) == min(room, paid * TERMS.percent)


steps = st.lists(st.tuples(st.sampled_from(["accrue", "mature", "claw back"]), st.integers(1, 50)), max_size=30)


@given(steps)
def test_whatever_comes_and_goes_the_owner_has_what_was_earned_less_what_was_taken(
    wished: list[tuple[str, int]],
) -> None:
    book: list[Transaction] = []
    came, went = 0, 0
    for number, (act, amount) in enumerate(wished):
        rows = balances(book)
        pending, earned, owed = (
            rows.get(name) or Balance(id=name) for name in (earnings_pending("ann"), earnings("ann"), debt("ann"))
        )
        if act == "accrue":
            book.append(accrued(amount, owed, owner="ann", key=f"{number}:m", why="", now=NOON))
            came += amount
        elif act == "mature":
            due = min(amount, pending.purchased)
            book.append(matured(due, owed, owner="ann", key=f"{number}", why="", now=NOON))
        else:
            back = clawed_back(amount, pending, earned, owner="ann", key=f"{number}", why="", now=NOON)
            book.append(back)
            went += amount

    assert all(not any(sums(one.entries).values()) for one in book)
    rows = balances(book)
    assert all(amount >= 0 for row in rows.values() if not is_house(row.id) for amount in row.lots.values())
    pending, earned, owed = (
        rows.get(name) or Balance(id=name) for name in (earnings_pending("ann"), earnings("ann"), debt("ann"))
    )
    assert pending.total + earned.total - owed.total == came - went
    assert not (owed.total and pending.total + earned.total)
    house = [rows.get(name, Balance(id=name)).total for name in (REVENUE, RESERVE, DEBTS)]
    assert house == [went - came, -owed.total, -owed.total] if owed.total else house[1:] == [0, 0]


def test_a_debt_is_what_neither_pending_nor_earned_covers_and_is_repaid_first() -> None:
    purses = (Balance(id=earnings_pending("ann"), purchased=3), Balance(id=earnings("ann"), purchased=4))
    back = clawed_back(10, *purses, owner="ann", key="g:m:0", why="", now=NOON)
    owed = Balance(id=debt("ann"), purchased=back.change(debt("ann")))
    again = accrued(5, owed, owner="ann", key="g2:m", why="", now=NOON)

    names = (earnings_pending("ann"), earnings("ann"), debt("ann"), REVENUE, RESERVE, DEBTS)
    assert (back.id, back.act) == ("clawback:g:m:0", Act.CLAWBACK)
    assert [back.change(name) for name in names] == [-3, -4, 3, 10, -3, -3]
    assert (again.id, again.act) == ("royalty:g2:m", Act.ROYALTY)
    assert [again.change(name) for name in names] == [2, 0, -3, -5, 3, 3]


def test_what_matures_repays_first_too() -> None:
    moved = matured(5, Balance(id=debt("ann"), purchased=2), owner="ann", key="g:m", why="", now=NOON)

    assert (moved.id, moved.act) == ("mature:g:m", Act.MATURE)
    assert [moved.change(name) for name in (earnings_pending("ann"), earnings("ann"), debt("ann"))] == [-5, 3, -2]


@given(st.lists(st.integers(0, 5), max_size=6), amounts)
def test_what_is_taken_of_the_pending_is_noted_with_the_first_uses_that_have_some(has: list[int], amount: int) -> None:
    due = NOON + timedelta(days=14)
    waiting = {
        str(number): a_usage(str(number), pending=one, due=due if one else None) for number, one in enumerate(has)
    }

    changed = lowered(waiting.values(), amount)

    after = waiting | {one.model: one for one in changed}
    assert sum(one.pending for one in after.values()) == max(0, sum(has) - amount)
    assert all((one.due == due) == (one.pending > 0) for one in after.values())
    assert len(changed) <= amount


@pytest.mark.parametrize(("hundredths", "text"), [(0, "0.00"), (5, "0.05"), (125, "1.25"), (123456, "1234.56")])
def test_hundredths_are_shown_as_people_write_them(hundredths: int, text: str) -> None:
    assert shown(hundredths) == text
