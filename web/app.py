"""The web server: all routes under one roof, and a process that listens until it is told to stop."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast

import structlog
from aiohttp import web

from core.domain.errors import PortTaken
from core.ports.blobs import Blobs
from core.services import Services
from web import api, sandbox
from web.api.route import PREFIX
from web.bodies import SLOTS
from web.connections import ConnectionRoutes
from web.csrf import checked, renewed
from web.documents import DocumentRoutes
from web.downloads import DownloadRoutes
from web.headers import guarded, logged
from web.images import ImageRoutes
from web.limiting import LIMITER, Limiter, limited
from web.live import LIVE, Live
from web.login import LoginRoutes
from web.logins import Logins
from web.metrics import MetricsRoutes
from web.pages import PAGES, STATIC, Pages
from web.problems import Handler, explained
from web.uploads import UploadRoutes
from web.visiting import BLOBS, SERVICES, UNDERWAY

LEAVE = 5.0  # seconds that requests have to end when the server stops
CUT_OFF = 0.5  # seconds for the rest to notice that they are cut off
SILENT = logging.CRITICAL + 1

log = structlog.get_logger()


def application(
    *, services: Services, blobs: Blobs, metrics_token: str | None = None, logins: Logins | None = None
) -> web.Application:
    """Every page of the house."""
    app = web.Application(middlewares=[counted, logged, explained, limited, checked])
    app[UNDERWAY], app[SLOTS] = set(), []
    app[SERVICES], app[BLOBS], app[LIMITER] = services, blobs, Limiter()
    app[PAGES] = Pages(services.uploads.address)
    app[LIVE] = Live(watches=services.watches)
    app.on_response_prepare.extend((guarded, renewed))
    app.on_shutdown.append(lambda app: app[LIVE].close())
    app.add_routes([web.get("/healthz", healthy)])
    app.add_routes(UploadRoutes(uploads=services.uploads).routes())
    app.add_routes(DownloadRoutes(downloads=services.downloads, blobs=blobs).routes())
    app.add_routes(LoginRoutes(services=services, logins=logins or Logins()).routes())
    app.add_routes(ImageRoutes(downloads=services.downloads, blobs=blobs).routes())
    app.add_routes(ConnectionRoutes(connections=services.connections).routes())
    metrics = MetricsRoutes(censuses=services.censuses, address=services.uploads.address, token=metrics_token)
    app.add_routes(metrics.routes())
    app.add_routes(DocumentRoutes(address=services.uploads.address).routes())
    app.add_routes([web.route(one.method, PREFIX + one.path, one.handle) for one in api.discovered()])
    app.add_routes([web.route(one.method, one.path, one.handle) for one in sandbox.discovered()])
    app.router.add_static("/static", STATIC)
    return app


@web.middleware
async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Remember which requests are under way, to let them end when the server stops."""
    task = cast("asyncio.Task[Any]", asyncio.current_task())
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
    logins: Logins | None = None,
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
    app = application(services=services, blobs=blobs, metrics_token=metrics_token, logins=logins)
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
        await app[LIVE].close()  # streams would never end by themselves
        underway = app[UNDERWAY]
        if underway:  # aiohttp's own shutdown would not read the rest of their bodies
            await asyncio.wait(underway, timeout=LEAVE)
    finally:
        await runner.cleanup()
