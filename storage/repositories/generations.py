"""Generations: by owner."""

from core.domain.generation import Generation
from core.ports.store import PAGE
from storage.repositories.entities import Database, Entities, Session


class Generations(Entities[Generation]):
    """Pictures made from prompts."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Generation, name="generations")

    async def owned(self, owner: str, *, limit: int = PAGE) -> list[Generation]:
        """The owner's generations that are not deleted, newest first."""
        return await self._all({"owner": owner, "deleted_at": None}, sort=[("created_at", -1)], limit=limit)
