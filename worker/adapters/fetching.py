"""The one guarded fetcher: what lies behind a link that somebody sent, and nothing that only this house can reach.

A host is looked up once, every address that comes back must be public, and the connection goes to just these: a name
that means something else a moment later means nothing here. Redirects are followed by hand, each checked anew.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Container, Sequence
from email.message import Message
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import IO

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from core.domain.errors import LinkRefused
from core.domain.upload import NAME_LENGTH

IPAddress = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[IPAddress]]]

SECONDS = 300.0  # for one link, redirects included
REDIRECTS = 3
PORTS = frozenset({80, 443, 8080, 8443})
CHUNK = 2**20
SHOWN = 100  # characters of a link
UNICAST = IPv6Network("2000::/3")  # all there is of public IPv6
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: IPv4 as a network without IPv4 sees it
MOVED = (301, 302, 303, 307, 308)
OK = 200


def is_public(address: IPAddress) -> bool:
    """Whether an address is everybody's: one within which another lies is judged by that."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in NAT64:
            inner = IPv4Address(address.packed[-4:])
        if inner:
            return is_public(inner)
        if address not in UNICAST:
            return False
    return address.is_global and not address.is_multicast


async def looked_up(host: str, port: int) -> Sequence[IPAddress]:
    """All addresses of a host, as this machine knows it.

    Raises:
        OSError, UnicodeError: There is no such host.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(info[4][0]) for info in found))


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
                addresses = await _addresses(here, resolver, allowed)
                found = await _asked(here, addresses, path, limit)
                if isinstance(found, str):
                    return found
                link = found
    except TimeoutError as error:
        raise _refused(url, f"it took longer than {seconds:.0f} seconds") from error
    raise _refused(url, f"it leads on more than {REDIRECTS} times")


class _Pinned(AbstractResolver):
    """Whatever the name, it has these addresses."""

    def __init__(self, addresses: Sequence[IPAddress]) -> None:
        self._addresses = addresses

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - its own families are known
    ) -> list[ResolveResult]:
        """The addresses, as aiohttp wants them."""
        families = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=families[address.version],
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in self._addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _checked(link: URL | str, ports: Container[int]) -> URL:
    """A link as it may be followed, without its fragment.

    Raises:
        LinkRefused: It is none.
    """
    try:
        url = URL(link).with_fragment(None)
        host, port = url.raw_host, url.port
    except ValueError as error:
        raise _refused(link, "it is no link") from error
    if url.scheme not in {"http", "https"} or not host:
        raise _refused(link, "only links that begin with http:// or https:// are followed")
    if url.user or url.password:
        raise _refused(link, "there is a name or password in it; only what everybody may see is fetched")
    if port not in ports:
        raise _refused(link, f"port {port} is none of the web's")
    return url


async def _addresses(url: URL, resolver: Resolver, allowed: Callable[[IPAddress], bool]) -> Sequence[IPAddress]:
    """The addresses of a link's host.

    Raises:
        LinkRefused: There are none, or one that may not be asked.
    """
    try:
        addresses = await resolver(url.raw_host or "", url.port or 0)
    except (OSError, ValueError) as error:
        raise _refused(url, "there is no such host") from error
    if not addresses:
        raise _refused(url, "there is no such host")
    if not all(map(allowed, addresses)):
        raise _refused(url, "it leads into a private network")
    return addresses


async def _asked(url: URL, addresses: Sequence[IPAddress], path: Path, limit: int) -> URL | str:
    """Ask at these addresses; return the name of what was written to the path, or where it is instead.

    Raises:
        LinkRefused: Neither of them came.
        TimeoutError: It took too long.
    """
    connector = TCPConnector(resolver=_Pinned(addresses), use_dns_cache=False, force_close=True)
    session = ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        timeout=ClientTimeout(total=None),
        headers={"Accept-Encoding": "identity", "User-Agent": "LoraGuild"},
    )
    try:
        async with session, session.get(url, allow_redirects=False) as answer:
            if answer.status in MOVED and "Location" in answer.headers:
                return _moved(url, answer.headers["Location"])
            await _saved(answer, url, path, limit)
            return _name(answer.headers.get("Content-Disposition", ""), url)
    except ClientConnectorCertificateError as error:
        raise _refused(url, "its certificate does not fit") from error
    except ClientConnectorError as error:
        raise _refused(url, "nobody answers there") from error
    except (ClientError, ValueError) as error:
        raise _refused(url, "the answer broke off or makes no sense") from error


def _moved(url: URL, location: str) -> URL:
    try:
        return url.join(URL(location))
    except ValueError as error:
        raise _refused(url, "it leads on to something that is no link") from error


async def _saved(answer: ClientResponse, url: URL, path: Path, limit: int) -> None:
    """Write the body of an answer to a file, whole or not at all."""
    if answer.status != OK:
        raise _refused(url, f"the answer was {answer.status}")
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise _refused(url, "it comes compressed though nobody asked for that")
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
    return _refused(url, f"it is larger than {limit // 2**20} MB")


def _refused(link: URL | str, why: str) -> LinkRefused:
    """A refusal that names a link as it may be shown: without its query and what else may be secret in it."""
    bare = re.sub(r"(?<=//)[^/?#]*@|[?#].*", "", str(link), flags=re.DOTALL)
    shown = "".join(letter if letter.isprintable() else "·" for letter in bare)
    return LinkRefused(link=shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…", why=why)
