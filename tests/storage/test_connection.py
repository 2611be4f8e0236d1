"""Connecting: prepared once however often and by however many, and clear words where there is nobody."""

import asyncio
import gc
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pymongo
import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import AutoReconnect, NetworkTimeout, OperationFailure

from core.domain.errors import DatabaseUnavailable, StandaloneDatabase
from core.ports.store import Store
from storage import store as opening
from storage.documents import Document
from storage.errors import translated
from storage.indexes import INDEXES, ensure
from storage.migrations import (
    m0001_collections,
    m0002_chats,
    m0003_models,
    m0004_datasets,
    m0005_training,
    m0006_web,
    m0007_lists,
    migrate,
)
from storage.repositories.entities import Database
from storage.store import connected, mongo_store, require_transactions

MIGRATIONS = (m0001_collections, m0002_chats, m0003_models, m0004_datasets, m0005_training, m0006_web)
COLLECTIONS = tuple(name for migration in MIGRATIONS for name in migration.COLLECTIONS)
NAMES = [migration.__name__.rpartition(".")[2] for migration in (*MIGRATIONS, m0007_lists)]


@pytest.fixture
async def bare(mongodb: str) -> AsyncIterator[Database]:
    """A database with nothing in it, not even collections."""
    async with AsyncMongoClient[Document](mongodb, tz_aware=True) as client:
        name = f"bare_{secrets.token_hex(6)}"
        yield client[name]
        await client.drop_database(name)


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield f"mongodb://127.0.0.1:{free.getsockname()[1]}/?directConnection=true"
    gc.collect()  # the driver leaves sockets that did not connect to the collector, which warns of them


leaves_sockets = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


async def test_migrations_run_once_in_order(bare: Database) -> None:
    first, second = await migrate(bare), await migrate(bare)

    assert (first, second) == (NAMES, [])
    assert set(COLLECTIONS) <= set(await bare.list_collection_names())


async def test_an_index_in_whose_place_is_a_longer_one_goes(bare: Database) -> None:
    await bare["jobs"].create_index([("owner", 1), ("created_at", -1)])
    await migrate(bare)
    await ensure(bare)

    keys = [index["key"] for index in (await bare["jobs"].index_information()).values()]
    owned = [key for key in keys if key[0][0] == "owner"]
    assert sorted(owned) == [[("owner", 1), ("created_at", -1), ("_id", -1)], [("owner", 1), ("state", 1)]]


async def test_of_many_processes_that_start_together_one_migrates(bare: Database) -> None:
    done = await asyncio.gather(*(migrate(bare) for _ in range(4)))

    assert sorted(done) == [[], [], [], NAMES]
    assert await bare["locks"].count_documents({}) == 0


async def test_a_migration_that_ran_half_is_run_again(bare: Database) -> None:
    await bare.create_collection(COLLECTIONS[0])

    assert await migrate(bare) == NAMES


async def test_who_died_while_migrating_holds_nobody_up_where_there_is_nothing_to_do(bare: Database) -> None:
    await migrate(bare)
    await bare["locks"].insert_one({"_id": "migrations", "until": datetime.now(UTC) + timedelta(hours=1)})

    assert await asyncio.wait_for(migrate(bare), 60) == []


async def test_an_old_lock_is_broken(bare: Database) -> None:
    await bare["locks"].insert_one({"_id": "migrations", "until": datetime.now(UTC) - timedelta(seconds=1)})

    assert await asyncio.wait_for(migrate(bare), 60) == NAMES


async def test_indexes_are_made_once_and_every_collection_of_theirs_exists(bare: Database) -> None:
    await migrate(bare)
    for _ in range(2):
        await ensure(bare)
    wanted: dict[str, int] = dict.fromkeys((*COLLECTIONS, "files.chunks"), 1)
    made = {name: await bare[name].index_information() for name in wanted}

    for index in INDEXES:
        wanted[index.collection] += 1
    assert {name: len(found) for name, found in made.items()} == wanted
    assert all(index.why for index in INDEXES)


async def test_an_index_that_another_release_made_otherwise_is_made_anew(bare: Database) -> None:
    await bare["actions"].create_index([("expires_at", 1)])
    await bare["jobs"].create_index([("key", 1)])

    await asyncio.gather(*(ensure(bare) for _ in range(3)))

    actions, jobs = [await bare[name].index_information() for name in ("actions", "jobs")]
    assert actions["expires_at_1"]["expireAfterSeconds"] == 0
    assert jobs["key_1"]["unique"] is True


@leaves_sockets
async def test_where_nobody_listens_the_words_come_soon(nowhere: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "SECONDS_TO_CONNECT", 0.2)

    with pytest.raises(DatabaseUnavailable, match="The database does not answer"):
        async with asyncio.timeout(20), connected(nowhere, name="x"):  # the driver's own patience is 30 s
            pass


@leaves_sockets
async def test_reads_writes_and_transactions_without_a_server_are_unavailable(nowhere: str) -> None:
    async with AsyncMongoClient[Document](nowhere, serverSelectionTimeoutMS=200) as client:
        store: Store = mongo_store(client["x"])
        with pytest.raises(DatabaseUnavailable):
            await store.jobs.find("j")
        with pytest.raises(DatabaseUnavailable):
            await store.ledger.balance("a")
        with pytest.raises(DatabaseUnavailable):
            [one async for one in store.ledger.everything()]
        with pytest.raises(DatabaseUnavailable), pymongo.timeout(1):
            await store.transact(lambda tx: tx.jobs.get("j"))


@pytest.mark.parametrize("error", [AutoReconnect("gone\nsecond line"), NetworkTimeout("gone")])
async def test_a_driver_error_of_an_absent_server_is_put_into_one_line(error: Exception) -> None:
    with pytest.raises(DatabaseUnavailable) as told, translated():
        raise error

    assert told.value.why == "gone"


async def test_other_driver_errors_are_bugs_and_stay() -> None:
    with pytest.raises(OperationFailure), translated():
        raise OperationFailure("bad query")


@pytest.mark.parametrize(
    ("hello", "refused"),
    [({"setName": "rs0"}, False), ({"msg": "isdbgrid"}, False), ({"msg": "hello"}, True), ({}, True)],
)
def test_only_replica_sets_and_routers_have_transactions(hello: dict[str, str], *, refused: bool) -> None:
    try:
        require_transactions(hello)
    except StandaloneDatabase:
        assert refused
    else:
        assert not refused


def test_a_stand_alone_server_is_refused_with_what_to_do() -> None:
    with pytest.raises(StandaloneDatabase, match="mongod --replSet"):
        require_transactions({"isWritablePrimary": True})
