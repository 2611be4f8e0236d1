"""Addresses: links that somebody names, as far as they can be judged without asking anybody, and who is everybody."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from core.domain.errors import BadValue

IPAddress = IPv4Address | IPv6Address

MOST, LENGTH = 1000, 2000  # links at a time, characters of one
PORTS = frozenset({80, 443, 8080, 8443})  # the web's
UNICAST = IPv6Network("2000::/3")  # all there is of public IPv6
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: IPv4 as a network without IPv4 sees it
HERE = frozenset({"localhost", "127.0.0.1", "::1"})
PRIVATE = frozenset({"localhost", "local", "internal"})  # ends of names that mean something here only


def addresses(text: str) -> tuple[str, ...]:
    """The links in a text, separated by blanks, each once; whether they may be fetched is found out when they are.

    Raises:
        BadValue: A word is no link, or there are none, or too many.
    """
    links = tuple(dict.fromkeys(text.split()))
    if wrong := [link for link in links if not _is_link(link)]:
        raise BadValue(what="link", value=wrong[0], why="it begins with http:// or https:// and names a server")
    if not 0 < len(links) <= MOST:
        raise BadValue(what="list of links", value=f"{len(links)} links", why=f"it takes 1 to {MOST}")
    return links


def receiver(text: str, *, local: bool = False) -> str:
    """An address that something may be sent to; where its name leads is looked up whenever that is done.

    For development, in a `local` house, a receiver on the same machine may use http and any port.

    Raises:
        BadValue: It is none.
    """
    url = text.strip()
    if why := _unfit(url, local=local):
        raise BadValue(what="address to send to", value=url, why=why)
    return url


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


def _is_link(word: str) -> bool:
    try:
        parts = urlsplit(word)
        return len(word) <= LENGTH and word.isprintable() and parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def _unfit(url: str, *, local: bool) -> str:
    """Why nothing is sent there; nothing where it may be."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "it is no link"
    if len(url) > LENGTH or not (url.isascii() and url.isprintable()) or url.split() != [url]:
        return f"it takes up to {LENGTH} plain characters"
    if parts.username is not None or parts.password is not None:
        return "no name or password may stand in it"
    if local and parts.scheme in {"http", "https"} and host in HERE:
        return ""
    return _foreign(parts, host, port)


def _foreign(parts: SplitResult, host: str, port: int | None) -> str:
    if parts.scheme != "https" or not host:
        return "it begins with https:// and names a server"
    if port is not None and port not in PORTS:
        return f"its port is none of {', '.join(map(str, sorted(PORTS)))}"
    try:
        is_open = is_public(ip_address(host))
    except ValueError:  # a name
        last = host.rstrip(".").rpartition(".")[2]
        is_open = last not in PRIVATE and not last.isdigit()
    return "" if is_open else "it leads into a private network"
