"""Codes and merges, without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.account import Account, Role
from core.domain.errors import CannotMerge
from core.domain.ledger import REVENUE, Balance, balances, books, earnings, sums
from core.domain.link import CODE_LENGTH, code_hash, merge, merged, require_apart, shown
from core.ports.clock import ALPHABET
from tests.builders.entities import HOME, NOON

codes = st.text(ALPHABET, min_size=CODE_LENGTH, max_size=CODE_LENGTH)
amounts = st.integers(0, 10**6)
purses = st.builds(Balance, id=st.just("any"), free=amounts, granted=amounts, purchased=amounts)


def an_account(name: str = "ann", **facts: object) -> Account:
    return Account(id=name, name=name, role=Role.USER, home=HOME, created_at=NOON).but(**facts)


@given(codes)
def test_a_code_is_known_however_it_is_typed(code: str) -> None:
    typed = (shown(code), shown(code).lower(), f" {code[:3]} {code[3:]}\n", code.upper())

    assert {code_hash(one) for one in typed} == {code_hash(code)}
    assert len(shown(code)) == CODE_LENGTH + 1
    assert code not in code_hash(code)


@given(codes, codes)
def test_two_codes_have_two_hashes(one: str, other: str) -> None:
    assert (code_hash(one) == code_hash(other)) == (one == other)


@given(st.lists(purses, min_size=5, max_size=5), st.integers(0, 1))
def test_all_books_keep_every_lot_through_a_merge_and_the_ledger_sums_to_zero(
    had: list[Balance], rounding: int
) -> None:
    rows = [row.but(id=name) for row, name in zip(had, books("old"), strict=True)]
    moved = merge(rows, rounding=rounding, old="old", new="new", why="linked", now=NOON)
    after = balances([moved])

    assert (moved.id, moved.owner, moved.amount) == ("merge:old", "new", sum(row.total for row in rows) + rounding)
    assert not any(sums(moved.entries).values())
    for row, name in zip(rows, books("new"), strict=True):
        gone, here = (after.get(one, Balance(id=one)) for one in (row.id, name))
        extra = rounding if name == earnings("new") else 0
        assert {lot: -amount for lot, amount in gone.lots.items()} == row.lots
        assert here == row.but(id=name, purchased=row.purchased + extra)
    assert moved.change(REVENUE) == -rounding


@given(st.sampled_from(Role), st.sampled_from(Role))
def test_the_account_that_stays_has_the_higher_role(one: Role, other: Role) -> None:
    staying, gone = merged(an_account(role=one), an_account("bob", role=other), now=NOON)

    assert staying == an_account(role=max(one, other, key=list(Role).index), merged_at=NOON)
    assert gone == an_account("bob", role=other, merged_into="ann")


def test_whoever_is_related_to_either_is_related_to_the_one_that_stays() -> None:
    staying, gone = merged(
        an_account(related=("bob", "dan")), an_account("bob", related=("ann", "cid", "dan")), now=NOON
    )

    assert (staying.related, gone.related) == (("cid", "dan"), ())


@pytest.mark.parametrize("banned", [("ann",), ("bob",), ("ann", "bob")])
def test_nobody_escapes_a_ban_by_linking(banned: tuple[str, ...]) -> None:
    ann, bob = (an_account(name, banned="spam" if name in banned else None) for name in ("ann", "bob"))

    with pytest.raises(CannotMerge):
        merged(ann, bob, now=NOON)


def test_things_of_one_name_are_named() -> None:
    require_apart("dataset", ["a", "b"], ["c"])

    with pytest.raises(CannotMerge) as refused:
        require_apart("dataset", ["b", "a", "c"], ["c", "d", "b"])

    assert refused.value.why == "both have a dataset «b», «c». Delete or rename one of them first."
