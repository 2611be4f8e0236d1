"""Programs: what somebody's script says to the API, and what it is answered."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

from core.domain.account import Actor
from core.domain.token import Scope
from loraguild.composition import House
from tests.builders.visits import bearing
from web.api.route import KEY, PREFIX

Client = TestClient[web.Request, web.Application]


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program that shows a token of somebody's."""

    client: Client
    headers: dict[str, str]

    async def get(self, path: str, **more: str) -> ClientResponse:
        """Fetch something; `If_None_Match` is a header."""
        return await self.client.get(PREFIX + path, headers=self._headers(more))

    async def send(self, method: str, path: str, body: object = None, **more: str) -> ClientResponse:
        """Ask for something to be done; `key` makes it happen once, `If_Match` is a header."""
        key = {KEY: more.pop("key")} if "key" in more else {}
        return await self.client.request(method, PREFIX + path, json=body, headers={**self._headers(more), **key})

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return {**self.headers, **{name.replace("_", "-"): value for name, value in more.items()}}


async def a_program(house: House, client: Client, actor: Actor, scopes: Collection[Scope] = ()) -> Program:
    """A program of somebody's, with a token of all scopes unless it is said."""
    return Program(client=client, headers=await bearing(house, actor, scopes))


async def told(answer: ClientResponse) -> tuple[int, Any]:
    """The status and the body, or of a problem its code."""
    if answer.status in {204, 304}:
        return answer.status, None
    body = await answer.json()
    return answer.status, body["code"] if answer.content_type == "application/problem+json" else body
