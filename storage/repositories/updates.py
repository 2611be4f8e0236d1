"""The inbox of what platforms sent."""

from datetime import datetime

from pymongo.errors import BulkWriteError

from core.domain.inbox import Update
from core.ports.store import PAGE
from storage.documents import document
from storage.errors import translated
from storage.repositories.entities import Database, Entities, Session

DUPLICATE = 11000  # the database's code for a key that is there already


class Updates(Entities[Update]):
    """What came in, kept until it is dealt with and some days more."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Update, name="updates")

    async def put(self, *updates: Update) -> int:
        """Insert those that are new, in one go, and return how many they were."""
        with translated():
            try:
                await self._rows.insert_many(map(document, updates), ordered=False, session=self._session)
            except BulkWriteError as error:
                known = [one for one in error.details["writeErrors"] if one["code"] == DUPLICATE]
                if len(known) < len(error.details["writeErrors"]) or error.details["writeConcernErrors"]:
                    raise
                return len(updates) - len(known)
        return len(updates)

    async def waiting(self, platform: str, *, limit: int = PAGE) -> list[Update]:
        """What is not done yet, in the platform's order."""
        return await self._all({"platform": platform, "done": False}, sort=[("number", 1)], limit=limit)

    async def forget(self, *, before: datetime) -> int:
        """Remove what is done and was received before a moment; return how many."""
        old = {"done": True, "received_at": {"$lt": before}}
        with translated():
            return (await self._rows.delete_many(old, session=self._session)).deleted_count
