"""What every answer carries and what is logged of it: a link is a secret, so neither passes it on."""

import time

import structlog
from aiohttp import web

from web.problems import Handler

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Server": "LoraGuild",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
CLIENT_LEFT = 499  # what servers have come to log where nobody waited for the answer

log = structlog.get_logger()


async def guarded(_: web.BaseRequest, response: web.StreamResponse) -> None:
    """Give an answer its headers."""
    response.headers.update(HEADERS)


@web.middleware
async def logged(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log what was asked of which kind of page, and never the path, which holds the link's secret."""
    since, status = time.perf_counter(), CLIENT_LEFT
    try:
        response = await handler(request)
        status = response.status
    finally:
        resource = request.match_info.route.resource
        where = resource.canonical if resource else "unknown"
        taken = round((time.perf_counter() - since) * 1000)
        log.info("web.request", method=request.method, resource=where, status=status, milliseconds=taken)
    return response
