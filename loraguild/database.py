"""The operator's looks into the database: what is in it, and whether every balance is what the ledger proves."""

from collections.abc import Mapping

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from core.domain.ledger import Lot, differences, sums
from core.ports.store import Store
from storage.store import MongoStore

MB = 2**20


async def stats(store: Store, *, out: Console) -> int:
    """Print how many rows each collection has, how many bytes are stored, and the queue by state."""
    if not isinstance(store, MongoStore):
        raise TypeError("only a MongoDB store has collections to count")
    database = store.database
    table = Table("collection", "rows", box=None)
    for name in sorted(await database.list_collection_names()):
        table.add_row(name, str(await database[name].count_documents({})))
    out.print(table)
    total = {"$group": {"_id": None, "bytes": {"$sum": "$size"}, "files": {"$sum": 1}}}
    async for row in await database["blobs"].aggregate([total]):
        out.print(f"\n{row['files']} files, {row['bytes'] / MB:.1f} MB")
    by_state = {"$group": {"_id": {"kind": "$kind", "state": "$state"}, "jobs": {"$sum": 1}}}
    queue = Table("kind", "state", "jobs", box=None)
    rows = [row async for row in await database["jobs"].aggregate([by_state])]
    for row in sorted(rows, key=lambda row: sorted(row["_id"].items())):
        queue.add_row(row["_id"]["kind"], row["_id"]["state"], str(row["jobs"]))
    if rows:
        out.print()
        out.print(queue)
    return 0


async def verify(store: Store, *, out: Console) -> int:
    """Replay the whole ledger and compare it with every balance row; return 1 where something does not add up."""
    try:
        transactions = [transaction async for transaction in store.ledger.everything()]
    except ValidationError as error:
        out.out(f"A transaction is not sound: {error.errors()[0]['msg']}")
        return 1
    rows = [row async for row in store.ledger.balances()]
    wrong = differences(transactions, rows)
    left = sums(entry for transaction in transactions for entry in transaction.entries)
    for proved, kept in wrong:
        out.out(f"{proved.id}: the ledger proves {_lots(proved.lots)}, the balance says {_lots(kept.lots)}.")
    out.print(f"{len(transactions)} transactions replayed, {len(rows)} balances compared, {len(wrong)} differ.")
    out.print("Every lot sums to zero." if not any(left.values()) else f"The lots do not sum to zero: {dict(left)}.")
    return 1 if wrong or any(left.values()) else 0


def _lots(lots: Mapping[Lot, int]) -> str:
    return ", ".join(f"{name} {amount}" for name, amount in lots.items())
