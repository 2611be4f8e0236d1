"""Notices that wait for delivery, and the cards of a place."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, TypeVar

from core.domain.account import Place, Platform
from core.domain.notice import Card, Notice, NoticeState
from core.ports.store import PAGE
from storage.documents import entity
from storage.errors import translated
from storage.repositories.entities import Database, Entities, Session

T = TypeVar("T", Notice, Card)


class Claimable(Entities[T]):
    """What front ends claim when its time has come."""

    async def _due(
        self, query: Mapping[str, Any], since: str, *, apart_from: Collection[str], now: datetime, limit: int
    ) -> list[T]:
        """What is free, and whose moment `since` is none or past: in that order, oldest first.

        The query is one range of an index, whatever waits for its moment by the thousand; the rest is sorted out here,
        since the embedded database leaves an index alone when a condition is not part of it.
        """
        found: list[T] = []
        with translated():
            for moment in (None, {"$lte": now}):
                rows = self._rows.find({**query, since: moment}, session=self._session, batch_size=4 * limit)
                async with rows.sort([(since, 1), ("created_at", 1)]):
                    async for row in rows:
                        one = entity(self._shape, row)
                        if _free(one, now=now) and one.place.chat not in apart_from:
                            found.append(one)
                        if len(found) == limit:
                            return found
        return found


class Notices(Claimable[Notice]):
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
        """Notices due on a platform, in one chat or all but some, that no front end is delivering, oldest first.

        What has no moment comes before what was given one.
        """
        query = {"place.platform": platform, "state": NoticeState.PENDING}
        if chat is None:
            return await self._due(query, "not_before", apart_from=apart_from, now=now, limit=limit)
        here = await self._all({**query, "place.chat": chat}, sort=[("created_at", 1)])
        return [one for one in here if _free(one, now=now) and (one.not_before or now) <= now][:limit]

    async def of(self, account: str, *, after: str = "", limit: int = PAGE) -> list[Notice]:
        """What an account is told, newest first, from after a notice on."""
        return await self._latest({"account": account}, "created_at", after=after, limit=limit)


class Cards(Claimable[Card]):
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
        query = {"place.platform": platform, "closed": False}
        return await self._due(query, "next_at", apart_from=apart_from, now=now, limit=limit)


def _free(one: Notice | Card, *, now: datetime) -> bool:
    return one.claimed_until is None or one.claimed_until <= now
