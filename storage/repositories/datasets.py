"""Datasets and their items."""

from typing import Any

from core.domain.dataset import Dataset, Item, Review
from core.domain.rating import Rating
from core.ports.store import PAGE
from storage.repositories.entities import Database, Entities, Session, pattern


class Datasets(Entities[Dataset]):
    """Datasets; the queries see none that is deleted."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Dataset, name="datasets")

    async def owned(self, owner: str, *, text: str = "", after: str = "", limit: int = PAGE) -> list[Dataset]:
        """The owner's datasets by folded name: those that contain the text, from after a folded name on."""
        folded: dict[str, Any] = {"$gt": after}
        if text:
            folded["$regex"] = pattern(text)
        query = {"owner": owner, "deleted_at": None, "folded": folded}
        return await self._all(query, sort=[("folded", 1)], limit=limit)

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

    async def of(self, dataset: str) -> list[Item]:
        """All items of a dataset by position."""
        return await self._all({"dataset": dataset}, sort=[("position", 1)])
