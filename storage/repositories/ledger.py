"""The ledger: append-only transactions, and the balance rows they move, always in the same transaction."""

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from typing import Any

from core.domain.errors import KeyReused, Overdrawn
from core.domain.ledger import Act, Balance, Entry, Transaction, is_house
from core.ports.store import PAGE
from storage.errors import translated
from storage.repositories.entities import Database, Entities, Session


class Ledger:
    """Transactions and balances."""

    def __init__(self, database: Database, session: Session) -> None:
        self._transactions = Transactions(database, session)
        self._balances = Balances(database, session)

    async def post(self, transaction: Transaction) -> Transaction:
        """Append a transaction and move the balances with it; the same key and content again changes nothing.

        Raises:
            KeyReused: The key stands for other content.
            Overdrawn: A person's balance would go below zero.
        """
        if known := await self._transactions.find(transaction.id):
            if known.same_content(transaction):
                return known
            raise KeyReused(key=transaction.id)
        await self._transactions.add(transaction)
        for entry in transaction.entries:
            if not is_house(entry.account):
                await self._balances.move(entry)
        return transaction

    async def find(self, key: str) -> Transaction | None:
        """The transaction under a key."""
        return await self._transactions.find(key)

    async def balance(self, account: str) -> Balance:
        """What a ledger account holds; nothing where it never held anything."""
        return await self._balances.find(account) or Balance(id=account)

    async def of(
        self, owner: str, *, apart_from: Collection[Act] = (), after: str = "", limit: int = PAGE
    ) -> list[Transaction]:
        """The owner's transactions, but for some acts, newest first, from after a transaction on."""
        return await self._transactions.latest(owner, apart_from=apart_from, after=after, limit=limit)

    async def between(self, owner: str, start: datetime, end: datetime) -> list[Transaction]:
        """The owner's transactions from one moment until before another, oldest first."""
        return await self._transactions.by({"owner": owner, "at": {"$gte": start, "$lt": end}})

    async def replayed(self, owner: str, accounts: Collection[str], *, before: datetime) -> Balance:
        """What the owner's transactions before a moment add up to in some ledger accounts together."""
        return Balance(id=owner, **await self._transactions.sums(owner, accounts, before=before))

    async def about(self, job: str) -> list[Transaction]:
        """The transactions of one job, in order."""
        return await self._transactions.by({"job": job})

    def everything(self) -> AsyncIterator[Transaction]:
        """All transactions, for a proof."""
        return self._transactions.everything()

    def balances(self) -> AsyncIterator[Balance]:
        """All balance rows, for a proof."""
        return self._balances.everything()


class Transactions(Entities[Transaction]):
    """The append-only part."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Transaction, name="ledger")

    async def by(self, query: Mapping[str, Any]) -> list[Transaction]:
        """Transactions in order of time."""
        return await self._all(query, sort=[("at", 1), ("_id", 1)])

    async def latest(self, owner: str, *, apart_from: Collection[Act], after: str, limit: int) -> list[Transaction]:
        """The owner's transactions but for some acts, newest first, from after a transaction on."""
        return await self._latest(
            {"owner": owner}, "at", after=after, limit=limit, wanted=lambda one: one.act not in apart_from
        )

    async def sums(self, owner: str, accounts: Collection[str], *, before: datetime) -> dict[str, int]:
        """The same by lot, added up where the rows are: they may be those of years."""
        steps: list[Mapping[str, Any]] = [
            {"$match": {"owner": owner, "at": {"$lt": before}}},
            {"$unwind": "$entries"},
            {"$match": {"entries.account": {"$in": list(accounts)}}},
            {"$group": {"_id": "$entries.lot", "amount": {"$sum": "$entries.amount"}}},
        ]
        with translated():
            found = await self._rows.aggregate(steps, session=self._session)
            return {row["_id"]: row["amount"] async for row in found}


class Balances(Entities[Balance]):
    """One row per ledger account of a person or a job."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Balance, name="balances")

    async def move(self, entry: Entry) -> None:
        """Apply an entry.

        Raises:
            Overdrawn: The balance would go below zero.
        """
        lot, change = entry.lot.value, {"$inc": {entry.lot.value: entry.amount}}
        with translated():
            if entry.amount >= 0:
                await self._rows.update_one({"_id": entry.account}, change, upsert=True, session=self._session)
                return
            enough = {"_id": entry.account, lot: {"$gte": -entry.amount}}
            moved = await self._rows.update_one(enough, change, session=self._session)
        if not moved.modified_count:
            raise Overdrawn(account=entry.account)
