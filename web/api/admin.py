"""The controls of the house: what runs and waits, what is turned off, what it costs, and who did what."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from core.domain.account import Platform, Role
from core.domain.census import Line
from core.domain.errors import BadValue, JobEnded, NotFound, NothingToDo
from core.domain.job import JobState, Priority
from core.domain.ledger import Lot
from core.domain.switch import QUEUE, of_claims, of_kind, of_offering
from core.domain.token import Scope
from core.services import Services
from core.services.operations import LENGTH, Deed
from web.api.jobs import JobOut, job_out
from web.api.route import Body, Listed, Out, Paging, route
from web.visiting import Asked


class PoolOut(Out):
    """Jobs that the same workers may take: how many, and who does; where nobody does, why.

    `pauses` name what is turned off, `wanting` what the worker lacks that comes closest.
    """

    kind: str
    offering: str | None
    labels: tuple[str, ...]
    memory: int
    waiting: int
    running: int
    oldest: datetime | None
    workers: tuple[str, ...]
    wanting: tuple[str, ...]
    pauses: tuple[str, ...]


class QueuedOut(JobOut):
    """A job of somebody that has not ended."""

    owner: str
    owner_name: str
    worker: str | None
    priority: Priority


class QueueOut(Out):
    """What is paused, what waits and runs by what it takes of workers, and the first jobs, running ones first."""

    pauses: tuple[str, ...]
    lines: tuple[PoolOut, ...]
    jobs: tuple[QueuedOut, ...]


class OnOfferOut(Out):
    """An offering, and whether it can be ordered."""

    id: str
    title: str
    on: bool


class TotalOut(Out):
    """Jobs of one kind and offering: seconds of devices, points paid, their cost and the rest in hundredths of one."""

    kind: str
    offering: str | None
    jobs: int
    seconds: float
    price: int
    paid: int
    margin: int


class CensusOut(Out):
    """The house, counted: open jobs by state, notices that wait by chat, workers, revenue by lot, stored files."""

    at: datetime
    jobs: Mapping[JobState, int]
    backlog: Mapping[Platform, int]
    workers: int
    revenue: Mapping[Lot, int]
    files: int
    bytes: int


class DeedOut(Out):
    """An act: who did what to whom or what, by name where there is one."""

    id: str
    by: str
    act: str
    to: str
    details: Mapping[str, str]
    at: datetime


class ToldOut(Out):
    """To how many people something is being said."""

    people: int


class PriorityIn(Body):
    """How much it weighs against others."""

    priority: Priority


class NewsIn(Body):
    """What to say."""

    text: Annotated[str, Field(min_length=1, max_length=LENGTH)]


class Acts(Paging):
    """Whose acts, by the id of an account; everybody's where nothing is said."""

    by: str = ""


@route("GET", "/admin/queue", role=Role.ADMIN, scope=Scope.ADMIN)
async def queue(asked: Asked) -> QueueOut:
    """Show what runs and what waits, and why."""
    found = await asked.services.operations.queue(asked.actor)
    lines = await asked.services.operations.lines(asked.actor)
    jobs = (
        QueuedOut(
            **job_out(job).model_dump(),
            owner=job.owner,
            owner_name=found.owners.get(job.owner, job.owner),
            worker=job.worker,
            priority=job.priority,
        )
        for job in found.jobs
    )
    return QueueOut(pauses=found.pauses, lines=tuple(pool_out(line) for line in lines), jobs=tuple(jobs))


@route("PUT", "/admin/jobs/{job}/priority", role=Role.ADMIN, scope=Scope.ADMIN, errors=(JobEnded, NothingToDo))
async def prioritise(asked: Asked, job: str, body: PriorityIn) -> JobOut:
    """Give a waiting job more or less weight; with more it starts anew, also before its owner's others."""
    return job_out(await asked.services.operations.prioritise(asked.actor, job, body.priority))


@route("POST", "/admin/jobs/{job}/requeue", role=Role.ADMIN, scope=Scope.ADMIN, errors=(JobEnded, NothingToDo))
async def requeue(asked: Asked, job: str) -> JobOut:
    """Take a running job from its worker; another goes on with it from its last checkpoint."""
    return job_out(await asked.services.operations.requeue(asked.actor, job))


@route("POST", "/admin/jobs/{job}/cancel", role=Role.ADMIN, scope=Scope.ADMIN, errors=(JobEnded,))
async def cancel(asked: Asked, job: str) -> JobOut:
    """End anybody's job; what was set aside goes back at once."""
    return job_out(await asked.services.jobs.cancel(asked.actor, job))


@route("PUT", "/admin/pauses/{what}", role=Role.ADMIN, scope=Scope.ADMIN)
async def pause(asked: Asked, what: str) -> None:
    """Let no worker take any job (`queue`), or none of a kind or an offering; what runs goes on."""
    await asked.services.operations.turn(asked.actor, switch_of(asked.services, what), on=False)


@route("DELETE", "/admin/pauses/{what}", role=Role.ADMIN, scope=Scope.ADMIN)
async def resume(asked: Asked, what: str) -> None:
    """Let workers take them again."""
    await asked.services.operations.turn(asked.actor, switch_of(asked.services, what), on=True)


@route("GET", "/admin/offerings", role=Role.ADMIN, scope=Scope.ADMIN)
async def offerings(asked: Asked) -> Listed[OnOfferOut]:
    """List all offerings, those that are off included."""
    found = await asked.services.trainings.offered()
    return Listed[OnOfferOut](items=tuple(OnOfferOut(id=one.id, title=one.title, on=on) for one, on in found))


@route("PUT", "/admin/offerings/{offering}", role=Role.ADMIN, scope=Scope.ADMIN)
async def offer(asked: Asked, offering: str) -> None:
    """Put an offering on offer."""
    await asked.services.operations.turn(asked.actor, offer_of(asked.services, offering), on=True)


@route("DELETE", "/admin/offerings/{offering}", role=Role.ADMIN, scope=Scope.ADMIN)
async def withdraw(asked: Asked, offering: str) -> None:
    """Take an offering off; what was ordered stays ordered."""
    await asked.services.operations.turn(asked.actor, offer_of(asked.services, offering), on=False)


@route(
    "POST",
    "/admin/broadcast",
    status=HTTPStatus.ACCEPTED,
    role=Role.ADMIN,
    scope=Scope.ADMIN,
    idempotent=True,
    errors=(BadValue,),
)
async def broadcast(asked: Asked, body: NewsIn) -> ToldOut:
    """Say something to everyone, ten a second."""
    return ToldOut(people=await asked.services.operations.broadcast(asked.actor, body.text, key=asked.key))


@route("GET", "/admin/audit", role=Role.ADMIN, scope=Scope.ADMIN, errors=(NotFound,))
async def audit(asked: Asked, query: Acts) -> Listed[DeedOut]:
    """List what was done, newest first."""
    found = await asked.services.operations.deeds(
        asked.actor, by=query.by or None, after=query.after, limit=query.limit + 1
    )
    return Listed[DeedOut].of([_deed(one) for one in found], limit=query.limit, name=lambda one: one.id)


@route("GET", "/admin/costs", role=Role.ADMIN, scope=Scope.ADMIN)
async def costs(asked: Asked) -> Listed[TotalOut]:
    """List what jobs took of devices in the last 30 days, and what is left of their price."""
    found = await asked.services.costs.lately(asked.actor)
    totals = ({name: getattr(one, name) for name in TotalOut.model_fields} for one in found)
    return Listed[TotalOut](items=tuple(TotalOut(**one) for one in totals))


@route("GET", "/admin/census", role=Role.ADMIN, scope=Scope.ADMIN)
async def census(asked: Asked) -> CensusOut:
    """Count the house; some figures may be some minutes old."""
    counted, totals = await asked.services.censuses.census(), await asked.services.censuses.totals()
    states = (JobState.QUEUED, JobState.RUNNING)
    return CensusOut(
        at=counted.at,
        jobs={state: sum(one.count for one in counted.crowds if one.state is state) for state in states},
        backlog=counted.backlog,
        workers=sum(worker.live(now=counted.at) for worker in counted.workers),
        revenue=totals.revenue,
        files=totals.files,
        bytes=totals.bytes,
    )


def switch_of(services: Services, what: str) -> str:
    """The switch that pauses the queue, a kind of jobs, or those of an offering.

    Raises:
        NotFound: There is nothing of this name.
    """
    if what == QUEUE:
        return QUEUE
    if what in services.jobs.kinds:
        return of_kind(what)
    if what in services.trainings.offerings:
        return of_claims(what)
    raise NotFound(noun="kind or offering", name=what, hint="Give a kind of job, an offering, or `queue` for all jobs.")


def offer_of(services: Services, offering: str) -> str:
    """The switch that puts an offering on offer.

    Raises:
        NotFound: There is no such offering.
    """
    if offering not in services.trainings.offerings:
        raise NotFound(noun="offering", name=offering, hint="See the list of offerings.")
    return of_offering(offering)


def pool_out(line: Line) -> PoolOut:
    """A line of the queue."""
    pool = line.pool
    return PoolOut(
        kind=pool.kind,
        offering=pool.offering,
        labels=pool.labels,
        memory=pool.memory,
        waiting=line.waiting,
        running=line.running,
        oldest=line.oldest,
        workers=tuple(worker.name for worker in line.takers),
        wanting=line.wanting,
        pauses=line.pauses,
    )


def _deed(deed: Deed) -> DeedOut:
    audit = deed.audit
    return DeedOut(id=audit.id, by=deed.by, act=audit.act, to=deed.to, details=audit.details, at=audit.at)
