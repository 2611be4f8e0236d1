"""What the doctor has found in a dataset, and what mends it."""

from typing import Any

from core.domain.dataset import Dataset, Status
from core.domain.doctor import FIXES, Fix
from core.domain.errors import BadValue, KeyReused, NotAdult, NothingToDo, QueueFull
from core.domain.finding import Finding, LineError, Severity
from core.domain.job import Job
from web.api.datasets import visible
from web.api.items import ItemOut, item_out
from web.api.jobs import JobOut, job_out
from web.api.route import Listed, Out, route
from web.visiting import Asked


class FindingOut(Out):
    """One thing that the doctor says, which pictures it is about, and what would mend it."""

    code: str
    severity: Severity
    words: str
    images: tuple[str, ...]
    fixes: tuple[Fix, ...]


class FindingsOut(Out):
    """All that the doctor says; `errors` are the first of `error_count` lines that did not come in."""

    status: Status
    findings: tuple[FindingOut, ...]
    errors: tuple[LineError, ...]
    error_count: int
    faults: tuple[LineError, ...]


class MendedOut(FindingsOut):
    """What is left to be said; where a worker has to do it, or to look again, its job."""

    job: JobOut | None


@route("GET", "/datasets/{dataset}/findings", errors=(NotAdult,))
async def list_(asked: Asked, dataset: str) -> FindingsOut:
    """Show what the doctor has found in a dataset."""
    return FindingsOut(**_said(await visible(asked, dataset)))


@route("GET", "/datasets/{dataset}/fixes/{fix}", errors=(BadValue,))
async def preview(asked: Asked, dataset: str, fix: str) -> Listed[ItemOut]:
    """List the pictures that a fix would drop; none where it drops nothing."""
    found = await asked.services.datasets.seen(asked.actor, dataset)
    gone = await asked.services.mendings.preview(asked.actor, found, _fix(fix))
    return Listed(items=tuple(item_out(asked, found, item) for item in gone))


@route(
    "POST",
    "/datasets/{dataset}/fixes/{fix}",
    idempotent=True,
    errors=(BadValue, NothingToDo, KeyReused, QueueFull),
)
async def mend(asked: Asked, dataset: str, fix: str) -> MendedOut:
    """Mend what the doctor has found; what drops pictures does so for good."""
    found = await asked.services.datasets.seen(asked.actor, dataset)
    mended = await asked.services.mendings.mend(asked.actor, found, _fix(fix), place=asked.place, key=asked.key)
    left = await asked.services.datasets.seen(asked.actor, dataset)
    return MendedOut(**_said(left), job=job_out(mended) if isinstance(mended, Job) else None)


def _fix(text: str) -> Fix:
    try:
        return Fix(text)
    except ValueError as error:
        raise BadValue(what="fix", value=text, why=f"there are {', '.join(Fix)}") from error


def _said(dataset: Dataset) -> dict[str, Any]:
    same = {name: getattr(dataset, name) for name in ("status", "errors", "error_count", "faults")}
    return same | {"findings": tuple(map(_finding, dataset.findings))}


def _finding(finding: Finding) -> FindingOut:
    return FindingOut(
        code=finding.code,
        severity=finding.severity,
        words=finding.words,
        images=finding.items,
        fixes=FIXES.get(finding.code, ()),
    )
