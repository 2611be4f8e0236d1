"""Models: by owner, by trigger word, and those for everyone."""

from collections.abc import Sequence

from core.domain.model import Model, Visibility
from core.ports.store import PAGE
from storage.repositories.entities import Database, Entities, Session


class Models(Entities[Model]):
    """Trained models."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Model, name="models")

    async def owned(self, owner: str, *, limit: int = PAGE) -> list[Model]:
        """The owner's models, newest first."""
        return await self._all({"owner": owner}, sort=[("created_at", -1)], limit=limit)

    async def called(self, words: Sequence[str], *, account: str) -> list[Model]:
        """Models with one of these trigger words that are the account's (newest first) or public (earliest first)."""
        trigger = {"$in": list(words)}
        mine = await self._all({"trigger": trigger, "owner": account}, sort=[("created_at", -1)])
        public = {"trigger": trigger, "visibility": Visibility.PUBLIC, "owner": {"$ne": account}}
        return [*mine, *await self._all(public, sort=[("published_at", 1)])]

    async def of_run(self, run: str) -> Model | None:
        """The model that a run has made."""
        return await self._one({"run": run})

    async def public(self, *, limit: int = PAGE) -> list[Model]:
        """Models for everyone, newest first."""
        return await self._all({"visibility": Visibility.PUBLIC}, sort=[("published_at", -1)], limit=limit)
