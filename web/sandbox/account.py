"""The account: who somebody is here, where they are signed in, their programs' tokens, and their cloud folder."""

import asyncio

from aiohttp import web

from core.domain.account import Role
from core.domain.errors import BadValue
from core.domain.token import Scope
from web.sandbox.page import Look, page

DAYS = {"7": "a week", "30": "a month", "90": "three months", "365": "a year"}
MEANS = {
    Scope.READ: "look at what is yours",
    Scope.WRITE: "change it",
    Scope.SPEND: "order trainings and pictures, and redeem codes: this spends",
    Scope.ADMIN: "do what moderators and admins do, as far as you may",
}


@page("GET", "/account")
async def view(look: Look) -> web.StreamResponse:
    """Logins, browsers, tokens, and one's cloud folder where there can be one."""
    services, actor = look.services, look.actor
    logins, sessions, tokens, connection = await asyncio.gather(
        services.accounts.logins(actor),
        services.sessions.list(actor),
        services.tokens.list(actor),
        services.connections.of(actor),
    )
    decides = actor.role.covers(Role.MODERATOR)
    scopes = {scope: words for scope, words in MEANS.items() if scope is not Scope.ADMIN or decides}
    return look.shown(
        "account/view.html",
        logins=logins,
        sessions=sessions,
        tokens=tokens,
        connection=connection,
        connects=services.connections.offered,
        scopes=scopes,
        days=DAYS,
        now=services.tokens.clock.now(),
    )


@page("POST", "/account/tokens", role=Role.USER, refused=view)
async def issue(look: Look) -> web.StreamResponse:
    """Issue a token, and show it this once."""
    days = look.field("days")
    if days not in DAYS:
        raise BadValue(what="number of days", value=days, why=f"choose {', '.join(DAYS)}")
    scopes = [scope for scope in Scope if scope in look.fields("scope")]
    issued = await look.services.tokens.issue(look.actor, name=look.field("name"), scopes=scopes, days=int(days))
    return look.shown("account/issued.html", issued=issued, address=look.services.sessions.address)


@page("POST", "/account/tokens/{token}/revoke", role=Role.VIEWER)
async def revoke(look: Look) -> web.StreamResponse:
    """Let a token open nothing any more."""
    revoked = await look.services.tokens.revoke(look.actor, look.path("token"))
    look.leads("/account", said=f"«{revoked.name}» is revoked.")


@page("POST", "/account/sessions/{session}/end", role=Role.VIEWER)
async def end(look: Look) -> web.StreamResponse:
    """Sign a browser out."""
    await look.services.sessions.end(look.actor, look.path("session"))
    look.leads("/account", said="That browser is signed out.")


@page("POST", "/account/sessions/end", role=Role.VIEWER)
async def end_others(look: Look) -> web.StreamResponse:
    """Sign all other browsers out."""
    await look.services.sessions.end_all(look.actor, but=look.visitor.session)
    look.leads("/account", said="All other browsers are signed out.")
