"""The books in memory: the few repositories that money needs, for rules that are tried a hundred thousand times."""

from collections import Counter, defaultdict
from collections.abc import Coroutine, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Generic, TypeVar, cast

from core.domain.account import Account
from core.domain.allowance import Allowance
from core.domain.errors import KeyReused
from core.domain.generation import Generation
from core.domain.ledger import Balance, Lot, Transaction, is_house
from core.domain.model import Model
from core.domain.payout import Payout
from core.domain.royalty import Remainder, Usage
from core.domain.value import Entity
from core.ports.store import Repositories

E = TypeVar("E", bound=Entity)
T = TypeVar("T")


class Rows(Generic[E]):
    """Entities of one shape by id, as a repository has them."""

    def __init__(self) -> None:
        self.all: dict[str, E] = {}

    async def find(self, name: str) -> E | None:
        return self.all.get(name)

    async def get(self, name: str) -> E:
        return self.all[name]

    async def add(self, entity: E) -> None:
        assert entity.id not in self.all
        self.all[entity.id] = entity

    async def save(self, entity: E) -> None:
        self.all[entity.id] = entity


class Uses(Rows[Usage]):
    """Usages; `touched` are the generations whose uses were written."""

    def __init__(self) -> None:
        super().__init__()
        self.touched: set[str] = set()

    async def save(self, entity: Usage) -> None:
        self.touched.add(entity.generation)
        await super().save(entity)

    async def add(self, entity: Usage) -> None:
        self.touched.add(entity.generation)
        await super().add(entity)

    async def of(self, made: str) -> Sequence[Usage]:
        return sorted((one for one in self.all.values() if one.generation == made), key=lambda one: one.model)

    async def due(self, owner: str, *, now: datetime, limit: int) -> Sequence[Usage]:
        waiting = [one for one in self.all.values() if one.owner == owner and one.due and one.due <= now]
        return sorted(waiting, key=lambda one: one.due or now)[:limit]


class Book:
    """The ledger: transactions by key, and what they have added up to."""

    def __init__(self) -> None:
        self.posted: dict[str, Transaction] = {}
        self.held: dict[str, Counter[Lot]] = defaultdict(Counter)
        self._of_job: dict[str, list[Transaction]] = defaultdict(list)

    async def post(self, transaction: Transaction) -> Transaction:
        if known := self.posted.get(transaction.id):
            if not known.same_content(transaction):
                raise KeyReused(key=transaction.id)
            return known
        for entry in transaction.entries:
            lots = self.held[entry.account]
            lots[entry.lot] += entry.amount
            assert is_house(entry.account) or lots[entry.lot] >= 0, f"{transaction.id} overdraws {entry.account}"
        self.posted[transaction.id] = transaction
        if transaction.job:
            self._of_job[transaction.job].append(transaction)
        return transaction

    async def find(self, key: str) -> Transaction | None:
        return self.posted.get(key)

    async def balance(self, account: str) -> Balance:
        lots = self.held.get(account, Counter())
        return Balance(id=account, **{lot.value: amount for lot, amount in lots.items()})

    async def about(self, job: str) -> Sequence[Transaction]:
        return self._of_job[job]

    def total(self, account: str) -> int:
        """What a ledger account holds, all lots together."""
        return self.held[account].total() if account in self.held else 0


class Books:
    """All of it; `tx` is as much of the repositories as money needs."""

    def __init__(self) -> None:
        self.book, self.usages = Book(), Uses()
        self.accounts, self.models, self.generations = Rows[Account](), Rows[Model](), Rows[Generation]()
        self.payouts, self.remainders = Rows[Payout](), Rows[Remainder]()
        rows = {
            "accounts": self.accounts,
            "allowances": Rows[Allowance](),
            "generations": self.generations,
            "ledger": self.book,
            "models": self.models,
            "references": SimpleNamespace(refer=_referred),
            "remainders": self.remainders,
            "usages": self.usages,
        }
        self.tx = cast("Repositories", SimpleNamespace(**rows))


async def _referred(*_: str) -> None:
    """Files are no part of this."""


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        return cast("T", end.value)
    raise AssertionError("it waits")
