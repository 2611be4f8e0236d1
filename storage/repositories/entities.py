"""What every repository does: find, get, add and save entities of one shape in one collection."""

import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from pymongo import ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase

from core.domain.errors import NotFound
from core.domain.value import Entity
from storage.documents import Document, document, entity
from storage.errors import translated

E = TypeVar("E", bound=Entity)
Database = AsyncDatabase[Document]
Session = AsyncClientSession | None
LONGEST = 128  # characters to look for: no name has more, and a pattern may not be of any length


class Entities(Generic[E]):
    """Entities of one shape in the collection `name`, as part of the session's transaction if there is one."""

    def __init__(self, database: Database, session: Session, *, shape: type[E], name: str) -> None:
        self._session = session
        self._shape = shape
        self._rows: AsyncCollection[Document] = database[name]

    async def find(self, name: str) -> E | None:
        """The entity of this id, if there is one."""
        return await self._one({"_id": name})

    async def get(self, name: str) -> E:
        """The entity of this id.

        Raises:
            NotFound: There is none.
        """
        found = await self.find(name)
        if found is None:
            raise NotFound(noun=self._shape.__name__.lower(), name=name, hint="It may have been removed.")
        return found

    async def several(self, names: Collection[str]) -> list[E]:
        """The entities of these ids, by id, as far as there are any."""
        return await self._all({"_id": {"$in": list(names)}}) if names else []

    async def add(self, entity: E) -> None:
        """Insert a new entity."""
        with translated():
            await self._rows.insert_one(document(entity), session=self._session)

    async def save(self, entity: E) -> None:
        """Replace the entity of the same id, or insert it."""
        with translated():
            await self._rows.replace_one({"_id": entity.id}, document(entity), upsert=True, session=self._session)

    async def add_all(self, entities: Sequence[E]) -> None:
        """Insert new entities in one go."""
        if entities:
            with translated():
                await self._rows.insert_many([document(entity) for entity in entities], session=self._session)

    async def save_all(self, entities: Sequence[E]) -> None:
        """Replace entities of the same ids in one go."""
        if entities:
            writes = [ReplaceOne({"_id": entity.id}, document(entity), upsert=True) for entity in entities]
            with translated():
                await self._rows.bulk_write(writes, session=self._session)

    async def remove(self, name: str) -> bool:
        """Delete the entity of this id; whether there was one: of two who ask at the same time, one is told so."""
        with translated():
            return (await self._rows.delete_one({"_id": name}, session=self._session)).deleted_count == 1

    async def everything(self) -> AsyncIterator[E]:
        """All of them, streamed in no order."""
        with translated():
            async for row in self._rows.find(session=self._session):
                yield entity(self._shape, row)

    async def _one(self, query: Mapping[str, Any]) -> E | None:
        with translated():
            found = await self._rows.find_one(query, session=self._session)
        return entity(self._shape, found) if found else None

    async def _clear(self, query: Mapping[str, Any]) -> None:
        with translated():
            await self._rows.delete_many(query, session=self._session)

    async def _all(
        self,
        query: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] = (("_id", 1),),
        skip: int = 0,
        limit: int = 0,
    ) -> list[E]:
        with translated():
            found = self._rows.find(query, session=self._session).sort(list(sort)).skip(skip).limit(limit)
            return [entity(self._shape, row) async for row in found]

    async def _latest(
        self, query: Mapping[str, Any], moment: str, *, after: str, limit: int, wanted: Callable[[E], bool] = bool
    ) -> list[E]:
        """The newest first by the field of a moment, those of one moment by id, from after the entity of an id on.

        The query says what fields are. What is not wanted is sorted out here: the embedded database leaves an index
        alone when a condition is not part of it. Each portion is twice the one before, and leaves no cursor open.

        Raises:
            NotFound: There is no such entity among them (any more) to go on from.
        """
        last = await self.find(after) if after else None
        if after and (last is None or any(getattr(last, name) != value for name, value in query.items())):
            raise NotFound(noun="place to go on from", name=after, hint="Begin again with the newest.")

        def place(one: E) -> tuple[datetime, str]:
            return getattr(one, moment), one.id

        found, most = list[E](), limit
        while True:
            most *= 2
            bound = {moment: {"$lte": getattr(last, moment)}} if last else {}
            rows = await self._all({**query, **bound}, sort=[(moment, -1), ("_id", -1)], limit=most)
            found += [one for one in rows if (last is None or place(one) < place(last)) and wanted(one)]
            if not limit or len(found) >= limit or len(rows) < most:
                return found[: limit or None]
            last = min(rows[-1], last or rows[-1], key=place)


def pattern(text: str) -> str:
    """What finds a text in a name, whatever somebody has typed."""
    return re.escape(text.replace("\0", "")[:LONGEST])
