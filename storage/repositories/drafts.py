"""Commands that are still being asked for."""

from datetime import datetime

from core.domain.account import Place, Platform
from core.domain.draft import Draft
from core.ports.store import PAGE
from storage.repositories.entities import Database, Entities, Session


class Drafts(Entities[Draft]):
    """Unfinished commands."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Draft, name="drafts")

    async def of(self, account: str, place: Place, *, now: datetime) -> list[Draft]:
        """The drafts of an account in a place that have not expired, newest first."""
        here = {f"place.{name}": getattr(place, name) for name in ("platform", "chat", "thread")}
        query = {"account": account, "expires_at": {"$gt": now}} | here
        return await self._all(query, sort=[("created_at", -1)])

    async def open_on(self, platform: Platform, *, now: datetime) -> list[Draft]:
        """All drafts of a platform that have not expired."""
        return await self._all({"place.platform": platform, "expires_at": {"$gt": now}})

    async def expired(self, platform: Platform, *, now: datetime, limit: int = PAGE) -> list[Draft]:
        """Drafts of a platform whose time is over."""
        query = {"place.platform": platform, "expires_at": {"$lte": now}}
        return await self._all(query, sort=[("expires_at", 1)], limit=limit)
