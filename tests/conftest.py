"""A database server for the whole run, and for each test an empty database with a house over it."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

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

# The same examples in every run; `pytest --hypothesis-profile thorough` looks at more, by chance, for what breaks one.
PATIENT: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}  # a busy machine is slow
hypothesis.register_profile("usual", derandomize=True, **PATIENT)
hypothesis.register_profile("thorough", max_examples=2000, **PATIENT)
hypothesis.load_profile("usual")

KEPT = {"migrations"}  # collections that an empty database has rows in


@pytest.fixture(autouse=True, scope="session")
def short_tracebacks() -> None:
    """Log what breaks in some lines: with all that a house holds it would take minutes."""
    processors = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*processors[:-1], plain])


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mongodb(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The URI of a server: TEST_MONGODB_URI, or an embedded database that lives, and need last, as long as the run."""
    async with AsyncExitStack() as stack:
        uri = os.environ.get("TEST_MONGODB_URI")
        if not uri:
            folder = tmp_path_factory.mktemp("database")
            uri = (await stack.enter_async_context(embedded_database(folder, durable=False))).uri
        yield uri


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def prepared(mongodb: str) -> AsyncIterator[str]:
    """The name of a database with collections and indexes: making one takes much longer than emptying it."""
    name = f"test_{secrets.token_hex(6)}"
    expiring = [index for index in INDEXES if index.expires]
    async with connected(mongodb, name=name) as database:
        for index in expiring:  # the server knows its own time and not that of a test, and would remove what is good
            await database[index.collection].drop_index(list(index.keys))
    yield name
    async with client_of(mongodb) as client:  # one that idled through minutes of other tests may fail
        there = [await client[name][index.collection].index_information() for index in expiring]
        await client.drop_database(name)
    assert not [facts for indexes in there for facts in indexes.values() if "expireAfterSeconds" in facts]


@pytest.fixture
async def database(mongodb: str, prepared: str) -> AsyncIterator[Database]:
    """An empty database."""
    async with client_of(mongodb) as client:
        database = client[prepared]
        await database.command("ping")  # the driver's own tasks are there before a test begins to count tasks
        yield database
        for name in await filled(database) - KEPT:
            await database[name].delete_many({})


async def filled(database: Database) -> set[str]:
    """The collections that have a row: one question, as asking each of them takes longer than most tests."""
    names = await database.list_collection_names()
    parts = [
        {"$unionWith": {"coll": name, "pipeline": [{"$limit": 1}, {"$project": {"of": {"$literal": name}}}]}}
        for name in names
    ]
    cursor = await database["nothing"].aggregate([*parts, {"$group": {"_id": "$of"}}])
    return {row["_id"] async for row in cursor}


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
