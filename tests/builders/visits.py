"""Visits to the web: as somebody with a session, or as a program with a token."""

from collections.abc import Collection

from aiohttp import web
from aiohttp.test_utils import TestClient

from core.domain.account import Actor, Role
from core.domain.token import Scope
from loraguild.composition import House
from web.visiting import cookie

Client = TestClient[web.Request, web.Application]


async def entered(house: House, client: Client, actor: Actor) -> None:
    """Sign somebody in at this client, in the place of whoever was there."""
    opened = await house.services.sessions.open(actor, device="a test")
    client.session.cookie_jar.clear()
    client.session.cookie_jar.update_cookies(
        {cookie(house.services.uploads.address): opened.secret}, client.make_url("/")
    )


async def bearing(house: House, actor: Actor, scopes: Collection[Scope] = ()) -> dict[str, str]:
    """The headers of a program with a token of somebody, of all scopes that they may have unless it is said."""
    able = set(Scope) - (set() if actor.role.covers(Role.MODERATOR) else {Scope.ADMIN})
    issued = await house.services.tokens.issue(actor, name="a test", scopes=scopes or able, days=1)
    return {"Authorization": f"Bearer {issued.secret}"}
