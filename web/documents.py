"""The API's document: for programs as OpenAPI, for people as a page that needs nothing from elsewhere."""

from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from aiohttp import web

from web import api
from web.api.openapi import document
from web.api.route import PREFIX
from web.pages import PAGES


@dataclass(frozen=True)
class DocumentRoutes:
    """What lies under `/api/v1` besides the API itself."""

    address: str

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [
            web.get(f"{PREFIX}/openapi.json", self.openapi, allow_head=True),
            web.get(f"{PREFIX}/docs", self.page),
        ]

    async def openapi(self, _: web.Request) -> web.Response:
        """The document."""
        return web.json_response(self._document)

    async def page(self, request: web.Request) -> web.Response:
        """The same for people."""
        return request.app[PAGES].shown("api.html", document=self._document, base=self.address + PREFIX)

    @cached_property
    def _document(self) -> dict[str, Any]:
        return described(self.address)


def described(address: str) -> dict[str, Any]:
    """The OpenAPI document of the API at an address."""
    try:
        release = version("loraguild")
    except PackageNotFoundError:  # run from its folder
        release = "0"
    return document(api.discovered(), version=release, address=address)
