"""The inbox of what platforms sent."""

from datetime import datetime

from core.domain.inbox import Update
from core.ports.store import PAGE
from storage.errors import translated
from storage.repositories.entities import Database, Entities, Session


class Updates(Entities[Update]):
    """What came in, kept until it is dealt with and some days more."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Update, name="updates")

    async def waiting(self, platform: str, *, limit: int = PAGE) -> list[Update]:
        """What is not done yet, in the platform's order."""
        return await self._all({"platform": platform, "done": False}, sort=[("number", 1)], limit=limit)

    async def forget(self, *, before: datetime) -> int:
        """Remove what is done and was received before a moment; return how many."""
        old = {"done": True, "received_at": {"$lt": before}}
        with translated():
            return (await self._rows.delete_many(old, session=self._session)).deleted_count
