"""Migrations: numbered, idempotent modules `mNNNN_what.py` with `async def up(database)`, run once under a lock."""

import asyncio
import pkgutil
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Protocol, cast

from pymongo.errors import DuplicateKeyError

from storage.errors import translated
from storage.repositories.entities import Database

LOCKED_FOR = timedelta(minutes=10)


class Migration(Protocol):
    """The shape of a module in this package."""

    async def up(self, database: Database) -> None:
        """Change the database; running it again changes nothing."""
        ...


async def migrate(database: Database) -> list[str]:
    """Run the migrations that have not run, in order, one process at a time; return their names."""
    with translated():
        if not await _new(database):
            return []
        await _lock(database)
        try:
            new = await _new(database)
            for name in new:
                await cast("Migration", import_module(f"{__name__}.{name}")).up(database)
                await database["migrations"].insert_one({"_id": name, "at": datetime.now(UTC)})
        finally:
            await database["locks"].delete_one({"_id": "migrations"})
    return new


async def _new(database: Database) -> list[str]:
    done = {row["_id"] async for row in database["migrations"].find()}
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in done)


async def _lock(database: Database) -> None:
    while True:
        now = datetime.now(UTC)
        await database["locks"].delete_one({"_id": "migrations", "until": {"$lt": now}})
        try:
            await database["locks"].insert_one({"_id": "migrations", "until": now + LOCKED_FOR})
        except DuplicateKeyError:
            await asyncio.sleep(0.1)
        else:
            return
