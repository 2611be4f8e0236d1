"""Upload sessions."""

from datetime import datetime

from core.domain.upload import Upload, UploadState
from core.ports.store import PAGE
from storage.repositories.entities import Database, Entities, Session


class Uploads(Entities[Upload]):
    """Files on their way in, piece by piece."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Upload, name="uploads")

    async def stale(self, *, now: datetime, limit: int = PAGE) -> list[Upload]:
        """Open sessions whose time is over."""
        query = {"state": UploadState.OPEN, "expires_at": {"$lte": now}}
        return await self._all(query, sort=[("expires_at", 1)], limit=limit)
