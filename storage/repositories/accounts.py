"""Accounts by name, what belongs to them (logins, link codes), and the audit log of what they did."""

from typing import TypeVar

from core.domain.account import Account, Role
from core.domain.audit import Audit
from core.domain.value import Entity
from core.ports.store import PAGE
from storage.repositories.entities import Database, Entities, Session, pattern

E = TypeVar("E", bound=Entity)
PRESENT = {"merged_into": None, "forgotten_at": None}


class Accounts(Entities[Account]):
    """Persons."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Account, name="accounts")

    async def named(self, name: str) -> list[Account]:
        """Those whose name begins so, by name; nobody who was forgotten."""
        query = {"name": {"$regex": f"^{pattern(name)}", "$options": "i"}} | PRESENT
        return await self._all(query, sort=[("name", 1), ("_id", 1)], limit=PAGE)

    async def covering(self, role: Role) -> list[Account]:
        """Those whose role is this one, or one that includes it."""
        return await self._all({"role": {"$in": [one for one in Role if one.covers(role)]}, "merged_into": None})

    async def page(self, *, after: str = "", limit: int = PAGE) -> list[Account]:
        """Everyone that was not taken over by another account, or forgotten, by id from after an id on."""
        return await self._all({"_id": {"$gt": after}} | PRESENT, limit=limit)

    async def taken_over(self, account: str) -> list[Account]:
        """Those that an account has taken over."""
        return await self._all({"merged_into": account})

    async def forgetting(self, *, limit: int = PAGE) -> list[Account]:
        """Those who wished to be forgotten, and of whom something may be left."""
        return await self._all({"erased_at": None, "forgotten_at": {"$ne": None}, "merged_into": None}, limit=limit)


class Belongings(Entities[E]):
    """What belongs to one account."""

    async def of(self, account: str) -> list[E]:
        """All that belong to an account."""
        return await self._all({"account": account})


class Audits(Entities[Audit]):
    """The audit log."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Audit, name="audits")

    async def latest(self, *, actor: str | None = None, after: str = "", limit: int = PAGE) -> list[Audit]:
        """The latest acts, of one account if it is named, newest first, from after an act on."""
        return await self._latest({"actor": actor} if actor else {}, "at", after=after, limit=limit)
