"""What comes with a request: counts, hashes and bytes, each read with care, because anybody may have sent it."""

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

from core.domain.errors import BadValue

IDLE = 60.0  # seconds without a byte after which nobody is taken to be sending
DIGITS = 15
SHA256 = 32  # bytes


async def arriving(request: web.Request) -> AsyncIterator[bytes]:
    """The bytes of a request as they come.

    Raises:
        ConnectionResetError: The line broke before they were all here.
        HTTPRequestTimeout: Nothing came for too long.
    """
    try:
        while True:
            async with asyncio.timeout(IDLE):
                chunk = await request.content.readany()
            if not chunk:
                return
            yield chunk
    except (ClientPayloadError, HttpProcessingError) as error:
        raise ConnectionResetError from error
    except TimeoutError as error:
        raise web.HTTPRequestTimeout from error


def count(request: web.Request, header: str) -> int | None:
    """The number of bytes in a header, where there is one.

    Raises:
        BadValue: It is no number.
    """
    text = request.headers.get(header)
    if text is None:
        return None
    if not re.fullmatch(rf"[0-9]{{1,{DIGITS}}}", text):
        raise BadValue(what=header, value=text, why="it takes a number of bytes")
    return int(text)


def checksum(request: web.Request) -> str | None:
    """The sha256 (hex) in `Upload-Checksum`, where there is one.

    Raises:
        BadValue: It is none.
    """
    text = request.headers.get("Upload-Checksum")
    if text is None:
        return None
    method, _, value = text.partition(" ")
    if method.lower() == "sha256" and (digest := _digest(value.strip())):
        return digest.hex()
    raise BadValue(what="Upload-Checksum", value=text, why="it takes `sha256` and 64 hex digits, or as much in base64")


def _digest(text: str) -> bytes | None:
    try:
        digest = bytes.fromhex(text) if len(text) == 2 * SHA256 else base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest if len(digest) == SHA256 else None
