"""Posts: events on their way to webhooks, and those that have arrived lately."""

from collections.abc import Collection
from datetime import datetime

from core.domain.webhook import Post, PostState
from core.ports.store import PAGE
from storage.errors import translated
from storage.repositories.entities import Database, Entities, Session


class Posts(Entities[Post]):
    """Events on their way to webhooks."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Post, name="posts")

    async def due(self, *, now: datetime, apart_from: Collection[str] = (), limit: int = PAGE) -> list[Post]:
        """Posts that may be sent now, to all but some webhooks, the longest due first.

        Which webhooks is read from the index alone; only the embedded database reads all that is due.
        """
        query = {"state": PostState.PENDING, "due_at": {"$lte": now}, "webhook": {"$nin": list(apart_from)}}
        return await self._all(query, sort=[("due_at", 1)], limit=limit)

    async def of(self, webhook: str, *, limit: int = PAGE) -> list[Post]:
        """The latest posts to one webhook, newest first."""
        return await self._all({"webhook": webhook}, sort=[("created_at", -1)], limit=limit)

    async def clear(self, webhook: str) -> None:
        """Delete all posts to one webhook."""
        await self._clear({"webhook": webhook})

    async def forget(self, *, before: datetime) -> int:
        """Delete the posts of before a moment; return how many."""
        with translated():
            gone = await self._rows.delete_many({"created_at": {"$lt": before}}, session=self._session)
        return gone.deleted_count
