"""Addresses: links to files that somebody names, as far as they can be judged without asking anybody."""

from urllib.parse import urlsplit

from core.domain.errors import BadValue

MOST, LENGTH = 1000, 2000  # links at a time, characters of one


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


def _is_link(word: str) -> bool:
    try:
        parts = urlsplit(word)
        return len(word) <= LENGTH and word.isprintable() and parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False
