"""Who owns what, over all collections: needed when two accounts become one, and when one is forgotten."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from core.domain.account import FORGOTTEN
from storage.documents import Document
from storage.errors import translated
from storage.repositories.entities import Database, Session
from storage.repositories.references import References

OWNED = (
    ("actions", "account"),
    ("cards", "account"),
    ("characters", "owner"),
    ("datasets", "owner"),
    ("disputes", "owner"),
    ("drafts", "account"),
    ("exports", "owner"),
    ("generations", "owner"),
    ("identities", "account"),
    ("jobs", "owner"),
    ("models", "owner"),
    ("notices", "account"),
    ("payouts", "owner"),
    ("posts", "account"),
    ("quotes", "owner"),
    ("reports", "owner"),
    ("reports", "reporter"),
    ("runs", "owner"),
    ("uploads", "account"),
    ("usages", "owner"),
    ("usages", "payer"),
    ("webhooks", "account"),
)  # the ledger, the audit log and captions say who it was at the time
ERASED = (
    ("actions", "account"),
    ("cards", "account"),
    ("characters", "owner"),
    ("connections", "account"),
    ("disputes", "owner"),
    ("drafts", "account"),
    ("exports", "owner"),
    ("identities", "account"),
    ("link_codes", "account"),
    ("link_requests", "account"),
    ("link_requests", "joining"),
    ("notices", "account"),
    ("posts", "account"),
    ("quotes", "owner"),
    ("replays", "account"),
    ("sessions", "account"),
    ("signins", "account"),
    ("tokens", "account"),
    ("uploads", "account"),
    ("webhooks", "account"),
)
OPENING = ("sessions", "signins", "tokens")  # what lets somebody in: it ends with the account that it was given to
WORDLESS: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("jobs", "owner", {"title": FORGOTTEN, "payload": {}, "result": None, "failure": None}),
    ("payouts", "owner", {"to": FORGOTTEN}),
    ("reports", "owner", {"name": FORGOTTEN}),
    ("reports", "reporter", {"why": FORGOTTEN}),
)
LISTED = (("accounts", "related"), ("datasets", "shared"), ("models", "shared"))
FILES: Mapping[str, Callable[[Document], Iterable[Document]]] = {
    "drafts": lambda row: (one["artifact"] for one in row["received"]),
    "exports": lambda row: (row["artifact"],),
    "uploads": lambda row: (piece for file in row["files"] for piece in file["pieces"]),
}  # what rows that are erased refer to


class Ownership:
    """The fields that name an owner."""

    def __init__(self, database: Database, session: Session) -> None:
        self._database = database
        self._session = session

    async def move(self, old: str, new: str, *, name: str) -> None:
        """Give everything that one account owns to another of this name; what lets somebody in as it ends."""
        for collection, field in OWNED:
            await self._set(collection, {field: old}, {field: new})
        for collection in OPENING:
            await self._delete(collection, {"account": old})
        await self._set("models", {"owner": new}, {"owner_name": name})
        for collection in ("datasets", "models"):
            for change in ({"$addToSet": {"shared": new}}, {"$pull": {"shared": old}}):
                await self._change(collection, {"shared": old}, change)

    async def erase(self, account: str) -> None:
        """Delete what is about nobody but an account, and all words in the rest; what others need stays by its id."""
        for collection, field in ERASED:
            await self._delete(collection, {field: account})
        for collection, field, fields in WORDLESS:
            await self._change(collection, {field: account}, {"$set": fields})
        for collection, field in LISTED:
            await self._change(collection, {field: account}, {"$pull": {field: account}})

    async def _delete(self, collection: str, where: dict[str, str]) -> None:
        rows, files = self._database[collection], FILES.get(collection)
        with translated():
            if files:
                named = [file["sha256"] async for row in rows.find(where, session=self._session) for file in files(row)]
                await References(self._database, self._session).forget(*named)
            await rows.delete_many(where, session=self._session)

    async def _set(self, collection: str, where: dict[str, str], fields: dict[str, str]) -> None:
        await self._change(collection, where, {"$set": fields})

    async def _change(self, collection: str, where: dict[str, str], change: Mapping[str, Mapping[str, Any]]) -> None:
        with translated():
            await self._database[collection].update_many(where, change, session=self._session)
