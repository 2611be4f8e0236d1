"""People over the wire: by name, what belongs to them, and who owns what."""

from datetime import timedelta

import pytest
from pymongo.errors import DuplicateKeyError

from core.domain.account import Account, Identity, Role
from core.domain.link import LinkCode
from core.ports.store import Store
from storage.repositories.entities import Database, Entities
from storage.repositories.ownership import OWNED
from storage.store import repositories
from tests.builders.entities import HOME, NOON, a_dataset, a_model, a_run


def an_account(name: str, **facts: object) -> Account:
    return Account(id=f"id of {name}", name=name, role=Role.USER, home=HOME, created_at=NOON).but(**facts)


def a_code(name: str, *, account: str) -> LinkCode:
    return LinkCode(id=name, account=account, place=HOME, expires_at=NOON + timedelta(days=365_000))


async def test_people_by_the_beginning_of_their_name_whatever_is_in_it(store: Store) -> None:
    for name in ("Zoe", "ann", "ANNA", "an*", "(-.-) ümit", "<b>&amp;"):
        await store.accounts.add(an_account(name))
    await store.accounts.add(an_account("andy", merged_into="id of ann"))

    wished = ("AN", "an*", "(-", ".*", "", "<B>&", "(-.-) üm", "nn")
    found = {text: [one.name for one in await store.accounts.named(text)] for text in wished}

    assert found == {
        "AN": ["ANNA", "an*", "ann"],
        "an*": ["an*"],
        "(-": ["(-.-) ümit"],
        ".*": [],
        "": ["(-.-) ümit", "<b>&amp;", "ANNA", "Zoe", "an*", "ann"],
        "<B>&": ["<b>&amp;"],
        "(-.-) üm": ["(-.-) ümit"],
        "nn": [],
    }


async def test_what_belongs_to_an_account(store: Store) -> None:
    logins = [Identity(id=f"discord:{number}", account="ann", name="ann", created_at=NOON) for number in range(3)]
    for login in (*logins, logins[0].but(id="discord:9", account="bob")):
        await store.identities.add(login)

    assert await store.identities.of("ann") == logins
    assert await store.identities.of("nobody") == []


async def test_an_account_has_one_code(store: Store) -> None:
    await store.link_codes.add(a_code("a", account="ann"))
    await store.link_codes.add(a_code("b", account="bob"))

    with pytest.raises(DuplicateKeyError):
        await store.link_codes.add(a_code("c", account="ann"))

    assert await store.link_codes.of("ann") == [a_code("a", account="ann")]


def test_everything_that_names_an_owner_is_moved_or_told_apart(database: Database) -> None:
    rows = [one for one in vars(repositories(database)).values() if isinstance(one, Entities)]
    names = [(one._rows.name, field) for one in rows for field in one._shape.model_fields]  # noqa: SLF001 - all shapes

    owned = {(name, field) for name, field in names if field in {"account", "owner", "payer", "reporter"}}

    assert owned - set(OWNED) == {
        ("connections", "account"),
        ("link_codes", "account"),
        ("link_requests", "account"),
        ("replays", "account"),
        ("sessions", "account"),
        ("signins", "account"),
        ("tokens", "account"),
    }
    assert set(OWNED) <= owned


async def test_a_great_many_rows_are_moved_and_models_bear_the_new_name(store: Store) -> None:
    names = [str(number) for number in range(200)]
    await store.datasets.add_all([a_dataset(id=name, owner="bob", name=name, folded=name) for name in names])
    await store.models.add(a_model(owner="bob", owner_name="bob"))
    await store.models.add(a_model(id="m2", owner="cid", shared=("bob", "dan")))
    await store.datasets.add(a_dataset(id="d2", owner="cid", shared=("dan", "bob", "ann")))
    await store.runs.add(a_run(owner="bob"))
    await store.transact(lambda tx: tx.ownership.move("bob", "ann", name="Ann"))

    assert len(await store.datasets.owned("ann", limit=0)) == 200
    assert await store.datasets.owned("bob") == []
    assert await store.models.owned("ann") == [a_model(owner="ann", owner_name="Ann")]
    assert (await store.models.get("m2")).shared == ("dan", "ann")
    assert (await store.datasets.get("d2")).shared == ("dan", "ann")
    assert (await store.runs.get("j1")).owner == "ann"
