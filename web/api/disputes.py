"""Disputes: jobs whose owners want their money back, and what admins answer."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from core.domain.account import Role
from core.domain.dispute import LENGTH
from core.domain.errors import BadValue, DisputeClosed, NotThem
from core.domain.token import Scope
from web.api.route import Body, Listed, Out, route
from web.api.wallet import DisputeOut, ReceiptLineOut, dispute_out, line_out
from web.visiting import Asked

Words = Annotated[str, Field(min_length=1, max_length=LENGTH)]


class ComplaintOut(Out):
    """A dispute that waits: whose it is, what they say, and what was paid and has not gone back."""

    job: str
    title: str
    owner: str
    why: str
    paid: int
    opened_at: datetime


class AnswerIn(Body):
    """Why nothing is paid back; the owner reads this."""

    answer: Words


class RefundIn(Body):
    """How much goes back, all of it where nothing is said, and why; the owner reads this."""

    amount: Annotated[int | None, Field(gt=0, le=10**12)] = None
    why: Words = "a refund"


@route("GET", "/admin/disputes", role=Role.ADMIN, scope=Scope.ADMIN)
async def list_(asked: Asked) -> Listed[ComplaintOut]:
    """List the disputes that wait for an answer which you may give, the oldest first."""
    shown = [
        ComplaintOut(
            job=one.dispute.id,
            title=one.dispute.title,
            owner=one.owner,
            why=one.dispute.why,
            paid=one.paid,
            opened_at=one.dispute.opened_at,
        )
        for one in await asked.services.disputes.waiting(asked.actor)
    ]
    return Listed[ComplaintOut](items=tuple(shown))


@route(
    "POST",
    "/admin/disputes/{job}/decline",
    role=Role.ADMIN,
    scope=Scope.ADMIN,
    errors=(BadValue, NotThem, DisputeClosed),
)
async def decline(asked: Asked, job: str, body: AnswerIn) -> DisputeOut:
    """Pay nothing back for a disputed job; the same words again change nothing."""
    return dispute_out(await asked.services.disputes.decline(asked.actor, job, answer=body.answer))


@route(
    "POST",
    "/admin/receipts/{job}/refund",
    role=Role.ADMIN,
    scope=Scope.ADMIN,
    idempotent=True,
    errors=(BadValue, NotThem),
)
async def refund(asked: Asked, job: str, body: RefundIn) -> ReceiptLineOut:
    """Pay back what a job has cost, or a part of it; this ends a dispute about it."""
    back = await asked.services.wallets.refund(asked.actor, job, amount=body.amount, why=body.why, key=asked.key)
    return line_out(back)
