"""First contact, daily points, grants."""

import asyncio
from datetime import timedelta

import pytest

from core.domain.account import Platform, Role
from core.domain.errors import BadValue, KeyReused, NotAllowed
from core.domain.ledger import Act
from core.domain.notice import Topic
from core.ports.clock import HandClock
from loraguild.composition import House
from storage.repositories.entities import Database
from tests.builders.scenes import a_ready_dataset, an_order, everything_in, given, prove_the_ledger, somebody


async def test_many_first_contacts_at_once_make_one_account_with_one_refill(house: House, database: Database) -> None:
    actors = await asyncio.gather(*(somebody(house) for _ in range(8)))

    assert len(set(actors)) == 1
    rows = await everything_in(database)
    assert (len(rows["accounts"]), len(rows["identities"]), len(rows["ledger"])) == (1, 1, 1)
    assert (await house.services.wallets.view(actors[0])).free == 100


async def test_one_name_on_two_platforms_is_two_accounts(house: House) -> None:
    console = await somebody(house)
    discord = await house.services.accounts.welcome(Platform.DISCORD, "ann", name="ann")

    assert console.account != discord.account
    assert {account.id for account in await house.services.accounts.named("ann")} == {console.account, discord.account}


async def test_the_settings_say_who_is_an_admin_on_which_platform(house: House) -> None:
    elsewhere = await house.services.accounts.welcome(Platform.DISCORD, "root", name="root")

    assert ((await somebody(house, "root")).role, elsewhere.role) == (Role.ADMIN, Role.USER)


async def test_points_come_once_a_day_up_to_the_cap(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    clock.advance(timedelta(minutes=1))
    await an_order(house, ann, await a_ready_dataset(house, ann))
    spent = (await house.services.wallets.view(await somebody(house))).free
    clock.advance(timedelta(days=1))
    await asyncio.gather(*(somebody(house) for _ in range(4)))

    assert (spent, (await house.services.wallets.view(ann)).free) == (80, 100)
    statement = await house.services.wallets.statement(ann)
    assert [(one.act, one.amount) for one in statement] == [(Act.REFILL, 20), (Act.HOLD, 20), (Act.REFILL, 100)]
    await prove_the_ledger(house.store)


async def test_a_grant_gives_once_per_key_and_tells_its_receiver_and_the_audit(
    house: House, database: Database
) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    to = await house.store.accounts.get(ann.account)

    done = await asyncio.gather(
        *(house.services.wallets.grant(root, to=to, amount=50, why="hello", key="k") for _ in range(4))
    )

    assert len(set(done)) == 1
    assert (await house.services.wallets.view(ann)).qoints == 50
    rows = await everything_in(database)
    assert [(row["topic"], row["account"]) for row in rows["notices"]] == [(Topic.GRANTED, ann.account)]
    assert [(row["act"], row["actor"], row["subject"]) for row in rows["audits"]] == [
        ("admin.grant", root.account, ann.account)
    ]


async def test_a_grant_that_cannot_be_writes_nothing(house: House, database: Database) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    to = await house.store.accounts.get(ann.account)
    await house.services.wallets.grant(root, to=to, amount=50, why="hello", key="k")
    before = await everything_in(database)

    for actor, amount, key, error in (
        (ann, 50, "other", NotAllowed),
        (root, 0, "other", BadValue),
        (root, -5, "other", BadValue),
        (root, 10**9, "other", BadValue),
        (root, 51, "k", KeyReused),
    ):
        with pytest.raises(error):
            await house.services.wallets.grant(actor, to=to, amount=amount, why="hello", key=key)

    assert await everything_in(database) == before


async def test_granted_qoints_pay_what_points_do_not_cover(house: House) -> None:
    ann = await somebody(house)
    await given(house, ann, 15)
    dataset = await a_ready_dataset(house, ann)

    await an_order(house, ann, dataset, steps="2000")

    left = await house.services.wallets.view(ann)
    assert (left.free, left.qoints) == (0, 5)
