"""Vouchers: codes to sell or to give away, shown once."""

from aiohttp import web

from core.domain.account import Role
from core.domain.voucher import DAYS
from web.sandbox.page import Look, page

KINDS = {"sold": "sold for money: earns royalties", "gift": "given away"}


@page("GET", "/admin/vouchers", role=Role.ADMIN)
async def form(look: Look) -> web.StreamResponse:
    """How many codes of which worth."""
    return look.shown("admin/vouchers.html", kinds=KINDS, days=DAYS)


@page("POST", "/admin/vouchers", role=Role.ADMIN, refused=form)
async def issue(look: Look) -> web.StreamResponse:
    """Make codes, and show them this once."""
    numbers = {name: look.number(name) or 0 for name in ("amount", "count", "days")}
    sold = look.field("kind") == "sold"
    made = await look.services.vouchers.issue(look.actor, **numbers, sold=sold, key=look.key)
    return look.shown("admin/codes.html", made=made, sold=sold)
