"""Generations: by owner."""

from collections.abc import Collection, Mapping
from typing import Any

from core.domain.account import FORGOTTEN
from core.domain.generation import Generation
from core.ports.store import PAGE
from storage.errors import translated
from storage.repositories.entities import Database, Entities, Session


class Generations(Entities[Generation]):
    """Pictures made from prompts."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Generation, name="generations")

    async def owned(self, owner: str, *, after: str = "", limit: int = PAGE) -> list[Generation]:
        """The owner's generations that are not deleted, newest first, from after one on."""
        return await self._latest({"owner": owner, "deleted_at": None}, "created_at", after=after, limit=limit)

    async def unname(self, model: str, names: Collection[str]) -> None:
        """Call a model no longer by its names, in whatever was drawn with it."""
        fields = {"adapters.$[worn].name": FORGOTTEN, "trace.$[said].model": FORGOTTEN}
        which: list[Mapping[str, Any]] = [{"worn.model": model}, {"said.model": {"$in": list(names)}}]
        with translated():
            await self._rows.update_many(
                {"adapters.model": model}, {"$set": fields}, array_filters=which, session=self._session
            )
