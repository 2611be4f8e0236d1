"""The keys that sign links: from the settings, or made once and kept in the data folder of an embedded house."""

import hashlib
import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from config.settings import Settings
from core.domain.errors import SecretMissing, SecretUnfit

FILE = "secret.key"
LENGTH = 32  # bytes, as RFC 2104 advises for SHA-256
SHORTEST = 16  # characters: less could be guessed from one link
ID = re.compile(r"[A-Za-z0-9_-]{1,16}")


def signing_keys(settings: Settings) -> Mapping[str, bytes]:
    """The keys by id, the signing one first: `SECRET_KEY=KEY`, or `ID:KEY,ID:KEY` while one is replaced by another.

    Raises:
        SecretMissing: There is none, and the database is shared, so that none can be made up.
        SecretUnfit: A key is too short, or its id is none.
    """
    text = settings.secret_key.get_secret_value() if settings.secret_key else ""
    if parts := [part.strip() for part in text.split(",") if part.strip()]:
        return _named(parts)
    if not settings.embedded:
        raise SecretMissing
    return _named([_kept(settings.data_folder / FILE)])


def derived(settings: Settings, purpose: str) -> str:
    """A secret of its own for a purpose, the same in every process of the house: 64 hex digits.

    Raises:
        SecretMissing, SecretUnfit: As above.
    """
    key = next(iter(signing_keys(settings).values()))
    return hmac.new(key, purpose.encode(), hashlib.sha256).hexdigest()


def _named(parts: list[str]) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for part in parts:
        name, key = part.split(":", 1) if ":" in part else ("0", part)
        if not ID.fullmatch(name) or name in keys:
            raise SecretUnfit(
                why="every key needs an id of its own before a colon: 1 to 16 letters, digits, «_» or «-»"
            )
        if len(key) < SHORTEST:
            raise SecretUnfit(why=f"a key has at least {SHORTEST} characters")
        keys[name] = key.encode()
    return keys


def _kept(file: Path) -> str:
    """What is in the file, which only its owner may read; of two who make it, one does, and it is never seen half."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, made = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(secrets.token_hex(LENGTH))
        with suppress(FileExistsError):
            file.hardlink_to(made)
        Path(made).unlink()
    return file.read_text(encoding="ascii").strip()
