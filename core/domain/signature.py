"""Signed texts: what a link may carry so that nobody but this house can have made it (HMAC-SHA256, RFC 2104)."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from core.domain.errors import BadLink


def signed(text: str, *, purpose: str, keys: Mapping[str, bytes]) -> str:
    """`text.key.signature`, each URL-safe; the first key signs, its id tells which one it was.

    The purpose is signed too, so that a link for one thing never opens another.
    """
    name, key = next(iter(keys.items()))
    payload = f"{_encoded(text.encode())}.{name}"
    return f"{payload}.{_encoded(_mac(payload, purpose, key))}"


def verified(link: str, *, purpose: str, keys: Mapping[str, bytes]) -> str:
    """The text of a link.

    Raises:
        BadLink: It was not made here for this, or changed on its way, or its key is no longer known.
    """
    payload, _, signature = link.rpartition(".")
    text, _, name = payload.rpartition(".")
    if not link.isascii() or name not in keys:
        raise BadLink
    if not hmac.compare_digest(_encoded(_mac(payload, purpose, keys[name])), signature):
        raise BadLink
    return _decoded(text).decode()


def _mac(payload: str, purpose: str, key: bytes) -> bytes:
    return hmac.new(key, f"{purpose}:{payload}".encode(), hashlib.sha256).digest()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
