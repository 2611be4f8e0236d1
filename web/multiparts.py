"""Forms with files (RFC 7578): each file a stream that is read once, in the order in which they come."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import BodyPartReader, web

from web.bodies import patiently, understood, unfit

FORM = "multipart/form-data"
AT_A_TIME = 2**18  # bytes


@dataclass(frozen=True, kw_only=True)
class Part:
    """A file in a form, on its way into a dataset; how large it is nobody knows before it is here."""

    name: str
    reader: BodyPartReader
    size: int | None = None
    most: int | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """Its bytes, once."""
        yield self._chunks()

    async def _chunks(self) -> AsyncIterator[bytes]:
        while True:
            async with patiently():
                with understood():
                    chunk = await self.reader.read_chunk(AT_A_TIME)
            if not chunk:
                return
            yield chunk


async def parts(request: web.Request) -> AsyncIterator[Part]:
    """The files of a form as they come; each has to be read before the next one.

    Raises:
        HTTPUnsupportedMediaType: It is no form.
        BadValue: It is none that can be read to its end, or holds something that is no file.
        ConnectionResetError: The line broke before all of it was here.
        HTTPRequestTimeout: Nothing came for too long.
    """
    if request.content_type != FORM:
        raise web.HTTPUnsupportedMediaType(text=f"Send a form with files: `Content-Type: {FORM}`.")
    with understood():
        form = await request.multipart()
    while True:
        async with patiently():
            with understood():
                part = await form.next()
        if part is None:
            return
        if not isinstance(part, BodyPartReader) or not part.filename:
            raise unfit("it takes files only, each with its name")
        yield Part(name=part.filename, reader=part)
