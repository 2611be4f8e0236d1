"""The operator's looks into the database: what is in it, and whether all that it says of money agrees."""

from collections.abc import AsyncIterator

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from core.domain.proof import Proof
from core.domain.value import Entity
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
    """Prove all that is written down about money; print what does not agree, and return 1 where something does not.

    People may go on meanwhile, and rows be read that do not belong to one moment. So whatever seems wrong is looked at
    again: what is found twice, word for word, is wrong.
    """
    try:
        proof, found = await _proved(store)
        if found:
            proof, again = await _proved(store)
            found = [words for words in again if words in found]
    except ValidationError as error:
        out.out(f"A row is not sound. {error.title}: {error.errors()[0]['msg']}")
        return 1
    for words in found:
        out.out(words)
    out.print(f"{proof.transactions} transactions replayed, {proof.balances} balances compared: ", end="")
    out.print(f"{len(found)} findings." if found else "everything agrees.")
    return 1 if found else 0


async def _proved(store: Store) -> tuple[Proof, list[str]]:
    """Read everything about money once; what was read, and what does not agree."""
    proof, ledger = Proof(), store.ledger
    others = (store.usages, store.remainders, store.payouts, store.accounts)
    streams: list[AsyncIterator[Entity]] = [ledger.everything(), ledger.balances()]
    streams += [rows.everything() for rows in others]
    for rows in streams:
        async for row in rows:
            proof.read(row)
    for job in await store.jobs.queue(limit=0):
        proof.read(job)
    for name in sorted(proof.refunded):
        proof.read_refunded(name, await ledger.about(name))
    return proof, proof.findings()
