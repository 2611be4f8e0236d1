"""Claims: payouts as people are told of them, owners in a few words, admins with all that they decide by."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Self

from core.domain.account import Account
from core.domain.errors import DomainError
from core.domain.notice import Notice, Topic
from core.domain.payout import Circumstances, Payout, PayoutState
from core.domain.sheet import sheet
from core.domain.value import Value

COLUMNS = (
    "id", "owner", "amount", "to", "state", "requested", "approved", "approved by", "paid", "paid by", "reference",
    "reason",
)  # fmt: skip
NEWS: Mapping[PayoutState, tuple[str, str]] = {
    PayoutState.REQUESTED: (
        "You asked for {amount} qoints",
        "An admin decides. Until then you can call it back: `payout cancel {id}`.",
    ),
    PayoutState.CANCELLED: ("Your payout of {amount} qoints is called back", "They are in your earnings again."),
    PayoutState.APPROVED: ("Your payout of {amount} qoints is approved", "It is transferred next."),
    PayoutState.REJECTED: ("Your payout of {amount} qoints is rejected", "{reason}\nThey are in your earnings again."),
    PayoutState.PAID: ("Your payout of {amount} qoints is transferred", "Reference: {reference}"),
    PayoutState.FAILED: (
        "Your payout of {amount} qoints did not go through",
        "{reason}\nThey are in your earnings again; ask once more: `payout list`.",
    ),
}


class Claim(Value):
    """A payout as an admin sees it: with names, whether it takes two of them, and what hinders this one.

    `days` is how long it has been in its state.
    """

    payout: Payout
    owner: str
    approver: str = ""
    payer: str = ""
    four_eyes: bool
    hindrance: str
    days: int

    @classmethod
    def of(cls, payout: Payout, seen: Circumstances, *, payer: Account | None, now: datetime) -> Self:
        """The claim of a payout in these circumstances."""
        return cls(
            payout=payout,
            owner=seen.owner.name,
            approver=seen.approver.name if seen.approver else "",
            payer=payer.name if payer else "",
            four_eyes=seen.four_eyes,
            hindrance=hindrance(payout, seen, now=now),
            days=(now - payout.updated_at).days,
        )


def hindrance(payout: Payout, seen: Circumstances, *, now: datetime) -> str:
    """Why an admin may not take the next step, approval or payment, now; empty if they may."""
    following = PayoutState.PAID if payout.state is PayoutState.APPROVED else PayoutState.APPROVED
    try:
        payout.stepped(following, seen, now=now)
    except DomainError as refused:
        return str(refused)
    return ""


def news(payout: Payout, owner: Account) -> Notice:
    """What the owner is told of a step; never where the money goes, which is nobody else's to read."""
    title, text = (words.format(**payout.model_dump()) for words in NEWS[payout.state])
    return _notice(payout, owner, title, text)


def asked(payout: Payout, owner: Account, admin: Account) -> Notice:
    """What an admin is told of a request."""
    return _notice(payout, admin, f"{owner.name} asks for {payout.amount} qoints", "Decide: `admin payouts`.")


def table(claims: Iterable[Claim]) -> bytes:
    """The file for whoever makes the transfers: a header, then a row each, moments in ISO 8601."""
    return sheet([COLUMNS, *map(_cells, claims)])


def _cells(claim: Claim) -> tuple[str, ...]:
    payout = claim.payout
    requested, approved, paid = (
        moment.isoformat() if moment else "" for moment in (payout.requested_at, payout.approved_at, payout.paid_at)
    )
    return (
        *(payout.id, claim.owner, str(payout.amount), payout.to, payout.state.value),
        *(requested, approved, claim.approver, paid, claim.payer, payout.reference, payout.reason),
    )


def _notice(payout: Payout, to: Account, title: str, text: str) -> Notice:
    return Notice(
        id=f"payout:{payout.id}:{payout.round}:{payout.state}:{to.id}",
        account=to.id,
        place=to.home,
        topic=Topic.PAYOUT,
        details={"title": title, "text": text},
        created_at=payout.updated_at,
    )
