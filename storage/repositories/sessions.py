"""What is somebody's for some time: sign-ins, sessions and tokens."""

from datetime import datetime
from typing import TypeVar

from core.domain import session as signed_in
from core.domain.value import Entity
from storage.errors import translated
from storage.repositories.accounts import Belongings
from storage.repositories.entities import Database, Session

E = TypeVar("E", bound=Entity)


class Expiring(Belongings[E]):
    """What belongs to one account until a moment."""

    async def forget(self, *, before: datetime) -> int:
        """Remove what was over before a moment; return how many."""
        with translated():
            gone = await self._rows.delete_many({"expires_at": {"$lt": before}}, session=self._session)
        return gone.deleted_count


class Sessions(Expiring[signed_in.Session]):
    """Browsers in which people are signed in."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=signed_in.Session, name="sessions")
