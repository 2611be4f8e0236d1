"""The keys that sign links: from the settings, or made once and kept in the data folder of an embedded house."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from config.settings import Settings
from core.domain.errors import SecretMissing

FILE = "secret.key"
LENGTH = 32  # bytes, as RFC 2104 advises for SHA-256


def signing_keys(settings: Settings) -> Mapping[str, bytes]:
    """The keys by id, the signing one first: `SECRET_KEY=KEY`, or `ID:KEY,ID:KEY` while one is replaced by another.

    Raises:
        SecretMissing: There is none, and the database is shared, so that none can be made up.
    """
    if settings.secret_key is not None:
        parts = [part.strip() for part in settings.secret_key.get_secret_value().split(",") if part.strip()]
        return {name or "0": key.encode() for name, _, key in (_split(part) for part in parts)}
    if not settings.embedded:
        raise SecretMissing
    return {"0": _kept(settings.data_folder / FILE)}


def derived(settings: Settings, purpose: str) -> str:
    """A secret of its own for a purpose, the same in every process of the house: 64 hex digits.

    Raises:
        SecretMissing: As above.
    """
    key = next(iter(signing_keys(settings).values()))
    return hmac.new(key, purpose.encode(), hashlib.sha256).hexdigest()


def _split(part: str) -> tuple[str, str, str]:
    name, sign, key = part.partition(":")
    return (name, sign, key) if sign else ("", "", part)


def _kept(file: Path) -> bytes:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return bytes.fromhex(file.read_text(encoding="ascii"))
    with os.fdopen(made, "w", encoding="ascii") as out:
        out.write(secrets.token_hex(LENGTH))
    return _kept(file)
