"""Make the collections that chats need: transactions write to them."""

from storage.repositories.entities import Database

COLLECTIONS = (
    "allowances", "communities", "drafts", "leads", "link_codes", "link_requests", "switches", "updates", "uploads",
)  # fmt: skip


async def up(database: Database) -> None:
    """Create what is missing."""
    known = set(await database.list_collection_names())
    for name in COLLECTIONS:
        if name not in known:
            await database.create_collection(name)
