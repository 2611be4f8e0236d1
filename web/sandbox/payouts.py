"""Payouts: owners ask for what they have earned; admins decide on what waits, and say what they have transferred."""

import asyncio
from typing import NoReturn

from aiohttp import web

from core.domain.account import Role
from core.domain.payout import Payout, PayoutState
from web.months import month_of
from web.sandbox.page import Look, one_of, page
from web.wording import counted

SHOWN = 25


@page("GET", "/payouts")
async def list_(look: Look) -> web.StreamResponse:
    """One's payouts, and a form to ask for one more."""
    services, after = look.services, look.query.get("after", "")
    found, earned = await asyncio.gather(
        services.payouts.list(look.actor, after=after, limit=SHOWN + 1), services.earnings.view(look.actor)
    )
    return look.shown(
        "payouts/list.html",
        payouts=found[:SHOWN],
        more=len(found) > SHOWN,
        after=after,
        earned=earned,
        minimum=services.payouts.minimum,
    )


@page("POST", "/payouts", refused=list_)
async def request(look: Look) -> web.StreamResponse:
    """Ask for earnings as money."""
    amount, to = look.number("amount"), look.field("to")
    payout = await look.services.payouts.request(look.actor, to=to, amount=amount, key=look.key)
    look.leads("/payouts", said=f"You asked for {counted(payout.amount, 'qoint')}. An admin decides, and you are told.")


@page("POST", "/payouts/{payout}/cancel", refused=list_)
async def cancel(look: Look) -> web.StreamResponse:
    """Call a request back."""
    gone = await look.services.payouts.cancel(look.actor, look.path("payout"), key=look.key)
    look.leads("/payouts", said=f"{counted(gone.amount, 'qoint')} went back to your earnings.")


@page("POST", "/payouts/{payout}/again", refused=list_)
async def again(look: Look) -> web.StreamResponse:
    """Ask once more for what could not be transferred."""
    asked = await look.services.payouts.again(look.actor, look.path("payout"), key=look.key)
    look.leads("/payouts", said=f"You asked for {counted(asked.amount, 'qoint')} again.")


@page("GET", "/admin/payouts", role=Role.ADMIN)
async def claims(look: Look) -> web.StreamResponse:
    """Everybody's payouts in a state."""
    state = one_of(PayoutState, look.query.get("state", PayoutState.REQUESTED), what="state")
    text = look.query.get("month", "")
    found = await look.services.payouts.claims(look.actor, state, month=month_of(text) if text else None)
    ready = [one.payout.amount for one in found if not one.hindrance]
    return look.shown("admin/payouts.html", claims=found, state=state, states=PayoutState, month=text, ready=ready)


@page("POST", "/admin/payouts/approve", role=Role.ADMIN, refused=claims)
async def approve(look: Look) -> web.StreamResponse:
    """Let the chosen payouts be transferred, all of them or none."""
    done = await look.services.payouts.approve(look.actor, look.fields("payouts"), key=look.key)
    total = counted(sum(one.amount for one in done), "qoint")
    look.leads(
        "/admin/payouts?state=approved", said=f"{counted(len(done), 'payout')} approved, {total}. Transfer them."
    )


@page("GET", "/admin/payouts/{payout}", role=Role.ADMIN)
async def claim(look: Look) -> web.StreamResponse:
    """One payout, and what can be done with it."""
    return look.shown(
        "admin/payout.html",
        claim=await look.services.payouts.claim(look.actor, look.path("payout")),
        states=PayoutState,
    )


@page("POST", "/admin/payouts/{payout}/reject", role=Role.ADMIN, refused=claim)
async def reject(look: Look) -> web.StreamResponse:
    """Give back what was requested."""
    why = look.field("why")
    _decided(look, await look.services.payouts.reject(look.actor, look.path("payout"), why=why, key=look.key))


@page("POST", "/admin/payouts/{payout}/paid", role=Role.ADMIN, refused=claim)
async def paid(look: Look) -> web.StreamResponse:
    """Say that it was transferred."""
    reference = look.field("reference")
    _decided(look, await look.services.payouts.paid(look.actor, look.path("payout"), reference=reference))


@page("POST", "/admin/payouts/{payout}/failed", role=Role.ADMIN, refused=claim)
async def failed(look: Look) -> web.StreamResponse:
    """Give back what could not be transferred."""
    why = look.field("why")
    _decided(look, await look.services.payouts.failed(look.actor, look.path("payout"), why=why, key=look.key))


def _decided(look: Look, payout: Payout) -> NoReturn:
    before = PayoutState.REQUESTED if payout.state is PayoutState.REJECTED else PayoutState.APPROVED
    words = f"The payout of {counted(payout.amount, 'qoint')} is {payout.state}."
    look.leads(f"/admin/payouts?state={before}", said=words)
