"""Files on their way into a dataset: sent as a form, fetched from links, or uploaded piece by piece and confirmed."""

from http import HTTPStatus

from pydantic import Field

from core.domain.address import MOST, addresses
from core.domain.dataset import owned
from core.domain.errors import (
    BadValue,
    FileTooLarge,
    KeyReused,
    NothingToDo,
    QueueFull,
    QuotaFull,
    UploadChanged,
    UploadFull,
    UploadsBusy,
    WrongHash,
)
from web.api.jobs import JobOut, job_out
from web.api.route import Body, Listed, route
from web.bodies import slot
from web.multiparts import FORM, parts
from web.visiting import Asked


class UrlsIn(Body):
    """Where files are to be fetched from."""

    urls: tuple[str, ...] = Field(min_length=1, max_length=MOST)


@route(
    "POST",
    "/datasets/{dataset}/images",
    status=HTTPStatus.ACCEPTED,
    location="/jobs/{id}",
    takes=FORM,
    errors=(BadValue, NothingToDo, FileTooLarge, UploadFull, QuotaFull, QueueFull, UploadsBusy),
)
async def send(asked: Asked, dataset: str) -> JobOut:
    """Send files in one form: pictures with captions beside them, conversations (JSONL), or zips of either.

    All of them come in, or none: where the line breaks, nothing has changed. What may have to go on after that goes
    through `POST /uploads` instead. The job says what became of each file.
    """
    found = await asked.services.datasets.seen(asked.actor, dataset)
    with slot(asked.request, asked.actor.account):
        job = await asked.services.intakes.receive(
            asked.actor,
            found,
            parts(asked.request),
            announced=asked.request.content_length,
            place=asked.place,
            key=asked.key,
        )
    return job_out(job)


@route(
    "POST",
    "/datasets/{dataset}/urls",
    status=HTTPStatus.ACCEPTED,
    idempotent=True,
    location="/jobs/{id}",
    errors=(BadValue, KeyReused, QuotaFull, QueueFull),
)
async def fetch(asked: Asked, dataset: str, body: UrlsIn) -> JobOut:
    """Have files fetched from the web; the job says what became of each."""
    found, links = await asked.services.datasets.seen(asked.actor, dataset), addresses("\n".join(body.urls))
    job = await asked.services.intakes.add(asked.actor, found, (), links=links, place=asked.place, key=asked.key)
    return job_out(job)


@route(
    "POST",
    "/datasets/{dataset}/confirm",
    status=HTTPStatus.ACCEPTED,
    errors=(BadValue, NothingToDo, WrongHash, UploadChanged, QuotaFull, QueueFull),
)
async def confirm(asked: Asked, dataset: str) -> Listed[JobOut]:
    """Hand on what you have uploaded into a dataset, a job for each upload; one that is not complete says so."""
    uploads = asked.services.uploads
    seen = await asked.services.datasets.view(asked.actor, dataset)
    owned(seen.dataset, asked.actor, name=dataset)
    if not seen.uploads:
        raise NothingToDo(why="Nothing was uploaded that waits for it.")
    links = [await uploads.resume(asked.actor, one.id) for one in seen.uploads]
    jobs = [await uploads.confirm(link.rpartition("/")[2]) for link in links]
    return Listed(items=tuple(map(job_out, jobs)))
