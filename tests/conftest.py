"""A database server for the whole run, and for each test an empty database with a house over it."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from config.settings import Settings
from core.ports.blobs import Blobs
from core.ports.clock import HandClock, RandomIds
from core.ports.store import Store
from loraguild.composition import House, assembled
from storage.blobs import GridBlobs
from storage.embedded import embedded_database
from storage.indexes import INDEXES
from storage.repositories.entities import Database
from storage.store import client_of, connected, mongo_store

KEPT = {"migrations"}  # collections that an empty database has rows in


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mongodb(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The URI of a server: TEST_MONGODB_URI, or an embedded database that lives as long as the run."""
    async with AsyncExitStack() as stack:
        uri = os.environ.get("TEST_MONGODB_URI")
        if not uri:
            folder = tmp_path_factory.mktemp("database")
            uri = (await stack.enter_async_context(embedded_database(folder))).uri
        yield uri


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def prepared(mongodb: str) -> AsyncIterator[str]:
    """The name of a database with collections and indexes: making one takes much longer than emptying it."""
    name = f"test_{secrets.token_hex(6)}"
    async with connected(mongodb, name=name) as database:
        for index in INDEXES:
            if index.expires:  # the server knows its own time and not that of a test, and would remove what is good
                await database[index.collection].drop_index(list(index.keys))
    yield name
    async with connected(mongodb, name=name) as database:  # a client that idled through minutes of other tests may fail
        await database.client.drop_database(name)


@pytest.fixture
async def database(mongodb: str, prepared: str) -> AsyncIterator[Database]:
    """An empty database."""
    async with client_of(mongodb) as client:
        database = client[prepared]
        await database.command("ping")  # the driver's own tasks are there before a test begins to count tasks
        yield database
        for name in set(await database.list_collection_names()) - KEPT:
            await database[name].delete_many({})


@pytest.fixture
def clock() -> HandClock:
    """The clock of the house."""
    return HandClock()


@pytest.fixture
def store(database: Database) -> Store:
    """The store over the empty database."""
    return mongo_store(database)


@pytest.fixture
def blobs(database: Database, clock: HandClock) -> Blobs:
    """The blobs of the empty database."""
    return GridBlobs(database, clock)


@pytest.fixture
def house(store: Store, blobs: Blobs, clock: HandClock, tmp_path: Path) -> House:
    """The whole house, with 100 points a day and `console:root` as its admin."""
    settings = Settings(
        mongodb_uri=None,
        data_folder=tmp_path,
        admins=frozenset({"console:root"}),
        daily_points=100,
        captioner="palette",
        offerings_folder=Path(__file__).parent / "builders" / "offerings",
        base_models={},
    )
    services = assembled(settings, store=store, blobs=blobs, clock=clock, ids=RandomIds())
    return House(settings=settings, store=store, blobs=blobs, services=services)
