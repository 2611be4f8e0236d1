"""Double-entry bookkeeping in integers: entries that sum to zero under one unique key. Pure postings, no storage.

Ledger accounts of a person: `account:<id>:points`, `:qoints`, `:earnings_pending`, `:earnings`, `:debt`; of a job
`hold:<job>`, of a payout `payout:<id>`; the house's begin with `house:`. Only the house may go below zero, and it has
no balance row: it is summed. What royalties are made of is purchased qoints, and stays in that lot.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Self

from pydantic import model_validator

from core.domain.errors import BadValue, NotEnoughPoints
from core.domain.value import Entity, Value

MINT = "house:mint"
SALES = "house:sales"
REVENUE = "house:revenue"
RESERVE = "house:royalty_reserve"
DEBTS = "house:debts"
PAID_OUT = "house:payouts"


class Currency(StrEnum):
    """Points are a free allowance that refills; qoints are granted or bought."""

    POINTS = "points"
    QOINTS = "qoints"


class Lot(StrEnum):
    """Where money came from, in the order in which it is spent."""

    FREE = "free"
    GRANTED = "granted"
    PURCHASED = "purchased"

    @property
    def currency(self) -> Currency:
        """The currency a lot is counted in."""
        return Currency.POINTS if self is Lot.FREE else Currency.QOINTS


class Balance(Entity):
    """What one ledger account (the id) holds, by lot."""

    free: int = 0
    granted: int = 0
    purchased: int = 0

    @property
    def lots(self) -> dict[Lot, int]:
        """The amounts by lot, in spending order."""
        return {Lot.FREE: self.free, Lot.GRANTED: self.granted, Lot.PURCHASED: self.purchased}

    @property
    def total(self) -> int:
        """All lots together."""
        return self.free + self.granted + self.purchased

    @property
    def qoints(self) -> int:
        """The lots that are qoints."""
        return self.granted + self.purchased


class Entry(Value):
    """One signed posting."""

    account: str
    lot: Lot
    amount: int


class Act(StrEnum):
    """What a transaction is for."""

    GRANT = "grant"
    REFILL = "refill"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"
    REFUND = "refund"
    MERGE = "merge"
    PURCHASE = "purchase"
    ROYALTY = "royalty"
    MATURE = "mature"
    CLAWBACK = "clawback"
    SPEND = "spend"
    PAYOUT = "payout"
    RETURN = "return"
    PAID = "paid"


class Transaction(Entity):
    """Entries that sum to zero in every lot, hence in every currency. The id is the unique key."""

    act: Act
    owner: str
    job: str | None = None
    why: str
    entries: tuple[Entry, ...]
    at: datetime

    @model_validator(mode="after")
    def _sums_to_zero(self) -> Self:
        if any(sums(self.entries).values()):
            msg = f"transaction {self.id} does not sum to zero"
            raise ValueError(msg)
        return self

    def same_content(self, other: "Transaction") -> bool:
        """Whether two requests under one key ask for the same thing, the moment aside."""
        return self == other.but(at=self.at)

    @property
    def amount(self) -> int:
        """How much moved."""
        return sum(entry.amount for entry in self.entries if entry.amount > 0)

    def change(self, account: str) -> int:
        """By how much it changes what a ledger account holds, all lots together."""
        return sum(entry.amount for entry in self.entries if entry.account == account)


def points(account: str) -> str:
    """The ledger account of a person's points."""
    return f"account:{account}:points"


def qoints(account: str) -> str:
    """The ledger account of a person's qoints."""
    return f"account:{account}:qoints"


def purse(account: str, lot: Lot) -> str:
    """The ledger account in which a person keeps a lot."""
    return points(account) if lot.currency is Currency.POINTS else qoints(account)


def earnings_pending(account: str) -> str:
    """The ledger account of royalties that can still be clawed back easily: their holding period runs."""
    return f"account:{account}:earnings_pending"


def earnings(account: str) -> str:
    """The ledger account of royalties that may be spent or paid out."""
    return f"account:{account}:earnings"


def debt(account: str) -> str:
    """The ledger account of what a person owes the house: later royalties repay it first."""
    return f"account:{account}:debt"


def books(account: str) -> tuple[str, ...]:
    """All ledger accounts of a person."""
    return points(account), qoints(account), earnings_pending(account), earnings(account), debt(account)


def held(job: str) -> str:
    """The ledger account of what is set aside for a job."""
    return f"hold:{job}"


def is_house(account: str) -> bool:
    """Whether a ledger account is the house's: summed, never stored, free to go below zero."""
    return account.startswith("house:")


def sums(entries: Iterable[Entry]) -> Counter[Lot]:
    """The sum of entries per lot; all zero in a sound ledger."""
    total: Counter[Lot] = Counter()
    for entry in entries:
        total[entry.lot] += entry.amount
    return total


def balances(transactions: Iterable[Transaction]) -> dict[str, Balance]:
    """Replay the entries of all transactions into the balance of every ledger account."""
    rows: dict[str, Balance] = {}
    for transaction in transactions:
        for entry in transaction.entries:
            row = rows.get(entry.account) or Balance(id=entry.account)
            rows[entry.account] = row.but(**{entry.lot.value: row.lots[entry.lot] + entry.amount})
    return rows


def spend(wallet: Balance, price: int) -> dict[Lot, int]:
    """Choose the lots that pay a price: points first, then granted, then purchased qoints.

    Raises:
        NotEnoughPoints: All lots together do not cover the price.
    """
    if wallet.total < price:
        raise NotEnoughPoints(price=price, balance=wallet.total, missing=price - wallet.total)
    return _taken(wallet.lots.items(), price)


def hold(
    wallet: Balance, price: int, *, owner: str, job: str, why: str, now: datetime, key: str | None = None
) -> Transaction:
    """Set the price of a job aside; what is added to it later has a key of its own.

    Raises:
        NotEnoughPoints: The wallet does not cover the price.
    """
    entries = moved(spend(wallet, price), source=lambda lot: purse(owner, lot), target=lambda _: held(job))
    return Transaction(id=f"hold:{key or job}", act=Act.HOLD, owner=owner, job=job, why=why, entries=entries, at=now)


def divided(on_hold: Balance, due: int) -> tuple[Balance, Balance]:
    """What of a hold is due, in the order in which lots are spent, and the rest, which goes back."""
    parts = _taken(on_hold.lots.items(), due)
    taken = {lot.value: parts.get(lot, 0) for lot in Lot}
    rest = {lot.value: amount - parts.get(lot, 0) for lot, amount in on_hold.lots.items()}
    return on_hold.but(**taken), on_hold.but(**rest)


def capture(on_hold: Balance, *, owner: str, job: str, why: str, now: datetime) -> Transaction:
    """Take what is set aside for a job and due."""
    entries = moved(on_hold.lots, source=lambda _: held(job), target=lambda _: REVENUE)
    return Transaction(id=f"capture:{job}", act=Act.CAPTURE, owner=owner, job=job, why=why, entries=entries, at=now)


def release(on_hold: Balance, *, owner: str, job: str, why: str, now: datetime) -> Transaction:
    """Give back what is set aside, to the exact lots it came from, also above the cap of points."""
    entries = moved(on_hold.lots, source=lambda _: held(job), target=lambda lot: purse(owner, lot))
    return Transaction(id=f"release:{job}", act=Act.RELEASE, owner=owner, job=job, why=why, entries=entries, at=now)


def captured(transactions: Iterable[Transaction]) -> Balance:
    """What was taken for a job and has not gone back, by lot, from all transactions of the job."""
    taken = (one for one in transactions if one.act in {Act.CAPTURE, Act.REFUND})
    return balances(taken).get(REVENUE) or Balance(id=REVENUE)


def refund(taken: Balance, amount: int, *, key: str, owner: str, job: str, why: str, now: datetime) -> Transaction:
    """Pay back some of what was captured, to the lots it came from: what was spent last goes back first.

    Raises:
        BadValue: The amount is not positive, or more than there is.
    """
    if not 0 < amount <= taken.total:
        raise BadValue(what="amount", value=str(amount), why=f"job {job} has {taken.total} to pay back")
    parts = _taken(reversed(taken.lots.items()), amount)
    entries = moved(parts, source=lambda _: REVENUE, target=lambda lot: purse(owner, lot))
    return Transaction(id=f"refund:{key}", act=Act.REFUND, owner=owner, job=job, why=why, entries=entries, at=now)


def grant(amount: int, *, key: str, owner: str, why: str, now: datetime) -> Transaction:
    """Mint qoints for somebody; the amount is positive."""
    entries = moved({Lot.GRANTED: amount}, source=lambda _: MINT, target=lambda lot: purse(owner, lot))
    return Transaction(id=f"grant:{key}", act=Act.GRANT, owner=owner, why=why, entries=entries, at=now)


def refill(wallet: Balance, *, owner: str, cap: int, now: datetime) -> Transaction | None:
    """Mint points up to the cap, once a day; None when the wallet is full."""
    if wallet.free >= cap:
        return None
    day: date = now.date()
    entries = moved({Lot.FREE: cap - wallet.free}, source=lambda _: MINT, target=lambda lot: purse(owner, lot))
    return Transaction(
        id=f"refill:{owner}:{day}", act=Act.REFILL, owner=owner, why=f"daily points of {day}", entries=entries, at=now
    )


def _taken(lots: Iterable[tuple[Lot, int]], amount: int) -> dict[Lot, int]:
    """An amount in parts, as much of each lot as there is, in the order given."""
    parts = {}
    for lot, left in lots:
        if part := min(left, amount):
            parts[lot] = part
            amount -= part
    return parts


def between(source: str, target: str, parts: Mapping[Lot, int]) -> tuple[Entry, ...]:
    """Entries that move so much of each lot from one ledger account to another."""
    return moved(parts, source=lambda _: source, target=lambda _: target)


def moved(parts: Mapping[Lot, int], *, source: Callable[[Lot], str], target: Callable[[Lot], str]) -> tuple[Entry, ...]:
    """Entries that move so much of each lot; a part of nothing has none."""
    return tuple(
        entry
        for lot, amount in parts.items()
        if amount
        for entry in (
            Entry(account=source(lot), lot=lot, amount=-amount),
            Entry(account=target(lot), lot=lot, amount=amount),
        )
    )
