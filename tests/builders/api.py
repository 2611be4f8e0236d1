"""The API as somebody's program speaks to it: each answer is a status, and what its body says."""

from collections.abc import Mapping
from typing import Any

from tests.builders.visits import Client
from web.api.route import KEY, PREFIX

Answered = tuple[int, Any]


class Api:
    """What answers to whoever has these headers."""

    def __init__(self, client: Client, headers: Mapping[str, str]) -> None:
        self._client = client
        self._headers = headers

    async def get(self, path: str, **query: Any) -> Answered:
        return await self.send("GET", path, params=query)

    async def post(self, path: str, body: Mapping[str, Any] | None = None, *, key: str = "") -> Answered:
        return await self.send("POST", path, json=body, headers={KEY: key} if key else {})

    async def send(self, method: str, path: str, *, headers: Mapping[str, str] = {}, **facts: Any) -> Answered:
        sent = {**self._headers, **headers}
        async with self._client.request(method, PREFIX + path, headers=sent, **facts) as answer:
            return answer.status, await answer.json(content_type=None)
