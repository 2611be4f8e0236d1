"""What goes over the wire: JSON bodies, and files beside them."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import BodyPartReader, web

Json = dict[str, Any]
File = tuple[str, bytes]

BODY = web.RequestKey[Any]("body", object)
FILES = web.RequestKey("files", list[File])


def body(request: web.Request) -> Any:
    """The JSON that came with a request."""
    return request[BODY]


def files(request: web.Request) -> list[File]:
    """The files that came with a request."""
    return request[FILES]


async def read(request: web.Request) -> tuple[Any, list[File]]:
    """The body of a request and the files beside it."""
    if request.content_type != "multipart/form-data":
        return (await request.json() if request.can_read_body else {}), []
    sent: Json = {}
    beside: list[File] = []
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        content = bytes(await part.read())
        if part.name == "payload_json":
            sent = json.loads(content)
        else:
            beside.append((part.filename or "", content))
    return sent, beside


def answered(data: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON with the bare content type: discord.py takes anything else for text."""
    kind = {"Content-Type": "application/json"}
    return web.Response(body=json.dumps(data).encode(), status=status, headers={**(headers or {}), **kind})
