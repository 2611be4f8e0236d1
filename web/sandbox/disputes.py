"""Disputes: jobs whose owners want their money back, and the answers; any job can be paid back by its id."""

from aiohttp import web

from core.domain.account import Role
from web.sandbox.page import Look, page


@page("GET", "/admin/disputes", role=Role.ADMIN)
async def waiting(look: Look) -> web.StreamResponse:
    """What is disputed, the oldest first."""
    return look.shown("admin/disputes.html", found=await look.services.disputes.waiting(look.actor))


@page("GET", "/admin/disputes/{job}", role=Role.ADMIN)
async def view(look: Look) -> web.StreamResponse:
    """The receipt of a job, to answer its owner."""
    receipt = await look.services.wallets.receipt(look.actor, look.path("job"))
    return look.shown("admin/dispute.html", receipt=receipt)


@page("POST", "/admin/disputes/{job}/refund", role=Role.ADMIN, refused=view)
async def refund(look: Look) -> web.StreamResponse:
    """Pay back what a job has cost, or a part of it."""
    back = await look.services.wallets.refund(
        look.actor, look.path("job"), amount=look.number("amount"), why=look.field("why"), key=look.key
    )
    look.leads("/admin/disputes", said=f"{back.amount:,} went back to the owner.")


@page("POST", "/admin/disputes/{job}/decline", role=Role.ADMIN, refused=view)
async def decline(look: Look) -> web.StreamResponse:
    """Pay nothing back."""
    closed = await look.services.disputes.decline(look.actor, look.path("job"), answer=look.field("answer"))
    look.leads("/admin/disputes", said=f"Nothing is paid back for {closed.title}.")
