"""The one guarded fetcher: what lies behind a link that somebody sent, and nothing that only this house can reach.

Redirects are followed by hand, each checked anew.
"""

import asyncio
import re
from collections.abc import Callable, Container, Sequence
from email.message import Message
from pathlib import Path
from typing import IO

from aiohttp import ClientResponse
from yarl import URL

from core.domain.address import PORTS, IPAddress, is_public
from core.domain.errors import LinkRefused
from core.domain.upload import NAME_LENGTH
from worker.adapters.reaching import Resolver, looked_up, pinned, reached, refused, worded

SECONDS = 300.0  # for one link, redirects included
REDIRECTS = 3
CHUNK = 2**20
MOVED = (301, 302, 303, 307, 308)
OK = 200


async def fetched(
    url: str,
    path: Path,
    *,
    limit: int,
    seconds: float = SECONDS,
    resolver: Resolver = looked_up,
    allowed: Callable[[IPAddress], bool] = is_public,
    ports: Container[int] = PORTS,
) -> str:
    """Write what lies behind a link to a file, and return what it is called there: a safe name without folders.

    Args:
        url: As somebody sent it.
        path: The file to write; after a refusal there is none.
        limit: The most bytes that are taken.
        seconds: The longest that it may take in all.
        resolver: Who knows the addresses of a host.
        allowed: Which addresses may be asked.
        ports: Which ports may be asked.

    Raises:
        LinkRefused: The link or one that it leads to is none that may be followed, or brings no file within bounds.
    """
    link: URL | str = url
    try:
        async with asyncio.timeout(seconds):
            for _ in range(REDIRECTS + 1):
                here = _checked(link, ports)
                addresses = await reached(here, resolver, allowed)
                found = await _asked(here, addresses, path, limit)
                if isinstance(found, str):
                    return found
                link = found
    except TimeoutError as error:
        raise refused(url, f"it took longer than {seconds:.0f} seconds") from error
    raise refused(url, f"it leads on more than {REDIRECTS} times")


def _checked(link: URL | str, ports: Container[int]) -> URL:
    """A link as it may be followed, without its fragment.

    Raises:
        LinkRefused: It is none.
    """
    try:
        url = URL(link).with_fragment(None)
        host, port = url.raw_host, url.port
    except ValueError as error:
        raise refused(link, "it is no link") from error
    if url.scheme not in {"http", "https"} or not host:
        raise refused(link, "only links that begin with http:// or https:// are followed")
    if url.user or url.password:
        raise refused(link, "there is a name or password in it; only what everybody may see is fetched")
    if port not in ports:
        raise refused(link, f"port {port} is none of the web's")
    return url


async def _asked(url: URL, addresses: Sequence[IPAddress], path: Path, limit: int) -> URL | str:
    """Ask at these addresses; return the name of what was written to the path, or where it is instead.

    Raises:
        LinkRefused: Neither of them came.
        TimeoutError: It took too long.
    """
    with worded(url):
        async with pinned(addresses) as session, session.get(url, allow_redirects=False) as answer:
            if answer.status in MOVED and "Location" in answer.headers:
                return _moved(url, answer.headers["Location"])
            await _saved(answer, url, path, limit)
            return _name(answer.headers.get("Content-Disposition", ""), url)


def _moved(url: URL, location: str) -> URL:
    try:
        return url.join(URL(location))
    except ValueError as error:
        raise refused(url, "it leads on to something that is no link") from error


async def _saved(answer: ClientResponse, url: URL, path: Path, limit: int) -> None:
    """Write the body of an answer to a file, whole or not at all."""
    if answer.status != OK:
        raise refused(url, f"the answer was {answer.status}")
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise refused(url, "it comes compressed though nobody asked for that")
    if (answer.content_length or 0) > limit:
        raise _large(url, limit)
    try:
        with await asyncio.to_thread(path.open, "wb") as file:
            await _streamed(answer, url, file, limit)
    except BaseException:
        await asyncio.to_thread(path.unlink, missing_ok=True)
        raise


async def _streamed(answer: ClientResponse, url: URL, file: IO[bytes], limit: int) -> None:
    size = 0
    async for chunk in answer.content.iter_chunked(CHUNK):
        size += len(chunk)
        if size > limit:
            raise _large(url, limit)
        await asyncio.to_thread(file.write, chunk)


def _name(disposition: str, url: URL) -> str:
    """What a file is called: by its header (RFC 6266), else by the end of its link."""
    message = Message()
    message["Content-Disposition"] = disposition
    return _safe(message.get_filename() or "") or _safe(url.name) or "file"


def _safe(name: str) -> str:
    """A name without folders and what cannot be shown, of bounded length; its ending stays."""
    shown = "".join(letter for letter in re.split(r"[/\\]", name)[-1] if letter.isprintable()).strip(". ")
    path = Path(shown)
    return path.stem[: NAME_LENGTH - len(path.suffix)] + path.suffix if len(path.suffix) < NAME_LENGTH else ""


def _large(url: URL, limit: int) -> LinkRefused:
    return refused(url, f"it is larger than {limit // 2**20} MB")
