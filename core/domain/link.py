"""Linking: one person, many logins. A code proves that both sides are the same person's; the issuing side confirms."""

import hashlib
from datetime import datetime, timedelta

from core.domain.account import Place
from core.domain.value import Entity

CODE_LENGTH = 8
VALID_FOR = timedelta(minutes=10)
PURPOSE = "link"


class LinkCode(Entity):
    """A code that was given to somebody; the id is its hash, so that the database never holds one. Redeemed once."""

    account: str
    place: Place
    expires_at: datetime


class LinkRequest(Entity):
    """Somebody redeemed a code: `joining` wants to become one with `account`, who has yet to confirm."""

    account: str
    joining: str
    joining_name: str
    place: Place
    created_at: datetime
    expires_at: datetime


def code_hash(code: str) -> str:
    """The name under which a code is kept: sha256 in hex, purpose-bound, deaf to case, blanks and dashes."""
    bare = "".join(letter for letter in code.casefold() if letter.isalnum())
    return hashlib.sha256(f"{PURPOSE}:{bare}".encode()).hexdigest()
