"""Notices that wait for delivery, and the cards of a place."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from core.domain.account import Place, Platform
from core.domain.notice import Card, Notice, NoticeState
from core.ports.store import PAGE
from storage.repositories.entities import Database, Entities, Session


class Notices(Entities[Notice]):
    """The outbox."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Notice, name="notices")

    async def pending(
        self,
        platform: Platform,
        *,
        chat: str | None = None,
        apart_from: Collection[str] = (),
        now: datetime,
        limit: int = PAGE,
    ) -> list[Notice]:
        """Notices due on a platform, in one chat or all but some, that no front end is delivering, oldest first."""
        query = {
            "place.platform": platform,
            "state": NoticeState.PENDING,
            "place.chat": {"$nin": list(apart_from)} if chat is None else chat,
            "$and": [_past("claimed_until", now), _past("not_before", now)],
        }
        return await self._all(query, sort=[("created_at", 1)], limit=limit)


class Cards(Entities[Card]):
    """Messages about jobs."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Card, name="cards")

    async def open_at(self, place: Place) -> list[Card]:
        """The cards in one place that are still kept up to date, oldest first."""
        query = {f"place.{name}": getattr(place, name) for name in ("platform", "chat", "thread")} | {"closed": False}
        return await self._all(query, sort=[("created_at", 1)])

    async def of(self, job: str) -> list[Card]:
        """The cards of one job."""
        return await self._all({"job": job})

    async def due(
        self, platform: Platform, *, apart_from: Collection[str] = (), now: datetime, limit: int = PAGE
    ) -> list[Card]:
        """Open cards in all but some chats whose time has come and that no front end is at, oldest first."""
        query = {
            "place.platform": platform,
            "closed": False,
            "place.chat": {"$nin": list(apart_from)},
            "$and": [_past("claimed_until", now), _past("next_at", now)],
        }
        return await self._all(query, sort=[("next_at", 1), ("created_at", 1)], limit=limit)


def _past(field: str, now: datetime) -> dict[str, Any]:
    return {"$or": [{field: None}, {field: {"$lte": now}}]}
