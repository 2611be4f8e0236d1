"""Payouts: earnings that leave the house, from the owner's request to the admin's transfer. Pure, no storage.

Each step of a payout gives a new one, and `posting` says what the step moves in the ledger.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from core.domain.account import Account, Actor, Role
from core.domain.errors import BadValue, FourEyes, NotEnoughEarned, NotThem, PayoutFrozen, PayoutMoved
from core.domain.ledger import MINT, PAID_OUT, REVENUE, Act, Balance, Lot, Transaction, between, earnings, qoints
from core.domain.royalty import received
from core.domain.value import Entity, Value

LENGTH = 200  # characters of an address, a reference, a reason
WINDOW = timedelta(days=30)  # in which an owner's payouts are added up
FROZEN = timedelta(days=7)  # after a merge: time for whoever was robbed of an account to say so


class PayoutState(StrEnum):
    """requested → approved → paid, or rejected, or cancelled; approved → failed → requested."""

    REQUESTED = "requested"
    APPROVED = "approved"
    PAID = "paid"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def open(self) -> bool:
        """Whether an admin has something to do."""
        return self in {PayoutState.REQUESTED, PayoutState.APPROVED}

    @property
    def own(self) -> bool:
        """Whether it is the owner's wish that leads here, not an admin's."""
        return self in {PayoutState.REQUESTED, PayoutState.CANCELLED}


BEFORE = {
    PayoutState.REQUESTED: PayoutState.FAILED,
    PayoutState.APPROVED: PayoutState.REQUESTED,
    PayoutState.REJECTED: PayoutState.REQUESTED,
    PayoutState.CANCELLED: PayoutState.REQUESTED,
    PayoutState.PAID: PayoutState.APPROVED,
    PayoutState.FAILED: PayoutState.APPROVED,
}  # the one state that each is reached from
ACTS = {
    PayoutState.REQUESTED: "payout.requested",
    PayoutState.CANCELLED: "payout.cancelled",
    PayoutState.APPROVED: "admin.approve",
    PayoutState.REJECTED: "admin.reject",
    PayoutState.PAID: "admin.paid",
    PayoutState.FAILED: "admin.failed",
}  # what the audit log calls the step to each


class Circumstances(Value):
    """What a step depends on besides the payout: who takes it, whose money it is, who approved it.

    `owed` is what the owner owes the house; `four_eyes` says that the payer may not be the approver.
    """

    by: Account
    owner: Account
    approver: Account | None = None
    owed: int = 0
    four_eyes: bool = False

    def require_apart(self) -> None:
        """Let pass who has no interest in the payout.

        Raises:
            FourEyes: It is their own, or that of somebody related to them.
        """
        if self.by.id == self.owner.id:
            raise FourEyes(why="it is your own payout")
        if self.by.is_related(self.owner):
            raise FourEyes(why=f"you and {self.owner.name} are marked as related")

    def require_payable(self, *, now: datetime) -> None:
        """Let pass an owner to whom money may go now.

        Raises:
            PayoutFrozen: The account has just taken over another.
            NotThem: They are banned, or owe the house something.
        """
        require_thawed(self.owner, now=now)
        if self.owner.banned is not None:
            raise NotThem(name=self.owner.name, why="they are banned")
        if self.owed:
            raise NotThem(name=self.owner.name, why=f"they owe {self.owed} qoints")

    def require_second(self) -> None:
        """Let pass who may pay what somebody has approved who still has no interest in it.

        Raises:
            FourEyes: It takes somebody else than the approver, and than whoever is related to them; or the approver
                has become the owner meanwhile, or related to them.
        """
        if not (self.four_eyes and self.approver):
            return
        for one, who in ((self.by, "you"), (self.owner, "the owner")):
            if one.id == self.approver.id or one.is_related(self.approver):
                why = f"so much in {WINDOW.days} days takes two admins, and {who} or somebody related approved it"
                raise FourEyes(why=why)


class Payout(Entity):
    """So many qoints on their way to somebody; they lie in the ledger account `payout:<id>` meanwhile.

    `to` is where the owner wants them, in the owner's words; `round` counts how often it was requested, since a failed
    one may be requested again. `reason` is why it was rejected or failed, `reference` the transfer's name outside.
    """

    owner: str
    amount: int
    to: str
    state: PayoutState = PayoutState.REQUESTED
    round: int = 1
    requested_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    paid_by: str | None = None
    paid_at: datetime | None = None
    reference: str = ""
    reason: str = ""
    updated_at: datetime

    def visible_to(self, actor: Actor) -> bool:
        """Whether the actor may see it: its owner, and admins."""
        return self.owner == actor.account or actor.role.covers(Role.ADMIN)

    def stepped(self, state: PayoutState, seen: Circumstances, *, note: str = "", now: datetime) -> Self:
        """It comes into a state; the note is the reference of what was paid, else the reason.

        Raises:
            PayoutMoved: The state is not reached from here.
            FourEyes: It takes another admin.
            PayoutFrozen, NotThem: Money may not go to its owner now.
        """
        if self.state is not BEFORE[state]:
            raise PayoutMoved(payout=self.id, state=self.state.value, needed=BEFORE[state].value)
        if not state.own:
            seen.require_apart()
        if state in {PayoutState.APPROVED, PayoutState.PAID}:
            seen.require_payable(now=now)
        moved = self.but(state=state, updated_at=now)
        match state:
            case PayoutState.APPROVED:
                return moved.but(approved_by=seen.by.id, approved_at=now)
            case PayoutState.PAID:
                seen.require_second()
                return moved.but(paid_by=seen.by.id, paid_at=now, reference=note)
            case PayoutState.REQUESTED:
                fresh = self.round + 1
                return moved.but(round=fresh, requested_at=now, approved_by=None, approved_at=None, reason="")
            case PayoutState.REJECTED | PayoutState.CANCELLED | PayoutState.FAILED:
                return moved.but(reason=note)


def line(text: str, *, what: str) -> str:
    """Words of people in one line: an address, a reference, a reason.

    Raises:
        BadValue: There are none, too many, or some that cannot be seen.
    """
    said = " ".join(text.split())
    if not 0 < len(said) <= LENGTH or not said.isprintable():
        raise BadValue(what=what, value=said, why=f"it takes 1 to {LENGTH} visible characters")
    return said


def require_thawed(account: Account, *, now: datetime) -> None:
    """Let an account pass that has not just taken over another.

    Raises:
        PayoutFrozen: It has.
    """
    if account.merged_at and now < account.merged_at + FROZEN:
        raise PayoutFrozen(until=f"{account.merged_at + FROZEN:%d %b %Y, %H:%M} UTC")


def require_earned(wished: int, *, earned: int, owed: int, least: int) -> None:
    """Let an amount pass that an owner may take from what was earned.

    Raises:
        NotEnoughEarned: There is less, or it is too little, or the owner owes the house something.
    """
    if owed:
        why = f"not to be had while you owe {owed}: what your models earn next repays it"
    elif wished > earned:
        why = "more than that"
    elif wished < least:
        why = f"less than {least}, the least"
    else:
        return
    raise NotEnoughEarned(available=earned, wished=wished, why=why)


def takes_two(payout: Payout, others: Iterable[Payout], *, above: int) -> bool:
    """Whether a payout takes two admins: its owner's from `WINDOW` before it on add up to more than one decides."""
    since = payout.requested_at - WINDOW
    leaving = {PayoutState.REQUESTED, PayoutState.APPROVED, PayoutState.PAID}
    counted = {one.id: one.amount for one in others if one.state in leaving and one.requested_at >= since}
    return sum((counted | {payout.id: payout.amount}).values()) > above


def set_aside(payout: str) -> str:
    """The ledger account of what is on its way to somebody."""
    return f"payout:{payout}"


def posting(payout: Payout, *, debt: Balance) -> Transaction | None:
    """What the step that led to this state moves; an approval moves nothing.

    Of what comes back the owner's debt is repaid first.
    """
    mine, aside, amount = earnings(payout.owner), set_aside(payout.id), {Lot.PURCHASED: payout.amount}
    match payout.state:
        case PayoutState.APPROVED:
            return None
        case PayoutState.REQUESTED:
            act, key, entries = Act.PAYOUT, f"payout:{payout.id}:{payout.round}", between(mine, aside, amount)
        case PayoutState.PAID:
            act, key, entries = Act.PAID, f"paid:{payout.id}", between(aside, PAID_OUT, amount)
        case PayoutState.REJECTED | PayoutState.CANCELLED | PayoutState.FAILED:
            entries = received(payout.amount, debt, owner=payout.owner, source=aside, target=mine)
            act, key = Act.RETURN, f"return:{payout.id}:{payout.round}"
    why, moment = f"payout {payout.id}", payout.updated_at
    return Transaction(id=key, act=act, owner=payout.owner, why=why, entries=entries, at=moment)


def spent(amount: int, *, key: str, owner: str, now: datetime) -> Transaction:
    """Turn earnings into granted qoints of the owner's wallet: what was earned once never earns again."""
    entries = (
        *between(earnings(owner), REVENUE, {Lot.PURCHASED: amount}),
        *between(MINT, qoints(owner), {Lot.GRANTED: amount}),
    )
    return Transaction(id=f"spend:{key}", act=Act.SPEND, owner=owner, why="earnings", entries=entries, at=now)
