"""Reference counts on blob rows, changed in the transaction that refers."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from core.domain.errors import BlobGone
from storage.errors import translated
from storage.repositories.entities import Database, Session

AT_ONCE = 100  # names in one update: one for each would take the embedded database twice as long


class References:
    """Who refers to which bytes."""

    def __init__(self, database: Database, session: Session) -> None:
        self._session = session
        self._rows = database["blobs"]

    async def refer(self, *names: str) -> None:
        """Count one more reference to each sha256.

        Raises:
            BlobGone: The bytes are gone or just being swept.
        """
        for times, some in _counted(names):
            alive = {"_id": {"$in": some}, "doomed_at": None}
            with translated():
                more = {"$inc": {"references": times}}
                counted = await self._rows.update_many(alive, more, session=self._session)
                if counted.modified_count == len(some):
                    continue
                here = {row["_id"] async for row in self._rows.find(alive, {"_id": 1}, session=self._session)}
            raise BlobGone(sha256=next(name for name in some if name not in here))

    async def forget(self, *names: str) -> None:
        """Count one less for each sha256; the sweeper looks again a day from then."""
        for times, some in _counted(names):
            fewer = {"$inc": {"references": -times}, "$currentDate": {"touched_at": True}}
            with translated():
                await self._rows.update_many({"_id": {"$in": some}}, fewer, session=self._session)


def _counted(names: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Names that are said equally often, so many at once, each once."""
    alike = defaultdict[int, list[str]](list)
    for name, times in Counter(names).items():
        alike[times].append(name)
    for times, every in alike.items():
        for first in range(0, len(every), AT_ONCE):
            yield times, every[first : first + AT_ONCE]
