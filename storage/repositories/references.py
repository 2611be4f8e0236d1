"""Reference counts on blob rows, changed in the transaction that refers."""

from core.domain.errors import BlobGone
from storage.errors import translated
from storage.repositories.entities import Database, Session


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
        for name in names:
            alive = {"_id": name, "doomed_at": None}
            with translated():
                counted = await self._rows.update_one(alive, {"$inc": {"references": 1}}, session=self._session)
            if not counted.modified_count:
                raise BlobGone(sha256=name)

    async def forget(self, *names: str) -> None:
        """Count one less for each sha256; the sweeper looks again a day from then."""
        for name in names:
            with translated():
                fewer = {"$inc": {"references": -1}, "$currentDate": {"touched_at": True}}
                await self._rows.update_one({"_id": name}, fewer, session=self._session)
