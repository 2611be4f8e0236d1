"""Upload sessions: signed links that take files piece by piece, and go on after a broken line.

The links speak for themselves, without a token; docs/api.md shows how.
"""

from datetime import datetime
from http import HTTPStatus

from core.domain.errors import NotFound, TooManyUploads, UploadClosed
from core.domain.upload import UploadState
from web.api.route import Body, Out, route
from web.visiting import Asked


class UploadFileOut(Out):
    """A file on its way: so many of its bytes are here."""

    name: str
    size: int
    offset: int


class UploadOut(Out):
    """An upload session, and its links, good for whoever has them.

    `page` takes files in a browser. A file is sent by PUT to `files` with its name behind another slash, from
    `Upload-Offset` on; a POST to `confirm` hands everything on.
    """

    id: str
    dataset: str
    state: UploadState
    limit: int
    received: tuple[UploadFileOut, ...]
    created_at: datetime
    expires_at: datetime
    page: str
    files: str
    confirm: str


class UploadIn(Body):
    """Which dataset the files are for."""

    dataset: str


@route(
    "POST",
    "/uploads",
    status=HTTPStatus.CREATED,
    idempotent=True,
    location="/uploads/{id}",
    errors=(NotFound, TooManyUploads),
)
async def create(asked: Asked, body: UploadIn) -> UploadOut:
    """Open an upload session; it waits an hour for the first byte, and then as long as bytes come, at most a day."""
    dataset = await asked.services.datasets.seen(asked.actor, body.dataset)
    return await _shown(asked, await asked.services.uploads.open(asked.actor, dataset, place=asked.place))


@route("GET", "/uploads/{upload}", errors=(UploadClosed,))
async def view(asked: Asked, upload: str) -> UploadOut:
    """Show an upload session that is open, to go on where the line broke."""
    return await _shown(asked, await asked.services.uploads.resume(asked.actor, upload))


async def _shown(asked: Asked, link: str) -> UploadOut:
    upload = (await asked.services.uploads.view(link.rpartition("/")[2])).upload
    return UploadOut(
        id=upload.id,
        dataset=upload.dataset,
        state=upload.state,
        limit=upload.limit,
        received=tuple(UploadFileOut(name=one.name, size=one.size, offset=one.offset) for one in upload.files),
        created_at=upload.created_at,
        expires_at=upload.expires_at,
        page=link,
        files=f"{link}/files",
        confirm=f"{link}/confirm",
    )
