"""The ledger: append-only transactions, and the balance rows they move, always in the same transaction."""

from collections.abc import AsyncIterator

from core.domain.errors import KeyReused, Overdrawn
from core.domain.ledger import Balance, Entry, Transaction, is_house
from core.ports.store import PAGE
from storage.documents import entity
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

    async def of(self, owner: str, *, limit: int = PAGE) -> list[Transaction]:
        """The owner's transactions, newest first."""
        return await self._transactions.by({"owner": owner}, order=-1, limit=limit)

    async def about(self, job: str) -> list[Transaction]:
        """The transactions of one job, in order."""
        return await self._transactions.by({"job": job}, order=1, limit=0)

    def everything(self) -> AsyncIterator[Transaction]:
        """All transactions, for a proof."""
        return self._transactions.each()

    def balances(self) -> AsyncIterator[Balance]:
        """All balance rows, for a proof."""
        return self._balances.each()


class Transactions(Entities[Transaction]):
    """The append-only part."""

    def __init__(self, database: Database, session: Session) -> None:
        super().__init__(database, session, shape=Transaction, name="ledger")

    async def by(self, query: dict[str, str], *, order: int, limit: int) -> list[Transaction]:
        """Transactions in order of time."""
        return await self._all(query, sort=[("at", order), ("_id", order)], limit=limit)

    async def each(self) -> AsyncIterator[Transaction]:
        """All of them, streamed."""
        with translated():
            async for row in self._rows.find(session=self._session):
                yield entity(Transaction, row)


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

    async def each(self) -> AsyncIterator[Balance]:
        """All of them, streamed."""
        with translated():
            async for row in self._rows.find(session=self._session):
                yield entity(Balance, row)
