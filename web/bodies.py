"""What comes with a request: counts, hashes and bytes, each read with care, because anybody may have sent it."""

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import MultiDictProxy

from core.domain.errors import BadValue, UploadsBusy

AT_A_TIME = 16  # requests that bring files: each takes some megabytes, and a part of what the disk can write
SHARE = 4  # of them for one account: who lets theirs stand still keeps nobody else out
SLOTS = web.AppKey("slots", list[str])  # whose requests bring files at this moment
IDLE = 60.0  # seconds without a byte after which nobody is taken to be sending
DIGITS = 15
UNREADABLE = (ValueError, LookupError, RuntimeError, AssertionError, HttpProcessingError, web.RequestPayloadError)
Field = str | bytes | bytearray | web.FileField
SHA256 = 32  # bytes


async def form(request: web.Request) -> MultiDictProxy[Field]:
    """What was typed into a form, and its files, which lie on the disk; read once.

    Raises:
        BadValue: It cannot be read.
    """
    with understood():
        return await request.post()


async def whole(request: web.Request) -> bytes:
    """All that was sent; read once.

    Raises:
        BadValue: It cannot be read.
    """
    with understood():
        return await request.read()


@contextmanager
def understood() -> Iterator[None]:
    """Say of a body that aiohttp cannot read that it is none.

    Raises:
        BadValue: It is none.
    """
    try:
        yield
    except UNREADABLE as error:
        raise unfit("it does not end as it began, or not in letters that it names; send it again") from error


def unfit(why: str) -> BadValue:
    """What to say of a body that cannot be one."""
    return BadValue(what="body", value="what was sent", why=why)


async def arriving(request: web.Request) -> AsyncIterator[bytes]:
    """The bytes of a request as they come.

    Raises:
        BadValue: They are not packed as it says.
        ConnectionResetError: The line broke before they were all here.
        HTTPRequestTimeout: Nothing came for too long.
    """
    while True:
        async with patiently():
            with understood():
                chunk = await request.content.readany()
        if not chunk:
            return
        yield chunk


@asynccontextmanager
async def patiently() -> AsyncIterator[None]:
    """Wait for what somebody sends, but not for ever.

    Raises:
        ConnectionResetError: The line broke.
        HTTPRequestTimeout: Nothing came for too long.
    """
    try:
        async with asyncio.timeout(IDLE):
            yield
    except (ClientPayloadError, HttpProcessingError) as error:
        raise ConnectionResetError from error
    except TimeoutError as error:
        raise web.HTTPRequestTimeout from error


@contextmanager
def slot(request: web.Request, account: str) -> Iterator[None]:
    """One of the places for requests that bring files, of which an account has a share.

    Raises:
        UploadsBusy: All are taken, or the account's are.
    """
    taken = request.config_dict[SLOTS]
    if taken.count(account) >= SHARE:
        raise UploadsBusy(most=SHARE, whose="yours")
    if len(taken) >= AT_A_TIME:
        raise UploadsBusy(most=AT_A_TIME, whose="everybody's")
    taken.append(account)
    try:
        yield
    finally:
        taken.remove(account)


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
