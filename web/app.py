"""The web server: all routes under one roof, and a process that listens until it is told to stop."""

import asyncio
import logging
from collections.abc import Callable
from typing import cast

import structlog
from aiohttp import web

from core.domain.errors import PortTaken
from core.ports.blobs import Blobs
from core.services import Services
from web.connections import ConnectionRoutes
from web.downloads import DownloadRoutes
from web.headers import guarded, logged
from web.metrics import MetricsRoutes
from web.pages import PAGES, STATIC, Pages
from web.problems import Handler, explained
from web.uploads import UploadRoutes

LEAVE = 5.0  # seconds that requests have to end when the server stops
CUT_OFF = 0.5  # seconds for the rest to notice that they are cut off
SILENT = logging.CRITICAL + 1
UNDERWAY = web.AppKey("underway", set[asyncio.Task[None]])

log = structlog.get_logger()


def application(*, services: Services, blobs: Blobs, metrics_token: str | None = None) -> web.Application:
    """Every page of the house."""
    app = web.Application(middlewares=[counted, logged, explained])
    app[UNDERWAY] = set()
    app[PAGES] = Pages(services.uploads.address)
    app.on_response_prepare.append(guarded)
    app.add_routes([web.get("/healthz", healthy)])
    app.add_routes(UploadRoutes(uploads=services.uploads).routes())
    app.add_routes(DownloadRoutes(downloads=services.downloads, blobs=blobs).routes())
    app.add_routes(ConnectionRoutes(connections=services.connections).routes())
    metrics = MetricsRoutes(censuses=services.censuses, address=services.uploads.address, token=metrics_token)
    app.add_routes(metrics.routes())
    app.router.add_static("/static", STATIC)
    return app


@web.middleware
async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Remember which requests are under way, to let them end when the server stops."""
    task = cast("asyncio.Task[None]", asyncio.current_task())
    request.app[UNDERWAY].add(task)
    try:
        return await handler(request)
    finally:
        request.app[UNDERWAY].discard(task)


async def healthy(_: web.Request) -> web.Response:
    """Say that the process answers."""
    return web.json_response({"status": "ok"})


async def serve(
    *,
    services: Services,
    blobs: Blobs,
    host: str,
    port: int,
    metrics_token: str | None = None,
    stop: asyncio.Event,
    started: Callable[[int], None] | None = None,
) -> None:
    """Serve the pages until `stop` is set; requests under way then have some seconds to end.

    Port 0 takes any that is free; `started` is told which.

    Raises:
        PortTaken: Nobody can listen there.
    """
    # aiohttp's own logger would quote requests that it cannot read, and links with them.
    quiet = logging.getLogger(f"{__name__}.aiohttp")
    quiet.setLevel(SILENT)
    app = application(services=services, blobs=blobs, metrics_token=metrics_token)
    runner = web.AppRunner(app, access_log=None, logger=quiet, shutdown_timeout=CUT_OFF)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise PortTaken(host=host, port=port, setting="WEB_PORT") from error
        bound = runner.addresses[0][1]
        log.info("web.listening", host=host, port=bound)
        if started:
            started(bound)
        await stop.wait()
        await site.stop()
        underway = app[UNDERWAY]
        if underway:  # aiohttp's own shutdown would not read the rest of their bodies
            await asyncio.wait(underway, timeout=LEAVE)
    finally:
        await runner.cleanup()
