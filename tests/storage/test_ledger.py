"""The ledger over the wire: keys, balances, and many who spend at once."""

import asyncio
from random import Random

import pytest

from core.domain.errors import KeyReused, NotEnoughPoints, Overdrawn
from core.domain.ledger import (
    Act,
    Balance,
    Entry,
    Lot,
    Transaction,
    balances,
    capture,
    grant,
    held,
    hold,
    is_house,
    points,
    qoints,
    refill,
    release,
)
from core.kinds import wallet
from core.ports.store import Repositories, Store
from storage.repositories.entities import Database
from tests.builders.entities import NOON
from tests.builders.money import BYTES, Town
from tests.builders.scenes import everything_in


async def posted(store: Store, transaction: Transaction) -> Transaction:
    return await store.transact(lambda tx: tx.ledger.post(transaction))


def granted(amount: int, *, key: str = "k") -> Transaction:
    return grant(amount, key=key, owner="ann", why="a test", now=NOON)


async def test_a_key_posts_once_however_often_it_comes(store: Store) -> None:
    one = granted(50)

    again = await asyncio.gather(*(posted(store, one) for _ in range(6)))

    assert again == [one] * 6
    assert await store.ledger.balance(qoints("ann")) == Balance(id=qoints("ann"), granted=50)


async def test_a_key_with_other_content_is_refused_and_writes_nothing(store: Store, database: Database) -> None:
    await posted(store, granted(50))
    before = await everything_in(database)

    with pytest.raises(KeyReused):
        await posted(store, granted(51))

    assert await everything_in(database) == before


async def test_the_first_posting_under_a_key_is_the_answer(store: Store) -> None:
    first = await posted(store, granted(50))
    later = first.but(at=NOON.replace(hour=13))

    assert await posted(store, later) == first


async def test_nobody_can_owe_and_a_refused_posting_writes_nothing(store: Store, database: Database) -> None:
    await posted(store, granted(5))
    before = await everything_in(database)
    entries = (
        Entry(account="house:revenue", lot=Lot.GRANTED, amount=6),
        Entry(account=qoints("ann"), lot=Lot.GRANTED, amount=-6),
    )

    with pytest.raises(Overdrawn):
        await posted(store, Transaction(id="t", act=Act.HOLD, owner="ann", why="", entries=entries, at=NOON))

    assert await everything_in(database) == before


async def test_many_orders_at_once_never_take_more_than_there_is(store: Store) -> None:
    await posted(store, granted(50))

    async def ordered(number: int) -> bool:
        async def work(tx: Repositories) -> None:
            purse = await wallet(tx, "ann")
            await tx.ledger.post(hold(purse, 20, owner="ann", job=f"j{number}", why="", now=NOON))

        try:
            await store.transact(work)
        except NotEnoughPoints:
            return False
        return True

    done = await asyncio.gather(*(ordered(number) for number in range(8)))

    assert sum(done) == 2
    assert (await wallet(store, "ann")).total == 10


async def test_balances_are_what_a_replay_gives(store: Store) -> None:
    today = refill(Balance(id="ann"), owner="ann", cap=100, now=NOON)
    assert today
    await posted(store, today)
    await posted(store, granted(50))
    for number, end in enumerate((capture, release, None)):
        job = f"j{number}"
        purse = await wallet(store, "ann")
        await posted(store, hold(purse, 40, owner="ann", job=job, why="", now=NOON))
        if end:
            on_hold = await store.ledger.balance(held(job))
            await posted(store, end(on_hold, owner="ann", job=job, why="", now=NOON))

    replayed = balances([one async for one in store.ledger.everything()])
    rows = {row.id: row async for row in store.ledger.balances()}

    assert rows == {name: row for name, row in replayed.items() if not is_house(name)}
    assert rows[points("ann")].free == 20
    assert await store.ledger.balance("account:nobody:points") == Balance(id="account:nobody:points")


async def test_transactions_by_owner_and_by_job(store: Store) -> None:
    for number in range(3):
        await posted(store, granted(10, key=str(number)).but(at=NOON.replace(minute=number)))
    purse = await wallet(store, "ann")
    await posted(store, hold(purse, 5, owner="ann", job="j", why="", now=NOON.replace(minute=10)))
    on_hold = await store.ledger.balance(held("j"))
    await posted(store, release(on_hold, owner="ann", job="j", why="", now=NOON.replace(minute=11)))

    assert [one.id for one in await store.ledger.of("ann", limit=3)] == ["release:j", "hold:j", "grant:2"]
    assert [one.act for one in await store.ledger.about("j")] == [Act.HOLD, Act.RELEASE]
    assert await store.ledger.of("bob") == []
    assert await store.ledger.find("grant:1") == granted(10, key="1").but(at=NOON.replace(minute=1))


async def test_what_a_town_does_with_its_money_is_the_same_in_the_database(store: Store) -> None:
    town, dice = Town(), Random(4)
    while len(town.book.posted) < 700:
        town.act(*dice.randbytes(BYTES))
    story = list(town.book.posted.values())

    for one in story:
        assert await posted(store, one) == one

    async def proved() -> None:
        rows = {row.id: row.lots async for row in store.ledger.balances()}
        held = {name: lots for name, lots in town.book.held.items() if not is_house(name)}
        assert rows == {name: dict.fromkeys(Lot, 0) | lots for name, lots in held.items()}
        assert {one.id: one async for one in store.ledger.everything()} == town.book.posted

    await proved()
    assert {one.act for one in story} == set(Act)
    for one in dice.sample(story, 100):
        assert await posted(store, one.but(at=town.now)) == one
    await proved()
