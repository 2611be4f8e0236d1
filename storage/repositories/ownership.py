"""Who owns what, over all collections: needed when two accounts become one."""

from storage.errors import translated
from storage.repositories.entities import Database, Session

OWNED = (
    ("cards", "account"),
    ("datasets", "owner"),
    ("generations", "owner"),
    ("generations", "model_owner"),
    ("identities", "account"),
    ("jobs", "owner"),
    ("models", "owner"),
    ("notices", "account"),
    ("runs", "owner"),
)  # drafts, buttons, quotes and uploads of the old account end with it; the ledger's past stays as it is


class Ownership:
    """The fields that name an owner."""

    def __init__(self, database: Database, session: Session) -> None:
        self._database = database
        self._session = session

    async def move(self, old: str, new: str) -> None:
        """Give everything that one account owns to another."""
        for collection, field in OWNED:
            with translated():
                await self._database[collection].update_many(
                    {field: old}, {"$set": {field: new}}, session=self._session
                )
