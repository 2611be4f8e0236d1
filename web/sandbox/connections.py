"""Connections: one's own cloud folder, for exports."""

from aiohttp import web

from core.domain.account import Role
from web.sandbox.account import view
from web.sandbox.page import Look, page


@page("POST", "/account/connections/dropbox", refused=view)
async def dropbox(look: Look) -> web.StreamResponse:
    """Show the way to where one lets exports in: no form may lead out of the house by itself."""
    return look.shown("connections/connect.html", link=await look.services.connections.begin(look.actor))


@page("POST", "/account/connections/dropbox/forget", role=Role.VIEWER, refused=view)
async def forget(look: Look) -> web.StreamResponse:
    """Disconnect it; what lies there stays."""
    told = await look.services.connections.forget(look.actor)
    untold = "" if told else " Dropbox could not be told: remove the app at dropbox.com/account too."
    look.leads("/account", said=f"Your Dropbox is not connected any more. What was exported stays there.{untold}")
