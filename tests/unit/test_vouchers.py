"""Codes as people write them, what they may be issued with, and what redeeming one posts."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import BadValue, VoucherGone
from core.domain.ledger import MINT, SALES, Act, Balance, Lot, balances, purse
from core.domain.voucher import MOST, Voucher, purchase, require_bounds, shown, voucher_hash
from core.ports.clock import ALPHABET, RandomIds
from tests.builders.entities import NOON

codes = st.text(ALPHABET, min_size=26, max_size=26)


def a_voucher() -> Voucher:
    return Voucher(
        id="h", amount=5, lot=Lot.PURCHASED, issued_by="root", issued_at=NOON, expires_at=NOON + timedelta(days=1)
    )


@given(codes)
def test_a_code_is_shown_in_groups_and_found_however_it_is_typed(code: str) -> None:
    groups = shown(code).split("-")

    assert [len(group) for group in groups] == [4, 4, 5, 4, 4, 5]
    assert "".join(groups).casefold() == code
    typed = (shown(code), shown(code).lower(), code.upper(), f"  {shown(code).replace('-', ' ')} ")
    assert {voucher_hash(one) for one in typed} == {voucher_hash(code)}


@given(codes, codes)
def test_two_codes_have_two_names(one: str, other: str) -> None:
    assert (voucher_hash(one) == voucher_hash(other)) == (one == other)


def test_a_code_has_128_bits() -> None:
    assert len(ALPHABET) ** len(RandomIds().code()) > 2**128


def test_a_voucher_is_used_up_once_in_time_and_its_owner_finds_it_so() -> None:
    end = NOON + timedelta(days=1)
    used = a_voucher().redeemed(by="ann", now=end - timedelta(milliseconds=1))

    assert (used.redeemed_by, used.redeemed_at) == ("ann", end - timedelta(milliseconds=1))
    assert used.redeemed(by="ann", now=end) == used
    with pytest.raises(VoucherGone):
        used.redeemed(by="bob", now=NOON)
    with pytest.raises(VoucherGone):
        a_voucher().redeemed(by="ann", now=end)


@given(st.integers(1, MOST["amount"]), st.sampled_from([Lot.GRANTED, Lot.PURCHASED]))
def test_what_was_sold_comes_from_sales_and_a_gift_is_minted(amount: int, lot: Lot) -> None:
    posted = purchase(amount, lot, key="voucher:h", owner="ann", why="", now=NOON)
    source, act = {Lot.PURCHASED: (SALES, Act.PURCHASE), Lot.GRANTED: (MINT, Act.GRANT)}[lot]

    assert (posted.id, posted.act, posted.owner) == ("purchase:voucher:h", act, "ann")
    assert balances([posted]) == {
        name: Balance(id=name, **{lot.value: sign * amount}) for name, sign in ((source, -1), (purse("ann", lot), 1))
    }


@pytest.mark.parametrize("what", MOST)
def test_codes_are_issued_within_bounds(what: str) -> None:
    for number in (1, MOST[what]):
        require_bounds(**{what: number})
    for number in (-1, 0, MOST[what] + 1):
        with pytest.raises(BadValue):
            require_bounds(**{what: number})
