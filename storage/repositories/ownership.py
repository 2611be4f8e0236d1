"""Who owns what, over all collections: needed when two accounts become one."""

from storage.errors import translated
from storage.repositories.entities import Database, Session

OWNED = (
    ("actions", "account"),
    ("cards", "account"),
    ("datasets", "owner"),
    ("disputes", "owner"),
    ("drafts", "account"),
    ("generations", "owner"),
    ("identities", "account"),
    ("jobs", "owner"),
    ("models", "owner"),
    ("notices", "account"),
    ("payouts", "owner"),
    ("quotes", "owner"),
    ("runs", "owner"),
    ("uploads", "account"),
    ("usages", "owner"),
    ("usages", "payer"),
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
        for change in ({"$addToSet": {"shared": new}}, {"$pull": {"shared": old}}):
            await self._change("models", {"shared": old}, change)

    async def _set(self, collection: str, where: dict[str, str], fields: dict[str, str]) -> None:
        await self._change(collection, where, {"$set": fields})

    async def _change(self, collection: str, where: dict[str, str], change: dict[str, dict[str, str]]) -> None:
        with translated():
            await self._database[collection].update_many(where, change, session=self._session)
