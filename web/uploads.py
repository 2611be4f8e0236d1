"""Uploads: the page behind an upload link, and what it, or curl, speaks: raw bytes at an offset."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from os import SEEK_END

from aiohttp import web

from core.domain.errors import BadValue, NotFound
from core.domain.upload import PIECE, UploadFile, UploadState
from core.services.uploads import Uploads
from web.bodies import arriving, checksum, count, form, slot
from web.pages import PAGES

CHUNK = 2**18  # bytes read from the disk at a time
FRAME = 2**20  # bytes of a form that are no file's


@dataclass(frozen=True, kw_only=True)
class UploadRoutes:
    """What lies under `/u/{token}`."""

    uploads: Uploads

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        file = "/u/{token}/files/{name}"
        return [
            web.get("/u/{token}", self.page),
            web.post("/u/{token}", self.form),
            web.get("/u/{token}/files", self.files),
            web.head(file, self.head),
            web.put(file, self.put),
            web.delete(file, self.delete),
            web.post("/u/{token}/confirm", self.confirm),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """The drop zone, or that everything was received."""
        token = request.match_info["token"]
        view = await self.uploads.view(token)
        received, pages = view.upload.state is UploadState.CONFIRMED, request.app[PAGES]
        return pages.shown(
            "received.html" if received else "upload.html",
            view=view,
            link=f"{pages.root}/u/{token}",
            address=f"{self.uploads.address}/u/{token}",
            piece=PIECE,
        )

    async def form(self, request: web.Request) -> web.Response:
        """Take the files of a plain form, and hand them on: what a browser without JavaScript sends."""
        token = request.match_info["token"]
        upload = (await self.uploads.view(token)).upload
        with slot(request, upload.account):
            sent = await form(request.clone(client_max_size=upload.limit + FRAME))
            with _chosen(sent) as files:
                for file in files:
                    await self._take(token, file)
            await self.uploads.confirm(token)
        back = f"/datasets/{upload.dataset}/create/pictures" if "creator" in request.query else f"/u/{token}"
        raise web.HTTPSeeOther(request.app[PAGES].root + back)

    async def files(self, request: web.Request) -> web.Response:
        """What is here so far, to go on from there."""
        upload = (await self.uploads.view(request.match_info["token"])).upload
        return web.json_response(
            {
                "state": upload.state,
                "limit": upload.limit,
                "expires_at": upload.expires_at.isoformat(),
                "files": [_state(file) for file in upload.files],
            }
        )

    async def head(self, request: web.Request) -> web.Response:
        """How much of one file is here."""
        token, name = _named(request)
        file = (await self.uploads.view(token)).upload.file(name)
        if file is None:
            raise NotFound(noun="file", name=name, hint="Nothing of it is here yet.")
        return web.Response(headers={"Upload-Offset": str(file.offset), "Upload-Length": str(file.size)})

    async def put(self, request: web.Request) -> web.Response:
        """Take bytes from an offset on: 201 when the file is whole, 200 while it is not."""
        token, name = _named(request)
        offset = count(request, "Upload-Offset") or 0
        with await self._slot(request):
            if offset == 0:
                await self.uploads.begin(token, name, size=_length(request, name), sha256=checksum(request))
            file = await self.uploads.put(token, name, offset=offset, chunks=arriving(request))
        status = HTTPStatus.CREATED if file.complete else HTTPStatus.OK
        return web.json_response(_state(file), status=status, headers={"Upload-Offset": str(file.offset)})

    async def delete(self, request: web.Request) -> web.Response:
        """Let a file go."""
        await self.uploads.drop(*_named(request))
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def confirm(self, request: web.Request) -> web.Response:
        """Hand everything on, once."""
        with await self._slot(request):
            job = await self.uploads.confirm(request.match_info["token"])
        return web.json_response({"job": job.id, "title": job.title, "state": job.state})

    async def _slot(self, request: web.Request) -> AbstractContextManager[None]:
        """A place for whoever asked for the link."""
        view = await self.uploads.view(request.match_info["token"])
        return slot(request, view.upload.account)

    async def _take(self, token: str, file: web.FileField) -> None:
        """Bring one file in, from its beginning."""
        size = file.file.seek(0, SEEK_END)
        file.file.seek(0)
        await self.uploads.drop(token, file.filename)
        await self.uploads.begin(token, file.filename, size=size)
        await self.uploads.put(token, file.filename, offset=0, chunks=_read(file))


@contextmanager
def _chosen(form: Mapping[str, object]) -> Iterator[list[web.FileField]]:
    """The files of a form, which lie on the disk until this ends.

    Raises:
        BadValue: There is none.
    """
    files = [field for field in form.values() if isinstance(field, web.FileField)]
    try:
        if not files:
            raise BadValue(what="upload", value="nothing", why="choose one or more files first")
        yield files
    finally:
        for file in files:
            file.file.close()


async def _read(file: web.FileField) -> AsyncIterator[bytes]:
    """A file's bytes, from the disk."""
    while chunk := await asyncio.to_thread(file.file.read, CHUNK):
        yield chunk


def _named(request: web.Request) -> tuple[str, str]:
    return request.match_info["token"], request.match_info["name"]


def _length(request: web.Request, name: str) -> int:
    length = count(request, "Upload-Length")
    if length is None:
        length = request.content_length
    if length is None:
        raise BadValue(what="upload", value=name, why="say how many bytes it has: `Upload-Length: BYTES`")
    return length


def _state(file: UploadFile) -> dict[str, object]:
    return {"name": file.name, "size": file.size, "offset": file.offset}
