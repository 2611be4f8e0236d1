"""Reports: anybody says that something must not be here, and moderators decide."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from core.domain.account import Role
from core.domain.errors import BadValue, NotFound, NothingToDo, NotThem, TooOften
from core.domain.report import LENGTH, Report, ReportedKind, ReportState
from core.domain.token import Scope
from core.services.reports import Reported
from web.api.route import Body, Listed, Out, route
from web.visiting import Asked


class ReportOut(Out):
    """A report about a dataset or a model; for pictures, about a model that has drawn them."""

    id: str
    kind: ReportedKind
    thing: str
    name: str
    why: str
    state: ReportState
    at: datetime


class ReportedOut(ReportOut):
    """A report as moderators see it: who said so, whose it is, and whether it is still there."""

    reporter: str
    owner: str
    there: bool


class ReportIn(Body):
    """What must not be here, by its id, and why: that you are depicted, for example."""

    kind: ReportedKind
    thing: Annotated[str, Field(min_length=1, max_length=200)]
    why: Annotated[str, Field(min_length=1, max_length=LENGTH)]


@route("POST", "/reports", role=Role.VIEWER, errors=(BadValue, NotFound, NothingToDo, TooOften))
async def report(asked: Asked, body: ReportIn) -> Listed[ReportOut]:
    """Say that something must not be here: nobody can use it until a moderator has looked."""
    made = await asked.services.reports.report(asked.actor, body.kind, body.thing, why=body.why)
    return Listed[ReportOut](items=tuple(report_out(one) for one in made))


@route("GET", "/admin/reports", role=Role.MODERATOR, scope=Scope.ADMIN)
async def waiting(asked: Asked) -> Listed[ReportedOut]:
    """List the reports that you may decide, the oldest first."""
    found = await asked.services.reports.waiting(asked.actor)
    return Listed[ReportedOut](items=tuple(_reported(one) for one in found))


@route(
    "POST",
    "/admin/reports/{report}/uphold",
    role=Role.MODERATOR,
    scope=Scope.ADMIN,
    errors=(NotThem, NothingToDo),
)
async def uphold(asked: Asked, report: str) -> ReportOut:
    """Agree with a report: what it is about is gone for good."""
    return report_out(await asked.services.reports.uphold(asked.actor, report))


@route(
    "POST",
    "/admin/reports/{report}/dismiss",
    role=Role.MODERATOR,
    scope=Scope.ADMIN,
    errors=(NotThem, NothingToDo),
)
async def dismiss(asked: Asked, report: str) -> ReportOut:
    """Disagree with a report: what nobody else has reported can be used again."""
    return report_out(await asked.services.reports.dismiss(asked.actor, report))


def report_out(found: Report) -> ReportOut:
    """A report, without a word on who decides it."""
    return ReportOut(**_facts(found))


def _reported(one: Reported) -> ReportedOut:
    there = one.thing is not None
    return ReportedOut(**_facts(one.report), reporter=one.reporter, owner=one.owner, there=there)


def _facts(found: Report) -> dict[str, object]:
    return {name: getattr(found, name) for name in ReportOut.model_fields}
