"""Uploads: the page behind an upload link, and what it, or curl, speaks: raw bytes at an offset."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

from core.domain.errors import BadValue, NotFound, UploadsBusy
from core.domain.upload import PIECE, UploadFile, UploadState
from core.services.uploads import Uploads
from web.bodies import arriving, checksum, count
from web.pages import PAGES

AT_A_TIME = 16  # requests that carry bytes: each takes some megabytes, and a part of what the disk can write


@dataclass(frozen=True, kw_only=True)
class UploadRoutes:
    """What lies under `/u/{token}`."""

    uploads: Uploads
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_A_TIME))

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        file = "/u/{token}/files/{name}"
        return [
            web.get("/u/{token}", self.page),
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
        received = view.upload.state is UploadState.CONFIRMED
        return request.app[PAGES].shown(
            "received.html" if received else "upload.html",
            view=view,
            address=f"{self.uploads.address}/u/{token}",
            piece=PIECE,
        )

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
        async with self._slot():
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
        async with self._slot():
            job = await self.uploads.confirm(request.match_info["token"])
        return web.json_response({"job": job.id, "title": job.title, "state": job.state})

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        if self.slots.locked():
            raise UploadsBusy
        async with self.slots:
            yield


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
