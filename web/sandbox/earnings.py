"""Earnings: what others' pictures have earned the owner of models, and what to do with it."""

import asyncio

from aiohttp import web

from core.domain.ledger import qoints
from core.domain.wording import earned as worded
from web.months import before, following, month_of
from web.sandbox.page import Look, page
from web.wording import counted


@page("GET", "/earnings")
async def view(look: Look) -> web.StreamResponse:
    """What there is to use now and later, and a month by model."""
    wished = month_of(look.query["month"]) if look.query.get("month") else None
    services = look.services
    earned, this, month = await asyncio.gather(
        services.earnings.view(look.actor),
        services.earnings.month(look.actor),
        services.earnings.month(look.actor, wished),
    )
    return look.shown(
        "earnings/view.html",
        earned=earned,
        month=month,
        before=before(month.start),
        following=following(month.start) if month.start < this.start else None,
        worded=worded,
        minimum=services.payouts.minimum,
    )


@page("POST", "/earnings/spend", refused=view)
async def spend(look: Look) -> web.StreamResponse:
    """Move what was earned into the wallet."""
    moved = await look.services.payouts.spend(look.actor, look.number("amount"), key=look.key)
    amount = moved.change(qoints(look.actor.account))
    look.leads("/wallet", said=f"{counted(amount, 'earned qoint')} came into your wallet.")
