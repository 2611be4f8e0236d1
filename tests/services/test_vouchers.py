"""Codes: issued once, kept as hashes, each good for one person, and not to be guessed."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from core.domain.account import Actor
from core.domain.errors import (
    BadValue,
    DomainError,
    KeyReused,
    NotAllowed,
    NotFound,
    NothingToDo,
    TooOften,
    VoucherGone,
)
from core.domain.ledger import Act, Lot, Transaction
from core.domain.voucher import ATTEMPTS, voucher_hash
from core.ports.clock import HandClock
from core.services.vouchers import Issued
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.scenes import everything_in, prove_the_ledger, somebody

UNKNOWN = "aaaa-aaaa-aaaaa-aaaa-aaaa-aaaaa"


async def issued(house: House, *, key: str = "k", **wished: Any) -> Issued:
    root = await somebody(house, "root")
    return await house.services.vouchers.issue(
        root, **({"amount": 50, "count": 1, "days": 365, "sold": True} | wished), key=key
    )


async def a_code(house: House, **wished: Any) -> str:
    return (await issued(house, **wished)).codes[0]


async def tried(house: House, actor: Actor, code: str) -> Transaction | DomainError:
    try:
        return await house.services.wallets.redeem(actor, code)
    except DomainError as refused:
        return refused


def but_for_tries(rows: Mapping[str, list[Any]]) -> Mapping[str, list[Any]]:
    return {name: found for name, found in rows.items() if name != "allowances"}


async def test_codes_are_kept_as_hashes_and_audited_without_them(house: House, database: Database) -> None:
    made = await issued(house, count=20)
    rows = await everything_in(database)

    assert len(set(made.codes)) == 20
    assert {row["_id"] for row in rows["vouchers"]} == {voucher_hash(code) for code in made.codes}
    written = str(rows).casefold()
    assert not any(code.casefold() in written or code.casefold().replace("-", "") in written for code in made.codes)
    details = {"amount": "50", "count": "20", "days": "365", "lot": "purchased"}
    assert [(row["act"], row["details"]) for row in rows["audits"]] == [("admin.code", details)]


@pytest.mark.parametrize(
    ("sold", "act", "lot", "lots"),
    [(True, Act.PURCHASE, Lot.PURCHASED, (0, 50)), (False, Act.GRANT, Lot.GRANTED, (50, 0))],
)
async def test_a_sold_code_is_worth_purchased_qoints_and_a_gift_granted_ones(
    house: House, *, sold: bool, act: Act, lot: Lot, lots: tuple[int, int]
) -> None:
    ann, made = await somebody(house), await issued(house, sold=sold)
    paid = await house.services.wallets.redeem(ann, made.codes[0].lower().replace("-", " "))
    wallet = await house.services.wallets.view(ann)

    assert (made.lot, (wallet.granted, wallet.purchased)) == (lot, lots)
    assert (paid.id, paid.act, paid.amount) == (f"purchase:voucher:{voucher_hash(made.codes[0])}", act, 50)
    await prove_the_ledger(house.store)


async def test_pressing_twice_is_the_same_answer_and_pays_once(house: House, clock: HandClock) -> None:
    ann, code = await somebody(house), await a_code(house)
    at_once = await asyncio.gather(*(tried(house, ann, code) for _ in range(3)))
    clock.advance(timedelta(days=366))
    later = await tried(house, ann, code)

    assert at_once == [later] * 3
    assert isinstance(later, Transaction)
    assert (await house.services.wallets.view(ann)).purchased == 50
    await prove_the_ledger(house.store)


async def test_of_many_who_redeem_a_code_at_once_exactly_one_does(house: House) -> None:
    people, code = [await somebody(house, f"p{number}") for number in range(6)], await a_code(house)

    done = await asyncio.gather(*(tried(house, one, code) for one in people))

    assert sorted(type(one).__name__ for one in done) == ["Transaction", *["VoucherGone"] * 5]
    wallets = [await house.services.wallets.view(one) for one in people]
    assert sorted(wallet.purchased for wallet in wallets) == [0, 0, 0, 0, 0, 50]
    await prove_the_ledger(house.store)


async def test_whatever_is_wrong_with_a_code_the_words_are_the_same_and_nothing_is_written(
    house: House, database: Database, clock: HandClock
) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    used, expired = await a_code(house, key="a", days=3), await a_code(house, key="b", days=1)
    await house.services.wallets.redeem(bob, used)
    clock.advance(timedelta(days=1))
    before = but_for_tries(await everything_in(database))

    refused = [await tried(house, ann, code) for code in (used, expired, UNKNOWN, "")]

    assert [type(one) for one in refused] == [VoucherGone] * 4
    assert len({str(one) for one in refused}) == 1
    assert but_for_tries(await everything_in(database)) == before


async def test_guessing_ends_after_five_tries_an_hour_whatever_comes_at_once(house: House, clock: HandClock) -> None:
    ann, bob, code = await somebody(house), await somebody(house, "bob"), await a_code(house)
    guesses = await asyncio.gather(*(tried(house, ann, f"{UNKNOWN}{number}") for number in range(8)))

    assert sorted(type(one).__name__ for one in guesses) == ["TooOften"] * 3 + ["VoucherGone"] * ATTEMPTS.times
    with pytest.raises(TooOften):
        await house.services.wallets.redeem(ann, code)
    with pytest.raises(VoucherGone):
        await house.services.wallets.redeem(bob, UNKNOWN)  # what others try is counted apart
    clock.advance(ATTEMPTS.per)
    assert (await house.services.wallets.redeem(ann, code)).amount == 50


async def test_a_key_issues_codes_once_and_shows_them_to_nobody_again(house: House, database: Database) -> None:
    at_once = await asyncio.gather(*(issued(house, count=3) for _ in range(4)), return_exceptions=True)
    before = await everything_in(database)

    assert sorted(type(one).__name__ for one in at_once) == ["Issued", *["NothingToDo"] * 3]
    assert len(before["vouchers"]) == 3
    with pytest.raises(NothingToDo):
        await issued(house, count=3)
    with pytest.raises(KeyReused):
        await issued(house, count=4)
    assert await everything_in(database) == before


async def test_codes_that_cannot_be_issued_write_nothing(house: House, database: Database) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    good: dict[str, Any] = {"amount": 5, "count": 1, "days": 1, "sold": True, "key": "k"}
    before = await everything_in(database)

    for actor, wrong, error in (
        (ann, {}, NotAllowed),
        (root, {"amount": 0}, BadValue),
        (root, {"amount": 100_001}, BadValue),
        (root, {"count": 0}, BadValue),
        (root, {"count": 21}, BadValue),
        (root, {"days": 0}, BadValue),
        (root, {"days": 10**9}, BadValue),
    ):
        with pytest.raises(error):
            await house.services.vouchers.issue(actor, **(good | wrong))

    assert await everything_in(database) == before


async def test_there_is_no_other_way_to_pay(house: House) -> None:
    with pytest.raises(NotFound):
        await house.services.wallets.redeem(await somebody(house), UNKNOWN, provider="stones")
