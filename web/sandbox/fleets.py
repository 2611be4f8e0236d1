"""The fleet: who works on what, and letting workers leave, one or all."""

from aiohttp import web

from core.domain.account import Role
from core.domain.switch import of_worker
from web.api.fleets import drain_of
from web.sandbox.page import Look, page

ALL = "all"


@page("GET", "/admin/workers", role=Role.ADMIN)
async def workers(look: Look) -> web.StreamResponse:
    """The workers of the last day."""
    hands = await look.services.operations.workers(look.actor)
    alive = [hand.worker for hand in hands if hand.silent is None]
    lacks = sorted({(worker.host, *lack) for worker in alive for lack in worker.missing.items()})
    return look.shown("admin/workers.html", hands=hands, alive=alive, lacks=lacks)


@page("POST", "/admin/workers", role=Role.ADMIN, refused=workers)
async def drain(look: Look) -> web.StreamResponse:
    """Let a worker, or all, take no more jobs, or take them again."""
    services, worker, on = look.services, look.field("worker"), look.field("on") == "yes"
    if worker == ALL:
        switches = [of_worker(one.id) for one in await services.jobs.workers()]
    else:
        switches = [await drain_of(services, worker)]
    await services.operations.turn(look.actor, *switches, on=on)
    look.leads("/admin/workers", said="It takes jobs again." if on else "No more jobs: once idle it leaves.")
