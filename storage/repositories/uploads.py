"""Upload sessions."""

from datetime import datetime

from core.domain.upload import Upload, UploadState
from core.ports.store import PAGE
from storage.documents import Document
from storage.errors import translated
from storage.repositories.entities import Database, Entities, Session


class Uploads(Entities[Upload]):
    """Files on their way in, piece by piece."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Upload, name="uploads")

    async def stale(self, *, now: datetime, limit: int = PAGE) -> list[Upload]:
        """Open sessions whose time is over."""
        query = {"state": UploadState.OPEN, "expires_at": {"$lte": now}}
        return await self._all(query, sort=[("expires_at", 1)], limit=limit)

    async def open_for(self, dataset: str, *, now: datetime) -> list[Upload]:
        """The sessions of a dataset that still take files, oldest first."""
        return await self._all({"dataset": dataset, **_open(now)}, sort=[("created_at", 1)])

    async def opened(self, account: str, *, now: datetime) -> int:
        """How many sessions of an account still take files."""
        with translated():
            return await self._rows.count_documents({"account": account, **_open(now)}, session=self._session)

    async def reserved(self, account: str, *, now: datetime) -> int:
        """How many bytes are announced in the sessions of an account that still take files."""
        steps: list[Document] = [
            {"$match": {"account": account, **_open(now)}},
            {"$unwind": "$files"},
            {"$group": {"_id": None, "bytes": {"$sum": "$files.size"}}},
        ]
        with translated():
            found = await (await self._rows.aggregate(steps, session=self._session)).to_list()
        return found[0]["bytes"] if found else 0


def _open(now: datetime) -> Document:
    return {"state": UploadState.OPEN, "expires_at": {"$gt": now}}
