"""Vouchers: codes that are worth qoints, sold outside or given away by admins, and what redeeming one posts."""

import hashlib
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Self

from core.domain.allowance import Limit
from core.domain.errors import BadValue, VoucherGone
from core.domain.ledger import MINT, SALES, Act, Lot, Transaction, between, purse
from core.domain.value import Entity

NAMES = {"days": "number of days"}
MOST = {"amount": 100_000, "count": 20, "days": 3650}  # qoints of a code, codes at a time, days that one is good for
DAYS = 365
GROUP = 5  # letters at most
ATTEMPTS = Limit(times=5, per=timedelta(hours=1))
PURPOSE = "voucher"


class Voucher(Entity):
    """One code; the id is its hash, the code itself is kept nowhere.

    A sold one is worth purchased qoints, one that was given away granted ones.
    """

    amount: int
    lot: Lot
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    redeemed_by: str | None = None
    redeemed_at: datetime | None = None

    def redeemed(self, *, by: str, now: datetime) -> Self:
        """Used up by an account; whoever has done so already finds it as it is.

        Raises:
            VoucherGone: It was used up by somebody else, or its time is over.
        """
        if self.redeemed_by == by:
            return self
        if self.redeemed_by or self.expires_at <= now:
            raise VoucherGone
        return self.but(redeemed_by=by, redeemed_at=now)


def voucher_hash(code: str) -> str:
    """The name under which a code is kept: sha256 in hex, deaf to case, blanks and dashes."""
    bare = "".join(letter for letter in code.casefold() if letter.isalnum())
    return hashlib.sha256(f"{PURPOSE}:{bare}".encode()).hexdigest()


def shown(code: str) -> str:
    """A code as people read it: `ABCD-EFGH-JKLMN`."""
    groups = -(-len(code) // GROUP)
    cuts = [len(code) * number // groups for number in range(groups + 1)]
    return "-".join(code[start:end] for start, end in pairwise(cuts)).upper()


def require_bounds(**wished: int) -> None:
    """Let numbers pass that codes may be issued with: `amount`, `count`, `days`.

    Raises:
        BadValue: One is not positive, or absurd.
    """
    for what, number in wished.items():
        if not 1 <= number <= MOST[what]:
            raise BadValue(what=NAMES.get(what, what), value=str(number), why=f"it takes 1 to {MOST[what]}")


def purchase(amount: int, lot: Lot, *, key: str, owner: str, why: str, now: datetime) -> Transaction:
    """Credit what somebody has paid for: purchased qoints come from sales, any other lot is minted."""
    act, source = (Act.PURCHASE, SALES) if lot is Lot.PURCHASED else (Act.GRANT, MINT)
    entries = between(source, purse(owner, lot), {lot: amount})
    return Transaction(id=f"purchase:{key}", act=act, owner=owner, why=why, entries=entries, at=now)
