"""Drop the indexes in whose place are longer ones, which hold lists in their order to the last."""

from storage.repositories.entities import Database

REPLACED = {
    "audits": ("actor_1_at_-1", "at_-1"),
    "datasets": ("owner_1_deleted_at_1",),
    "generations": ("owner_1_deleted_at_1_created_at_-1",),
    "jobs": ("owner_1_created_at_-1",),
    "ledger": ("owner_1_at_-1",),
    "notices": ("account_1_created_at_-1",),
    "payouts": ("owner_1_requested_at_-1",),
    "uploads": ("account_1_state_1", "dataset_1_state_1"),
}


async def up(database: Database) -> None:
    """Drop those that are there."""
    for collection, names in REPLACED.items():
        for name in (await database[collection].index_information()).keys() & set(names):
            await database[collection].drop_index(name)
