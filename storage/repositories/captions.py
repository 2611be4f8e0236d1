"""Caption versions: every state of every caption."""

from collections.abc import Collection

from core.domain.caption import MAIN, CaptionVersion, Scene
from storage.repositories.entities import Database, Entities, Session

AT_ONCE = 250  # names in one query: the embedded database compares each with each


class Captions(Entities[CaptionVersion]):
    """Append-only."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=CaptionVersion, name="captions")

    async def of(self, item: str, set: str = MAIN) -> list[CaptionVersion]:  # noqa: A002 - the word of the domain
        """The versions of one caption in a set, oldest first."""
        return await self._all({"item": item, "set": set}, sort=[("version", 1)])

    async def clear(self, items: Collection[str]) -> None:
        """Delete every version of every caption of some items."""
        names = list(items)
        for first in range(0, len(names), AT_ONCE):
            await self._clear({"item": {"$in": names[first : first + AT_ONCE]}})


class Scenes(Entities[Scene]):
    """What captioners have said in jobs that go on."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Scene, name="scenes")

    async def of(self, job: str) -> list[Scene]:
        """The scenes of one job."""
        return await self._all({"job": job})

    async def clear(self, job: str) -> None:
        """Delete the scenes of one job."""
        await self._clear({"job": job})
