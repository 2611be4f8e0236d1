"""What owners are told of what their models earned, and never by whom."""

from datetime import timedelta
from typing import Any

import pytest

from core.domain.account import Actor
from core.domain.ledger import SALES, Act, Balance, Lot, Transaction, between, debt, earnings, earnings_pending, qoints
from core.domain.model import Model
from core.domain.royalty import Rule, Terms, Usage
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.chats import labels, say
from tests.builders.entities import NOON, a_model
from tests.builders.scenes import everything_in, somebody

TERMS = Terms(percent=30, cap=500, holding_days=14)


async def a_model_of(house: House, owner: Actor, name: str = "zorp") -> Model:
    model = a_model(id=name, slug=name, owner=owner.account, owner_name=owner.name)
    await house.store.models.add(model)
    return model


async def a_use(house: House, model: Model, number: int = 1, **facts: Any) -> Usage:
    """Note a use, an hour after the one before."""
    wished: dict[str, Any] = {"id": f"g{number}:{model.id}", "generation": f"g{number}", "model": model.id}
    wished |= {"run": model.run, "owner": model.owner, "payer": "bob", "percent": 100, "rule": Rule.SHARED}
    usage = Usage(**(wished | {"terms": TERMS, "at": NOON + timedelta(hours=number)} | facts))
    await house.store.usages.add(usage)
    return usage


async def holds(house: House, owner: Actor, book: str, amount: int) -> None:
    """Let a ledger account hold so many purchased qoints."""
    key, entries = f"test:{book}", between(SALES, book, {Lot.PURCHASED: amount})
    await house.store.ledger.post(
        Transaction(id=key, act=Act.ROYALTY, owner=owner.account, why="a test", entries=entries, at=NOON)
    )


async def test_nothing_earned_is_said_so(house: House) -> None:
    reply = await say(house, await somebody(house), "earnings")

    assert reply.title == "0 qoints earned to use"
    assert reply.fields == (("pending", "0 qoints"), ("March 2026", "0.00 earned by 0 orders of others"))
    assert (reply.table, reply.lines, reply.buttons) == (None, (), ())


async def test_what_was_earned_is_told_by_model_and_month(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    one, two = await a_model_of(house, ann, "one"), await a_model_of(house, ann, "two")
    await a_use(house, one, 1, paid=12, share=360, pending=3, due=NOON + timedelta(days=45))
    await a_use(house, one, 2, paid=6, share=180, clawed=180, payer="cid")
    await a_use(house, two, 3, paid=12, share=180)
    await a_use(house, two, 900, paid=1, share=30)
    for book, amount in ((earnings_pending, 3), (earnings, 1), (debt, 2)):
        await holds(house, ann, book(ann.account), amount)

    clock.advance(timedelta(days=40))
    march, april = await say(house, ann, "earnings", month=" 2026-03 "), await say(house, ann, "earnings")

    assert march.title == "1 qoint earned to use"
    assert march.fields == (
        ("pending", "3 qoints, from 15 Apr on"),
        ("owed", "2 qoints, repaid by what you earn next"),
        ("March 2026", "7.20 earned by 3 orders of others"),
    )
    assert march.table
    assert march.table.rows == (
        ("ann/one", "2 × by 2 people", "5.40 (1.80 paid back)"),
        ("ann/two", "1 × by 1 person", "1.80"),
    )
    assert april.table
    assert april.table.rows == (("ann/two", "1 × by 1 person", "0.30"),)
    assert (labels(march), march.lines) == (["Into my wallet", "Pay out"], ())
    assert april.lines[0] == "08 Apr 00:00 · ann/two: 0.30, 30 % of 1 qoint"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"paid": 12, "share": 360}, "3.60, 30 % of 12 qoints"),
        ({"paid": 12, "share": 180}, "1.80, 30 % of 12 qoints, half of it for this model"),
        ({"paid": 10, "share": 100}, "1.00, 30 % of 10 qoints, 33 % of it for this model"),
        ({"paid": 6, "share": 180, "clawed": 180}, "1.80, 30 % of 6 qoints, the rest was paid back"),
        ({"paid": 0, "share": 0, "clawed": 360}, "nothing, the picture was paid back"),
        ({"paid": 12, "share": 20, "rule": Rule.CAPPED}, "0.20, less than 30 % of 12 qoints: daily cap reached"),
        ({"rule": Rule.OWN}, "nothing, your own picture"),
        ({"rule": Rule.RELATED}, "nothing, from an account that counts as your own"),
        ({"rule": Rule.OFF}, "nothing, this offering shares none of its price"),
        ({"rule": Rule.COPY}, "nothing, the same file as another model of the picture"),
        ({"rule": Rule.NOT_PURCHASED}, "nothing, paid with free points or granted qoints"),
    ],
)
async def test_every_use_says_why_it_earned_what_it_did(house: House, facts: dict[str, Any], words: str) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    await a_use(house, await a_model_of(house, ann), payer=bob.account, **facts)

    reply = await say(house, ann, "earnings")

    assert reply.lines == (f"01 Mar 13:00 · ann/zorp: {words}",)
    assert not any(name in str(reply) for name in ("bob", bob.account))


@pytest.mark.parametrize("month", ["2026", "2026-13", "March", "1999-01", "2026-3"])
async def test_a_month_is_year_and_month(house: House, month: str) -> None:
    assert (await say(house, await somebody(house), "earnings", month=month)).code == "bad_value"


async def test_admins_mark_two_accounts_as_one_household(house: House, database: Database) -> None:
    ann, bob, root = [await somebody(house, name) for name in ("ann", "bob", "root")]
    on = await say(house, root, "admin related", user="ann", other="bob")
    marked = [(await house.store.accounts.get(one.account)).related for one in (ann, bob)]
    off = await say(house, root, "admin related", user="bob", other="ann", state="off")
    unmarked = [(await house.store.accounts.get(one.account)).related for one in (ann, bob)]

    assert on.title == "ann and bob earn nothing from each other's pictures from now on"
    assert off.title == "bob and ann earn from each other's pictures from now on"
    assert (marked, unmarked) == ([(bob.account,), (ann.account,)], [(), ()])
    assert [row["act"] for row in (await everything_in(database))["audits"]] == ["admin.related"] * 2
    assert (await say(house, root, "admin related", user="ann", other="root")).code == "not_them"
    assert (await say(house, root, "admin related", user="ann", other="ann")).code == "not_them"
    assert (await say(house, ann, "admin related", user="ann", other="bob")).code == "not_allowed"
    assert await house.store.ledger.balance(qoints(ann.account)) == Balance(id=qoints(ann.account))
