"""Make every collection that transactions write to: creating one inside a transaction can conflict."""

from storage.repositories.entities import Database

COLLECTIONS = (
    "accounts", "actions", "audits", "balances", "blobs", "captions", "cards", "datasets", "generations",
    "identities", "items", "jobs", "ledger", "metrics", "models", "notices", "queues", "quotes", "runs", "snapshots",
    "workers",
)  # fmt: skip


async def up(database: Database) -> None:
    """Create what is missing."""
    known = set(await database.list_collection_names())
    for name in COLLECTIONS:
        if name not in known:
            await database.create_collection(name)
