"""The one guarded way out: links lead to everybody's addresses only, and to nothing that only this house can reach.

A host is looked up once, every address that comes back must be allowed, and the connection goes to just these: a name
that means something else a moment later means nothing here.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from core.domain.address import IPAddress
from core.domain.errors import LinkRefused

Resolver = Callable[[str, int], Awaitable[Sequence[IPAddress]]]

SHOWN = 100  # characters of a link


async def looked_up(host: str, port: int) -> Sequence[IPAddress]:
    """All addresses of a host, as this machine knows it.

    Raises:
        OSError, UnicodeError: There is no such host.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(info[4][0]) for info in found))


async def reached(url: URL, resolver: Resolver, allowed: Callable[[IPAddress], bool]) -> Sequence[IPAddress]:
    """The addresses of a link's host.

    Raises:
        LinkRefused: There are none, or one that may not be asked.
    """
    try:
        addresses = await resolver(url.raw_host or "", url.port or 0)
    except (OSError, ValueError) as error:
        raise refused(url, "there is no such host") from error
    if not addresses:
        raise refused(url, "there is no such host")
    if not all(map(allowed, addresses)):
        raise refused(url, "it leads into a private network")
    return addresses


def pinned(addresses: Sequence[IPAddress]) -> ClientSession:
    """A session that goes to these addresses whatever the name, and remembers nothing."""
    return ClientSession(
        connector=TCPConnector(resolver=_Pinned(addresses), use_dns_cache=False, force_close=True),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        timeout=ClientTimeout(total=None),
        headers={"Accept-Encoding": "identity", "User-Agent": "LoraGuild"},
    )


@contextmanager
def worded(url: URL) -> Iterator[None]:
    """Say in words what went wrong on the way.

    Raises:
        LinkRefused: Something did.
    """
    try:
        yield
    except ClientConnectorCertificateError as error:
        raise refused(url, "its certificate does not fit") from error
    except ClientConnectorError as error:
        raise refused(url, "nobody answers there") from error
    except (ClientError, ValueError) as error:
        raise refused(url, "the answer broke off or makes no sense") from error


def refused(link: URL | str, why: str) -> LinkRefused:
    """A refusal that names a link as it may be shown: without its query and what else may be secret in it."""
    bare = re.sub(r"(?<=//)[^/?#]*@|[?#].*", "", str(link), flags=re.DOTALL)
    shown = "".join(letter if letter.isprintable() else "·" for letter in bare)
    return LinkRefused(link=shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…", why=why)


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
