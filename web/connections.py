"""Connections: where a provider sends people back to, with a code that a button uses up, and not a mere look."""

from dataclasses import dataclass

from aiohttp import web

from core.domain.errors import BadLink, ConnectingOver
from core.services.connections import Connections
from web.bodies import form
from web.pages import PAGES


@dataclass(frozen=True, kw_only=True)
class ConnectionRoutes:
    """What lies under `/connect`."""

    connections: Connections

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [web.get("/connect/dropbox", self.page), web.post("/connect/dropbox", self.finish)]

    async def page(self, request: web.Request) -> web.Response:
        """Whose exports would go there, and the button."""
        state, code = request.query.get("state", ""), request.query.get("code", "")
        name = await self.connections.whose(state)
        if not code:
            raise ConnectingOver  # its owner has said no
        return request.app[PAGES].shown("connect.html", name=name, state=state, code=code)

    async def finish(self, request: web.Request) -> web.Response:
        """Use the code up."""
        typed = await form(request)
        state, code = typed.get("state"), typed.get("code")
        if not isinstance(state, str) or not isinstance(code, str):
            raise BadLink
        done = await self.connections.finish(state, code)
        return request.app[PAGES].shown("connected.html", name=done.name)
