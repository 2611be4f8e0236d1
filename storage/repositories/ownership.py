"""Who owns what, over all collections: needed when two accounts become one."""

from storage.errors import translated
from storage.repositories.entities import Database, Session

OWNED = (
    ("actions", "account"),
    ("cards", "account"),
    ("datasets", "owner"),
    ("drafts", "account"),
    ("generations", "owner"),
    ("generations", "model_owner"),
    ("identities", "account"),
    ("jobs", "owner"),
    ("models", "owner"),
    ("notices", "account"),
    ("quotes", "owner"),
    ("runs", "owner"),
    ("uploads", "account"),
)  # the ledger, the audit log and captions say who it was at the time


class Ownership:
    """The fields that name an owner."""

    def __init__(self, database: Database, session: Session) -> None:
        self._database = database
        self._session = session

    async def move(self, old: str, new: str, *, name: str) -> None:
        """Give everything that one account owns to another of this name."""
        for collection, field in OWNED:
            await self._set(collection, {field: old}, {field: new})
        await self._set("models", {"owner": new}, {"owner_name": name})

    async def _set(self, collection: str, where: dict[str, str], fields: dict[str, str]) -> None:
        with translated():
            await self._database[collection].update_many(where, {"$set": fields}, session=self._session)
