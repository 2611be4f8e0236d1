"""Exports: a dataset as one file."""

from datetime import datetime
from http import HTTPStatus
from typing import ClassVar

from core.domain.connection import Provider
from core.domain.errors import BadValue, DatasetEmpty, KeyReused, NotAdult, NotConnected, QueueFull
from core.domain.export import Format
from web.api.jobs import FileOut, JobOut, files, job_out
from web.api.route import Body, Out, route
from web.visiting import Asked


class ExportOut(Out):
    """A file that was made of a dataset, and that can be fetched for a week."""

    fleeting: ClassVar[frozenset[str]] = frozenset({"file"})
    id: str
    dataset: str
    format: Format
    file: FileOut
    created_at: datetime
    expires_at: datetime


class ExportIn(Body):
    """As what: unless said, pictures as `zip` and conversations as `conversations`; and into which cloud, if any."""

    format: Format | None = None
    provider: Provider | None = None


@route(
    "POST",
    "/datasets/{dataset}/export",
    status=HTTPStatus.ACCEPTED,
    idempotent=True,
    location="/exports/{id}",
    errors=(BadValue, DatasetEmpty, NotAdult, NotConnected, KeyReused, QueueFull),
)
async def order(asked: Asked, dataset: str, body: ExportIn) -> JobOut:
    """Have a dataset put into one file; once the job has succeeded, it is where `Location` says."""
    found = await asked.services.datasets.seen(asked.actor, dataset)
    job = await asked.services.exports.order(
        asked.actor, found, wished=body.format, provider=body.provider, place=asked.place, key=asked.key
    )
    return job_out(job)


@route("GET", "/exports/{export}")
async def view(asked: Asked, export: str) -> ExportOut:
    """Show a file that was made, with a link to fetch it."""
    found = await asked.services.exports.view(asked.actor, export)
    same = {name: getattr(found, name) for name in ExportOut.model_fields if name != "file"}
    return ExportOut(**same, file=files([found.artifact], asked.services.downloads)[0])
