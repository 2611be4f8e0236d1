"""Caption versions: every state of every caption."""

from core.domain.caption import CaptionVersion
from storage.repositories.entities import Database, Entities, Session


class Captions(Entities[CaptionVersion]):
    """Append-only."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=CaptionVersion, name="captions")

    async def of(self, item: str) -> list[CaptionVersion]:
        """The versions of one caption, oldest first."""
        return await self._all({"item": item}, sort=[("version", 1)])
