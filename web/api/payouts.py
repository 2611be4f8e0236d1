"""Payouts: asking for what you have earned as money; for admins, deciding and paying."""

from collections.abc import Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated

from aiohttp import web
from pydantic import Field

from core.domain.account import Role
from core.domain.claim import Claim, table
from core.domain.errors import (
    BadValue,
    FourEyes,
    NotEnoughEarned,
    NotFound,
    NotThem,
    PayoutFrozen,
    PayoutMoved,
)
from core.domain.payout import LENGTH, Payout, PayoutState
from core.domain.token import Scope
from web.api.route import Body, Listed, Out, Paging, Query, route
from web.months import month_of
from web.visiting import Asked

BATCH = 100
Line = Annotated[str, Field(min_length=1, max_length=LENGTH)]


class PayoutOut(Out):
    """A payout: `reason` says why it was rejected or failed, `reference` what the transfer is called outside."""

    id: str
    amount: int
    to: str
    state: PayoutState
    requested_at: datetime
    approved_at: datetime | None
    paid_at: datetime | None
    reason: str
    reference: str


class ClaimOut(Out):
    """A payout as admins see it: whose, whether it takes two of them, and what hinders you from the next step."""

    payout: PayoutOut
    owner: str
    approver: str
    payer: str
    four_eyes: bool
    hindrance: str
    days: int


class PayoutIn(Body):
    """Where earnings shall go, in words that an admin can pay by, and how many qoints; all where nothing is said."""

    to: Line
    amount: Annotated[int | None, Field(gt=0, le=10**12)] = None


class ChosenIn(Body):
    """The payouts to approve, all of them or none."""

    payouts: Annotated[tuple[str, ...], Field(min_length=1, max_length=BATCH, strict=False)]


class ReasonIn(Body):
    """Why; the owner reads this."""

    why: Line


class PaidIn(Body):
    """What the transfer is called where you made it; one reference pays one payout."""

    reference: Line


class Standing(Query):
    """Which payouts: in a state, and only those that came into it in a month such as 2026-11."""

    state: PayoutState = PayoutState.REQUESTED
    month: str = ""


@route("GET", "/payouts", errors=(NotFound,))
async def list_(asked: Asked, query: Paging) -> Listed[PayoutOut]:
    """List your payouts, newest first."""
    found = await asked.services.payouts.list(asked.actor, after=query.after, limit=query.limit + 1)
    return Listed[PayoutOut].of([payout_out(one) for one in found], limit=query.limit, name=lambda one: one.id)


@route(
    "POST",
    "/payouts",
    status=HTTPStatus.CREATED,
    scope=Scope.SPEND,
    idempotent=True,
    location="/payouts/{id}",
    errors=(BadValue, NotEnoughEarned, PayoutFrozen),
)
async def request(asked: Asked, body: PayoutIn) -> PayoutOut:
    """Ask for what you have earned as money; an admin decides."""
    return payout_out(await asked.services.payouts.request(asked.actor, to=body.to, amount=body.amount, key=asked.key))


@route("GET", "/payouts/{payout}")
async def view(asked: Asked, payout: str) -> PayoutOut:
    """Show a payout."""
    return payout_out(await asked.services.payouts.view(asked.actor, payout))


@route("POST", "/payouts/{payout}/cancel", scope=Scope.SPEND, idempotent=True, errors=(PayoutMoved,))
async def cancel(asked: Asked, payout: str) -> PayoutOut:
    """Call back what nobody has approved yet."""
    return payout_out(await asked.services.payouts.cancel(asked.actor, payout, key=asked.key))


@route(
    "POST",
    "/payouts/{payout}/again",
    scope=Scope.SPEND,
    idempotent=True,
    errors=(PayoutMoved, PayoutFrozen, NotEnoughEarned),
)
async def again(asked: Asked, payout: str) -> PayoutOut:
    """Ask once more for what could not be transferred, to the same address."""
    return payout_out(await asked.services.payouts.again(asked.actor, payout, key=asked.key))


@route("GET", "/admin/payouts", role=Role.ADMIN, scope=Scope.ADMIN, errors=(BadValue,))
async def claims(asked: Asked, query: Standing) -> Listed[ClaimOut]:
    """List everybody's payouts in a state: those to decide on the longest requested first, others the latest first."""
    found = await asked.services.payouts.claims(asked.actor, query.state, month=_month(query))
    return Listed[ClaimOut](items=tuple(claim_out(one) for one in found))


@route("GET", "/admin/payouts.csv", role=Role.ADMIN, scope=Scope.ADMIN, media="text/csv", errors=(BadValue,))
async def sheet(asked: Asked, query: Standing) -> web.StreamResponse:
    """Fetch the same as a file, for whoever makes the transfers."""
    return sheet_of(await asked.services.payouts.claims(asked.actor, query.state, month=_month(query)), query.state)


@route(
    "POST",
    "/admin/payouts/approve",
    role=Role.ADMIN,
    scope=Scope.ADMIN,
    idempotent=True,
    errors=(NotFound, PayoutMoved, FourEyes, PayoutFrozen, NotThem),
)
async def approve(asked: Asked, body: ChosenIn) -> Listed[PayoutOut]:
    """Let payouts be transferred, all that you name or none."""
    done = await asked.services.payouts.approve(asked.actor, body.payouts, key=asked.key)
    return Listed[PayoutOut](items=tuple(payout_out(one) for one in done))


@route(
    "POST",
    "/admin/payouts/{payout}/reject",
    role=Role.ADMIN,
    scope=Scope.ADMIN,
    idempotent=True,
    errors=(BadValue, PayoutMoved, FourEyes),
)
async def reject(asked: Asked, payout: str, body: ReasonIn) -> PayoutOut:
    """Give back what was requested, with words for its owner."""
    return payout_out(await asked.services.payouts.reject(asked.actor, payout, why=body.why, key=asked.key))


@route(
    "POST",
    "/admin/payouts/{payout}/paid",
    role=Role.ADMIN,
    scope=Scope.ADMIN,
    idempotent=True,
    errors=(BadValue, PayoutMoved, FourEyes, PayoutFrozen, NotThem),
)
async def paid(asked: Asked, payout: str, body: PaidIn) -> PayoutOut:
    """Say that you have transferred a payout."""
    return payout_out(await asked.services.payouts.paid(asked.actor, payout, reference=body.reference))


@route(
    "POST",
    "/admin/payouts/{payout}/failed",
    role=Role.ADMIN,
    scope=Scope.ADMIN,
    idempotent=True,
    errors=(BadValue, PayoutMoved, FourEyes),
)
async def failed(asked: Asked, payout: str, body: ReasonIn) -> PayoutOut:
    """Give back what could not be transferred, with words for its owner."""
    return payout_out(await asked.services.payouts.failed(asked.actor, payout, why=body.why, key=asked.key))


def payout_out(payout: Payout) -> PayoutOut:
    """A payout as its owner sees it: not which admin has decided."""
    return PayoutOut(**{name: getattr(payout, name) for name in PayoutOut.model_fields})


def claim_out(claim: Claim) -> ClaimOut:
    """A claim as an admin sees it."""
    facts = {name: getattr(claim, name) for name in ClaimOut.model_fields if name != "payout"}
    return ClaimOut(payout=payout_out(claim.payout), **facts)


def sheet_of(claims: Sequence[Claim], state: PayoutState) -> web.Response:
    """The file of some payouts, to be saved and not to be shown."""
    headers = {"Content-Disposition": f'attachment; filename="payouts {state}.csv"'}
    return web.Response(body=table(claims), content_type="text/csv", charset="utf-8", headers=headers)


def _month(query: Standing) -> date | None:
    return month_of(query.month) if query.month else None
