"""What every answer carries and what is logged of it: a link is a secret, so neither passes it on."""

import time
from http import HTTPStatus

import structlog
from aiohttp import web

from web.problems import Handler

POLICY = "Content-Security-Policy"
HEADERS = {
    "Cache-Control": "no-store",
    POLICY: (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Server": "LoraGuild",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
SHIPPED = "public, max-age=3600"  # scripts, styles and pictures of the house: the same for everybody
CLIENT_LEFT = 499  # what servers have come to log where nobody waited for the answer

log = structlog.get_logger()


async def guarded(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Give an answer its headers; a page that needs something of another site has a policy of its own."""
    is_shipped = request.path.startswith("/static/") and response.status < HTTPStatus.BAD_REQUEST
    own = {"Cache-Control": SHIPPED} if is_shipped else {}
    if "Server" in response.headers:  # aiohttp's own
        del response.headers["Server"]
    for name, value in (HEADERS | own).items():
        response.headers.setdefault(name, value)


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
