"""The fleet as it was last heard of."""

from datetime import datetime

from core.domain.fleet import Worker
from storage.repositories.entities import Database, Entities, Session


class Workers(Entities[Worker]):
    """Polling processes."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Worker, name="workers")

    async def seen_since(self, moment: datetime) -> list[Worker]:
        """Workers heard of since then, by id."""
        return await self._all({"seen_at": {"$gte": moment}})

    async def seen_before(self, moment: datetime) -> list[Worker]:
        """Workers not heard of since then, by id."""
        return await self._all({"seen_at": {"$lt": moment}})
