"""Datasets, their items and the parts of their conversations."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from core.domain.conversation import Part
from core.domain.dataset import Access, Dataset, Review, Scope, Status
from core.domain.item import Item
from core.domain.quota import Usage
from core.domain.rating import Rating
from core.ports.store import PAGE
from storage.errors import translated
from storage.repositories.entities import Database, Entities, Session, pattern


class Datasets(Entities[Dataset]):
    """Datasets; the queries see none that is deleted."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Dataset, name="datasets")

    async def owned(self, owner: str, *, text: str = "", after: str = "", limit: int = PAGE) -> list[Dataset]:
        """The owner's datasets by folded name: those that contain the text, from after a folded name on."""
        return await self.listed(owner, Scope.MINE, text=text, after=after, limit=limit)

    async def listed(
        self,
        account: str,
        scope: Scope,
        *,
        text: str = "",
        status: Status | None = None,
        tag: str | None = None,
        ratings: Collection[Rating] = tuple(Rating),
        after: str = "",
        skip: int = 0,
        limit: int = PAGE,
    ) -> list[Dataset]:
        """The datasets of a scope for an account, as `owned`; those for everyone the latest changed first.

        The bin is listed without what is being purged, the latest deleted first. The first `skip` are passed over.
        """
        query = _narrowed(text=text, status=status, tag=tag, ratings=ratings, after=after)
        where, order = _shelf(account, scope)
        return await self._all(query | where, sort=[order], skip=skip, limit=limit)

    async def counted(
        self,
        account: str,
        scope: Scope,
        *,
        text: str = "",
        status: Status | None = None,
        tag: str | None = None,
        ratings: Collection[Rating] = tuple(Rating),
    ) -> int:
        """How many `listed` would find without a limit."""
        where, _ = _shelf(account, scope)
        query = _narrowed(text=text, status=status, tag=tag, ratings=ratings) | where
        with translated():
            return await self._rows.count_documents(query, session=self._session)

    async def purgeable(self, *, before: datetime) -> list[Dataset]:
        """Everybody's datasets that were deleted before a moment, and those whose purge is not at its end."""
        overdue, begun = {"deleted_at": {"$lt": before}}, {"purged_at": {"$type": "date"}}
        return await self._all({"$or": [overdue, begun]})

    async def of_character(self, character: str) -> list[Dataset]:
        """The datasets of a character that are not deleted."""
        return await self._all({"character": character, "deleted_at": None}, sort=[("folded", 1)])

    async def usage(self, owner: str) -> Usage:
        """What the owner's datasets hold, those that are deleted but not purged included."""
        stored = {"$group": {"_id": None, "bytes": {"$sum": "$bytes"}, "items": {"$sum": "$count"}}}
        with translated():
            found = await self._rows.aggregate([{"$match": {"owner": owner}}, stored], session=self._session)
            rows = [row async for row in found]
        return Usage(bytes=rows[0]["bytes"], items=rows[0]["items"]) if rows else Usage()

    async def named(self, owner: str, folded: str) -> Dataset | None:
        """The owner's dataset of exactly this folded name."""
        return await self._one({"owner": owner, "deleted_at": None, "folded": folded})

    async def unreviewed(self, *, limit: int = PAGE) -> list[Dataset]:
        """Datasets for adults with pictures that wait for a moderator, oldest change first."""
        waiting = {"rating": Rating.NSFW, "review": Review.PENDING, "count": {"$gt": 0}, "deleted_at": None}
        return await self._all(waiting, sort=[("updated_at", 1)], limit=limit)


class Items(Entities[Item]):
    """Pictures in datasets."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Item, name="items")

    async def of(self, dataset: str, *, after: int = -1, limit: int = 0) -> list[Item]:
        """The items of a dataset by position, from after one on; all unless there is a limit."""
        query: dict[str, Any] = {"dataset": dataset} | ({"position": {"$gt": after}} if after >= 0 else {})
        return await self._all(query, sort=[("position", 1)], limit=limit)

    async def remove_all(self, names: Collection[str]) -> None:
        """Delete the items of these ids."""
        await self._clear({"_id": {"$in": list(names)}})

    async def clear(self, dataset: str) -> None:
        """Delete all items of a dataset."""
        await self._clear({"dataset": dataset})


class Parts(Entities[Part]):
    """Conversations in datasets."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Part, name="parts")

    async def of(self, dataset: str) -> list[Part]:
        """All parts of a dataset by position."""
        return await self._all({"dataset": dataset}, sort=[("position", 1)])

    async def clear(self, dataset: str) -> None:
        """Delete all parts of a dataset."""
        await self._clear({"dataset": dataset})


def _narrowed(
    *, text: str, status: Status | None, tag: str | None, ratings: Collection[Rating], after: str = ""
) -> dict[str, Any]:
    """What else is asked of the datasets of a scope."""
    name = ({"$gt": after} if after else {}) | ({"$regex": pattern(text)} if text else {})
    wanted = {"folded": name, "status": status, "tags": tag}
    query: dict[str, Any] = {field: value for field, value in wanted.items() if value}
    return query | ({"rating": {"$in": list(ratings)}} if len(ratings) < len(Rating) else {})


def _shelf(account: str, scope: Scope) -> tuple[dict[str, Any], tuple[str, int]]:
    """Where the datasets of a scope are found, and in which order."""
    usable = {"deleted_at": None, "suspended": None, "revoked_at": None}
    match scope:
        case Scope.MINE:
            return {"owner": account, "deleted_at": None}, ("folded", 1)
        case Scope.SHARED:
            return {"shared": account, **usable}, ("folded", 1)
        case Scope.PUBLIC:
            return {"access": Access.PUBLIC, **usable}, ("updated_at", -1)
        case Scope.DELETED:
            return {"owner": account, "deleted_at": {"$ne": None}, "purged_at": None}, ("deleted_at", -1)
