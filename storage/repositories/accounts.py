"""Accounts by name, their logins, and the audit log of what they did."""

from core.domain.account import Account, Identity
from core.domain.audit import Audit
from core.ports.store import PAGE
from storage.repositories.entities import Database, Entities, Session


class Accounts(Entities[Account]):
    """Persons."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Account, name="accounts")

    async def named(self, name: str) -> list[Account]:
        """Those who are called so."""
        return await self._all({"name": name, "merged_into": None}, limit=10)

    async def page(self, *, after: str = "", limit: int = PAGE) -> list[Account]:
        """Everyone that was not taken over by another account, by id from after an id on."""
        return await self._all({"_id": {"$gt": after}, "merged_into": None}, limit=limit)


class Identities(Entities[Identity]):
    """Logins."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Identity, name="identities")

    async def of(self, account: str) -> list[Identity]:
        """The logins of one account."""
        return await self._all({"account": account})


class Audits(Entities[Audit]):
    """The audit log."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Audit, name="audits")

    async def latest(self, *, actor: str | None = None, limit: int = PAGE) -> list[Audit]:
        """The latest acts, of one account if it is named, newest first."""
        return await self._all({"actor": actor} if actor else {}, sort=[("at", -1)], limit=limit)
