"""Accounts by name; logins need no query of their own."""

from core.domain.account import Account
from storage.repositories.entities import Database, Entities, Session


class Accounts(Entities[Account]):
    """Persons."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Account, name="accounts")

    async def named(self, name: str) -> list[Account]:
        """Those who are called so."""
        return await self._all({"name": name}, limit=10)
