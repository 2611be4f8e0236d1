"""Downloads: the file behind a signed link, whole or in part (RFC 9110, section 14), streamed."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import web

from core.domain.artifact import Artifact
from core.domain.errors import BlobGone, LinkExpired
from core.ports.blobs import Blobs
from core.services.downloads import Downloads


@dataclass(frozen=True, kw_only=True)
class DownloadRoutes:
    """What lies under `/d/{token}`."""

    downloads: Downloads
    blobs: Blobs

    def routes(self) -> list[web.RouteDef]:
        """Every route."""
        return [web.get("/d/{token}", self.file)]

    async def file(self, request: web.Request) -> web.StreamResponse:
        """The file, or the part of it that was asked for."""
        artifact = self.downloads.opened(request.match_info["token"])
        part = wanted(request, artifact)
        response = _head(artifact, part)
        if request.method == "HEAD":
            return response
        start, size = (part.start, len(part)) if part else (0, artifact.size)
        return await passed_on(request, response, self.blobs.open(artifact.sha256, start=start), size=size)


async def passed_on(
    request: web.Request, response: web.StreamResponse, stored: AsyncIterator[bytes], *, size: int
) -> web.StreamResponse:
    """Answer with so many bytes of a stored file.

    Raises:
        LinkExpired: The file is gone.
    """
    async with aclosing(_first(stored, size)) as chunks:
        try:
            chunk = await anext(chunks, b"")  # before anything is said: the file may be gone
        except BlobGone as error:
            raise LinkExpired from error
        await response.prepare(request)
        while chunk:
            await response.write(chunk)
            chunk = await anext(chunks, b"")
    await response.write_eof()
    return response


def wanted(request: web.BaseRequest, artifact: Artifact) -> range | None:
    """Which bytes a request asks for, where it has a range that we know how to serve; else it is given them all.

    Raises:
        HTTPRequestRangeNotSatisfiable: There are no such bytes.
    """
    if "Range" not in request.headers or request.headers.get("If-Range", _tag(artifact)) != _tag(artifact):
        return None
    try:
        part = range(artifact.size)[request.http_range]
    except ValueError:  # several ranges, or another unit
        return None
    if not part:
        raise web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{artifact.size}"})
    return part


def _head(artifact: Artifact, part: range | None) -> web.StreamResponse:
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", artifact.name)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(artifact.name, safe='')}",
        "Content-Length": str(len(part) if part else artifact.size),
        "Content-Type": artifact.media_type,
        "ETag": _tag(artifact),
    }
    if part is None:
        return web.StreamResponse(headers=headers)
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{artifact.size}"
    return web.StreamResponse(status=HTTPStatus.PARTIAL_CONTENT, headers=headers)


def _tag(artifact: Artifact) -> str:
    return f'"{artifact.sha256}"'


async def _first(chunks: AsyncIterator[bytes], size: int) -> AsyncGenerator[bytes]:
    """So many bytes of a stream."""
    async for chunk in chunks:
        yield chunk[:size]
        size -= len(chunk)
        if size <= 0:
            return
