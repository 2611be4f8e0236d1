"""Streams: news as they come, in the format of server-sent events (html.spec.whatwg.org, section 9.2)."""

import asyncio
import re
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager

from aiohttp import web

from core.domain.watch import News, What
from web.live import Turns

BEAT = 15.0  # seconds of silence after which it is shown that somebody is still there
RETRY = 2000  # milliseconds after which a client comes back
STALLED = 30.0  # seconds for a client to take what it is sent
LONGEST = 15 * 60.0  # seconds after which a client has to come back, and is asked anew who it is
HEADERS = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
LINES = re.compile(r"\r\n|\r|\n")


async def streamed(
    request: web.Request,
    source: AbstractAsyncContextManager[Turns],
    *,
    shown: Callable[[News], str],
    unnamed: Collection[What] = (),
) -> web.StreamResponse:
    """Pass news on until they end or nobody listens; what goes wrong before the first is answered as ever.

    What is `unnamed` is markup, which a page takes in by itself.

    Raises:
        ConnectionResetError: The client does not take what it is sent.
    """
    now = asyncio.get_running_loop().time
    async with source as turns:
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        await _write(response, f"retry: {RETRY}\n\n")
        since = beat = now()
        async for turn in turns:
            if request.transport is None or request.transport.is_closing() or now() > since + LONGEST:
                break
            if turn or now() > beat + BEAT:
                beat = now()
                told = [message(one, shown(one), named=one.what not in unnamed) for one in turn]
                await _write(response, "".join(told) or ":\n\n")
    return response


def message(news: News, text: str, *, named: bool = True) -> str:
    """One event on the wire."""
    event = f"event: {news.what}\n" if named else ""
    data = "".join(f"data: {line}\n" for line in LINES.split(text))
    return f"id: {news.id}\n{event}{data}\n"


def last_id(request: web.Request) -> str:
    """The id of the last event that a client has seen."""
    return request.headers.get("Last-Event-ID", "")


async def _write(response: web.StreamResponse, text: str) -> None:
    try:
        async with asyncio.timeout(STALLED):
            await response.write(text.encode())
    except TimeoutError as error:
        raise ConnectionResetError from error
