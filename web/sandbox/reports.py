"""Reports that wait for a moderator."""

from aiohttp import web

from core.domain.account import Role
from core.domain.report import ReportedKind
from web.sandbox.page import Look, page

LOOK = {ReportedKind.DATASET: "datasets", ReportedKind.MODEL: "models"}


@page("GET", "/admin/reports", role=Role.MODERATOR)
async def waiting(look: Look) -> web.StreamResponse:
    """What was reported, the oldest first."""
    return look.shown("admin/reports.html", found=await look.services.reports.waiting(look.actor), paths=LOOK)


@page("POST", "/admin/reports/{report}/uphold", role=Role.MODERATOR, refused=waiting)
async def uphold(look: Look) -> web.StreamResponse:
    """Agree: it is gone for good."""
    done = await look.services.reports.uphold(look.actor, look.path("report"))
    look.leads("/admin/reports", said=f"«{done.name}» is taken down.")


@page("POST", "/admin/reports/{report}/dismiss", role=Role.MODERATOR, refused=waiting)
async def dismiss(look: Look) -> web.StreamResponse:
    """Disagree: it can be used again."""
    done = await look.services.reports.dismiss(look.actor, look.path("report"))
    look.leads("/admin/reports", said=f"The report about «{done.name}» is dismissed.")
