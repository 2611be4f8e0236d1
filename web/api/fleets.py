"""The fleet: who works on what, and letting workers leave for others to come."""

from collections.abc import Mapping
from datetime import datetime

from core.domain.account import Role
from core.domain.errors import NotFound
from core.domain.switch import of_worker
from core.domain.token import Scope
from core.services import Services
from core.services.operations import Hand
from web.api.jobs import JobOut, job_out
from web.api.route import Listed, Out, route
from web.visiting import Asked


class WorkerOut(Out):
    """A worker: what it is, what it takes, what it does; `silent` is for how many seconds nothing was heard of it."""

    id: str
    name: str
    version: str
    device: str
    memory: int
    kinds: tuple[str, ...]
    labels: tuple[str, ...]
    base: str | None
    speed: float | None
    missing: Mapping[str, str]
    draining: bool
    jobs: tuple[JobOut, ...]
    silent: float | None
    started_at: datetime
    seen_at: datetime


@route("GET", "/admin/workers", role=Role.ADMIN, scope=Scope.ADMIN)
async def workers(asked: Asked) -> Listed[WorkerOut]:
    """List the workers of the last day, live ones first."""
    found = await asked.services.operations.workers(asked.actor)
    return Listed[WorkerOut](items=tuple(_worker(hand) for hand in found))


@route("POST", "/admin/workers/{worker}/drain", role=Role.ADMIN, scope=Scope.ADMIN)
async def drain(asked: Asked, worker: str) -> None:
    """Let a worker end what it does and leave; whatever keeps it running then starts a new one."""
    await asked.services.operations.turn(asked.actor, await drain_of(asked.services, worker), on=False)


@route("POST", "/admin/workers/{worker}/undrain", role=Role.ADMIN, scope=Scope.ADMIN)
async def undrain(asked: Asked, worker: str) -> None:
    """Let a worker take jobs again."""
    await asked.services.operations.turn(asked.actor, await drain_of(asked.services, worker), on=True)


async def drain_of(services: Services, worker: str) -> str:
    """The switch that lets a worker take jobs.

    Raises:
        NotFound: There is no such worker that lives.
    """
    if worker not in {one.id for one in await services.jobs.workers()}:
        raise NotFound(noun="worker", name=worker, hint="See the list of workers: it takes one that lives.")
    return of_worker(worker)


def _worker(hand: Hand) -> WorkerOut:
    worker, own = hand.worker, {"draining", "jobs", "silent"}
    return WorkerOut(
        **{name: getattr(worker, name) for name in WorkerOut.model_fields if name not in own},
        draining=hand.draining,
        jobs=tuple(job_out(job) for job in hand.jobs),
        silent=hand.silent.total_seconds() if hand.silent else None,
    )
