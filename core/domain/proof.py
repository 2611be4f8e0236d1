"""The proof of the books: whether everything that is written down about money agrees, added up as it is read.

Nothing is kept of what was read but a sum for each ledger account and each owner, so that it may be of any length.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from core.domain.account import Account
from core.domain.job import Job
from core.domain.ledger import (
    DEBTS,
    MINT,
    PAID_OUT,
    RESERVE,
    REVENUE,
    SALES,
    Act,
    Balance,
    Entry,
    Lot,
    Transaction,
    captured,
    earnings_pending,
    held,
    is_house,
)
from core.domain.payout import Payout, PayoutState, set_aside
from core.domain.royalty import HUNDREDTHS, Remainder, Usage, shown
from core.domain.value import Entity

WALLET = {"points", "qoints"}
DEBT = {"debt", RESERVE, DEBTS}
TOUCHED: Mapping[Act, set[str]] = {
    Act.GRANT: {MINT, "qoints"},
    Act.REFILL: {MINT, "points"},
    Act.PURCHASE: {SALES, "qoints"},
    Act.HOLD: {*WALLET, "hold"},
    Act.RELEASE: {"hold", *WALLET},
    Act.CAPTURE: {"hold", REVENUE},
    Act.REFUND: {REVENUE, *WALLET},
    Act.ROYALTY: {REVENUE, "earnings_pending", *DEBT},
    Act.MATURE: {"earnings_pending", "earnings", *DEBT},
    Act.CLAWBACK: {"earnings_pending", "earnings", REVENUE, *DEBT},
    Act.SPEND: {"earnings", REVENUE, MINT, "qoints"},
    Act.PAYOUT: {"earnings", "payout"},
    Act.RETURN: {"payout", "earnings", *DEBT},
    Act.PAID: {"payout", PAID_OUT},
    Act.MERGE: {*WALLET, "earnings_pending", "earnings", "debt", REVENUE},
}  # the sorts of ledger accounts that each act may touch
LOTS: Mapping[str, set[Lot]] = {
    "points": {Lot.FREE},
    "qoints": {Lot.GRANTED, Lot.PURCHASED},
    **{sort: {Lot.PURCHASED} for sort in ("earnings_pending", "earnings", "debt", "payout")},
}  # the lots that the sorts of ledger accounts are for; any lot may be in the others
CREDITED = {Act.ROYALTY, Act.CLAWBACK, Act.MERGE}  # what moves revenue for the uses of an owner's models
PURPOSES = {
    "hold": "for jobs that have not ended",
    "payout": "for payouts that are open",
    PAID_OUT: "for payouts that were paid",
    "earnings_pending": "for uses in their holding period",
}  # of ledger accounts that hold exactly what other rows say


class Proof:
    """What was read so far. Read everything there is, in any order, then ask for the findings.

    `refunded` are the jobs of which something was paid back; `read_refunded` wants their transactions together.
    """

    def __init__(self) -> None:
        self.transactions = self.balances = 0
        self.refunded: set[str] = set()
        self._replayed: dict[str, Counter[Lot]] = defaultdict(Counter)
        self._kept: dict[str, Balance] = {}
        self._meant: Counter[str] = Counter()
        self._shares: Counter[str] = Counter()
        self._credited: Counter[str] = Counter()
        self._remainders: dict[str, int] = {}
        self._merged: dict[str, str] = {}
        self._strange: list[str] = []

    def read(self, one: Entity) -> None:
        """Add one row of whatever kind to what is known."""
        match one:
            case Transaction():
                self._replay(one)
            case Balance():
                self.balances += 1
                self._kept |= {one.id: one} if any(one.lots.values()) else {}
            case Usage():
                self._shares[one.owner] += one.share
                self._meant[earnings_pending(one.owner)] += one.pending
            case Remainder():
                self._remainders |= {one.id: one.hundredths} if one.hundredths else {}
            case Payout():
                self._meant[set_aside(one.id)] += one.amount if one.state.open else 0
                self._meant[PAID_OUT] += one.amount if one.state is PayoutState.PAID else 0
            case Job():
                self._meant[held(one.id)] += 0 if one.state.ended else one.price
            case Account():
                self._merged |= {one.id: one.merged_into} if one.merged_into else {}

    def read_refunded(self, job: str, about: Iterable[Transaction]) -> None:
        """Add the transactions of a job of which something was paid back: no more than was taken."""
        left = captured(about).lots
        if min(left.values()) < 0:
            self._strange.append(f"{job}: more of the job was paid back than was taken: {_words(left)} are left.")

    def findings(self) -> list[str]:
        """What does not agree, in words; empty where everything does."""
        return [*self._strange, *self._differences(), *self._misplaced(), *self._uneven()]

    def _replay(self, one: Transaction) -> None:
        self.transactions += 1
        self.refunded |= {one.job} if one.job and one.act is Act.REFUND else set()
        if one.act in CREDITED:
            self._credited[one.owner] -= one.change(REVENUE) * HUNDREDTHS
        for entry in one.entries:
            lots = self._replayed[entry.account]
            lots[entry.lot] += entry.amount
            if not any(lots.values()):
                del self._replayed[entry.account]
            if not _fits(one, entry):
                self._strange.append(f"{one.id}: no {one.act} of {one.owner} moves {entry.lot} of {entry.account}.")

    def _differences(self) -> Iterator[str]:
        """Balance rows that are not what the transactions add up to, and whoever has less than nothing."""
        for name in sorted(self._replayed.keys() | self._kept.keys()):
            lots, kept = self._replayed.get(name, Counter()), self._kept.get(name, Balance(id=name))
            if is_house(name):
                continue
            if any(lots[lot] != amount for lot, amount in kept.lots.items()):
                yield f"{name}: the ledger proves {_words(lots)}, the balance says {_words(kept.lots)}."
            if min(lots.values(), default=0) < 0:
                yield f"{name}: the ledger proves {_words(lots)}: less than nothing."

    def _misplaced(self) -> Iterator[str]:
        """Ledger accounts that do not hold what they are for, and those of people who became somebody else."""
        for name in sorted(self._replayed.keys() | self._meant.keys()):
            purpose, holds = PURPOSES.get(_sort(name)), self._replayed.get(name, Counter()).total()
            if purpose and holds != self._meant[name]:
                yield f"{name}: it holds {holds}, and should hold {self._meant[name]} {purpose}."
            if (gone := _person(name)) in self._merged and holds:
                yield f"{name}: it holds {holds}, but {self._merged[gone]} has taken over the account."

    def _uneven(self) -> Iterator[str]:
        """Owners who were not credited, to the hundredth of a qoint, what the uses of their models have earned."""
        credited: Counter[str] = Counter()
        for owner, amount in self._credited.items():
            credited[self._standing(owner)] += amount
        for owner in sorted(self._shares.keys() | credited.keys() | self._remainders.keys()):
            share, rest = self._shares[owner], self._remainders.get(owner, 0)
            if credited[owner] + rest != share:
                parts = f"the ledger has credited {shown(credited[owner])}, and {shown(rest)} remain"
                yield f"{owner}: uses have earned {shown(share)} qoints, {parts}."

    def _standing(self, owner: str) -> str:
        passed = set[str]()
        while owner in self._merged and owner not in passed:  # a forged row may lead in a circle
            passed.add(owner)
            owner = self._merged[owner]
        return owner


def _fits(one: Transaction, entry: Entry) -> bool:
    """Whether an act may move a lot of a ledger account: one of a sort that it touches, of its owner, or of its job."""
    sort, person = _sort(entry.account), _person(entry.account)
    theirs = {one.owner, one.id.removeprefix("merge:")} if one.act is Act.MERGE else {one.owner}
    is_theirs = person in theirs if person else sort != "hold" or entry.account == f"hold:{one.job}"
    return sort in TOUCHED[one.act] and entry.lot in LOTS.get(sort, set(Lot)) and is_theirs


def _sort(account: str) -> str:
    """What sort of ledger account it is: the last word of a person's, the first of a job's or payout's."""
    if is_house(account):
        return account
    return account.rpartition(":")[2] if _person(account) else account.partition(":")[0]


def _person(account: str) -> str:
    """Whose ledger account it is; nobody's if it is a job's, a payout's or the house's."""
    first, _, rest = account.partition(":")
    return rest.rpartition(":")[0] if first == "account" else ""


def _words(lots: Mapping[Lot, int]) -> str:
    return ", ".join(f"{lot} {lots[lot]}" for lot in Lot)
