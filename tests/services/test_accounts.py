"""First contact, daily points, grants."""

import asyncio
from datetime import timedelta

import pytest

from core.domain.account import Account, Actor, Notify, Platform, Role, Telling, Where
from core.domain.errors import BadValue, KeyReused, NotAllowed, NotFound, NotThem
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


async def on_discord(house: House, external: str, *, name: str) -> Actor:
    return await house.services.accounts.welcome(Platform.DISCORD, external, name=name)


async def account_of(house: House, actor: Actor) -> Account:
    return await house.store.accounts.get(actor.account)


async def test_a_login_that_was_renamed_is_known_by_its_new_name(house: House, database: Database) -> None:
    before = await on_discord(house, "42", name="ann")
    after = await on_discord(house, "42", name="Ann of the Hills")
    rows = await everything_in(database)
    await on_discord(house, "42", name="Ann of the Hills")

    assert after == before
    assert [login.name for login in await house.services.accounts.logins(after)] == ["Ann of the Hills"]
    assert await everything_in(database) == rows


async def test_people_are_found_by_the_beginning_of_a_name_a_login_or_an_id(house: House) -> None:
    ann, anna = await somebody(house), await on_discord(house, "42", name="Anna (she)")
    accounts = house.services.accounts
    found = {text: [one.id for one in await accounts.named(text)] for text in ("ANN", "anna (", "nn", ".")}
    known = [await accounts.known(text) for text in ("console:ann", "discord:42", anna.account, "ann", "42")]

    assert found == {"ANN": [anna.account, ann.account], "anna (": [anna.account], "nn": [], ".": []}
    assert [one and one.id for one in known] == [ann.account, anna.account, anna.account, None, None]


async def test_how_somebody_is_told_is_kept_part_by_part(house: House) -> None:
    ann = await somebody(house)
    chosen = [
        await house.services.accounts.notify(ann, where=Where.CHANNEL),
        await house.services.accounts.notify(ann, telling=Telling.FINAL),
        await house.services.accounts.notify(ann),
    ]

    assert ann.notify == Notify()
    assert chosen == [Notify(where=Where.CHANNEL), *[Notify(where=Where.CHANNEL, telling=Telling.FINAL)] * 2]
    assert (await somebody(house)).notify == chosen[2]


async def test_bans_and_roles_are_kept_and_audited(house: House, clock: HandClock) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    account, accounts = await account_of(house, ann), house.services.accounts
    seen = []
    for act in (
        accounts.ban(root, account, why="spam"),
        accounts.unban(root, account),
        accounts.role(root, account, Role.MODERATOR),
    ):
        await act
        now = await somebody(house)
        seen.append((now.banned, now.role))
        clock.advance(timedelta(seconds=1))

    assert seen == [("spam", Role.USER), (None, Role.USER), (None, Role.MODERATOR)]
    acts = await house.store.audits.latest(actor=root.account)
    assert [(one.act, one.subject, one.details) for one in acts] == [
        ("admin.role", ann.account, {"role": "moderator"}),
        ("admin.unban", ann.account, {}),
        ("admin.ban", ann.account, {"why": "spam"}),
    ]


async def test_admins_judge_neither_themselves_nor_those_above_them(house: House, database: Database) -> None:
    ann, bob, root = [await somebody(house, name) for name in ("ann", "bob", "root")]
    accounts = house.services.accounts
    await accounts.role(root, await account_of(house, bob), Role.ADMIN)
    bob = await somebody(house, "bob")
    at_ann, at_bob, at_root = [await account_of(house, one) for one in (ann, bob, root)]
    before = await everything_in(database)

    for act, error in (
        (accounts.ban(ann, at_bob, why=""), NotAllowed),
        (accounts.unban(ann, at_bob), NotAllowed),
        (accounts.role(ann, at_ann, Role.ADMIN), NotAllowed),
        (accounts.ban(root, at_root, why=""), NotThem),
        (accounts.ban(root, at_bob, why=""), NotThem),
        (accounts.ban(bob, at_root, why=""), NotThem),
        (accounts.role(bob, at_root, Role.USER), NotThem),
        (accounts.role(bob, at_bob, Role.USER), NotThem),
    ):
        with pytest.raises(error):
            await act

    assert await everything_in(database) == before
    await accounts.role(root, at_bob, Role.USER)
    assert (await somebody(house, "bob")).role is Role.USER


async def test_an_account_that_was_taken_over_is_who_took_it(house: House) -> None:
    ann, root = await somebody(house), await somebody(house, "root")
    bob = await house.services.accounts.welcome(Platform.TELEGRAM, "7", name="bob")
    for old, new in ((ann, bob), (bob, root)):
        account = await house.store.accounts.get(old.account)
        await house.store.accounts.save(account.but(merged_into=new.account))

    told = await house.services.accounts.actor(ann.account)

    assert (told.account, told.role) == (root.account, Role.ADMIN)
    with pytest.raises(NotFound):
        await house.services.accounts.actor("nobody")
