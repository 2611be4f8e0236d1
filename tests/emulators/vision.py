"""An API that describes pictures, on loopback: it checks what real ones check, and misbehaves as it is told."""

import asyncio
import base64
import binascii
import io
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from PIL import Image

KEY, MODEL = "sk-the-secret-key", "eyes-1"
PREFIXES = {"data:image/jpeg;base64,": "JPEG", "data:image/png;base64,": "PNG"}
LARGEST = 20 * 2**20  # bytes of a request


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How one request is answered: late, with a status, with a body of its own, or by hanging up.

    `company` is how many requests have to have been there at once before.
    """

    status: int = 200
    text: str | None = "a scene"
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    company: int = 1
    hangs_up: bool = False

    def shown(self) -> str:
        """The body."""
        if self.body is not None:
            return self.body
        if self.status != 200:
            return json.dumps({"error": {"message": f"refused with {self.status}", "type": "error"}})
        message = {"role": "assistant", "content": self.text}
        return json.dumps({"object": "chat.completion", "choices": [{"index": 0, "message": message}]})


@dataclass(kw_only=True)
class Vision:
    """The API. `answers` are given in turn, then `always`; `pictures` are the sizes of those that came."""

    url: str = ""
    always: Answer = field(default_factory=Answer)
    answers: deque[Answer] = field(default_factory=deque)
    pictures: list[tuple[int, int]] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    def will(self, *answers: Answer) -> None:
        """Answer the next requests so."""
        self.answers.extend(answers)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/chat/completions."""
        self.moments.append(asyncio.get_running_loop().time())
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return _refused(401, f"Incorrect API key provided: {request.headers.get('Authorization')}")
        try:
            asked = await request.json()
            size = _seen(asked)
        except (ValueError, LookupError, TypeError, OSError, binascii.Error) as error:
            return _refused(400, f"bad request: {error}")
        if asked["model"] != MODEL:
            return _refused(404, f"The model `{asked['model']}` does not exist")
        self.pictures.append(size)
        return await self._answered(request)

    async def _answered(self, request: web.Request) -> web.StreamResponse:
        answer = self.answers.popleft() if self.answers else self.always
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            while self.most_at_once < answer.company:  # noqa: ASYNC110 - it is for the others to come
                await asyncio.sleep(0.01)
            await asyncio.sleep(answer.seconds)
        finally:
            self.at_once -= 1
        if answer.hangs_up:
            assert request.transport
            request.transport.abort()
        body = answer.shown()
        kind = "application/json" if body.startswith("{") else "text/html"
        return web.Response(status=answer.status, text=body, headers=dict(answer.headers), content_type=kind)


@asynccontextmanager
async def seeing() -> AsyncIterator[Vision]:
    """Run the API on a free port."""
    vision = Vision()
    app = web.Application(client_max_size=LARGEST)
    app.router.add_post("/v1/chat/completions", vision.complete)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        vision.url = f"http://{host}:{port}/v1"
        yield vision
    finally:
        await runner.cleanup()


def _seen(asked: Mapping[str, Any]) -> tuple[int, int]:
    """The size of the one picture of a question; LookupError, TypeError or ValueError where it is no such question."""
    (message,) = asked["messages"]
    kinds = {part["type"]: part for part in message["content"]}
    if set(asked) - {"model", "messages"} or message["role"] != "user" or not kinds["text"]["text"]:
        raise ValueError(sorted(asked))
    address: str = kinds["image_url"]["image_url"]["url"]
    prefix, kind = next((prefix, kind) for prefix, kind in PREFIXES.items() if address.startswith(prefix))
    with Image.open(io.BytesIO(base64.b64decode(address.removeprefix(prefix), validate=True)), formats=[kind]) as one:
        one.load()
        return one.size


def _refused(status: int, words: str) -> web.Response:
    return web.json_response({"error": {"message": words, "type": "invalid_request_error"}}, status=status)
