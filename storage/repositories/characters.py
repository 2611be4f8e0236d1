"""Characters: by owner, name and trigger word."""

from core.domain.character import Character
from storage.repositories.entities import Database, Entities, Session


class Characters(Entities[Character]):
    """Who is depicted; the queries but one see none that is deleted."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Character, name="characters")

    async def owned(self, owner: str) -> list[Character]:
        """The owner's characters by folded name."""
        return await self._all({"owner": owner, "deleted_at": None}, sort=[("folded", 1)])

    async def named(self, owner: str, folded: str) -> Character | None:
        """The owner's character of exactly this folded name."""
        return await self._one({"owner": owner, "deleted_at": None, "folded": folded})

    async def triggered(self, owner: str, trigger: str) -> Character | None:
        """The owner's character with this trigger word."""
        return await self._one({"owner": owner, "deleted_at": None, "trigger": trigger})

    async def deleted(self, owner: str) -> list[Character]:
        """The owner's deleted characters, the latest deleted first."""
        return await self._all({"owner": owner, "deleted_at": {"$ne": None}}, sort=[("deleted_at", -1)])
