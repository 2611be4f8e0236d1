"""Connections: somebody's own cloud folder that exports can be put into."""

import base64
import hashlib
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from core.domain.errors import ConnectingOver
from core.domain.value import Entity

PURPOSE = "connect"
VALID_FOR = timedelta(minutes=10)


class Provider(StrEnum):
    """Whose cloud it is."""

    DROPBOX = "dropbox"


DROPBOX = Provider.DROPBOX


def connection_id(account: str, provider: str) -> str:
    """One connection per person and provider."""
    return f"{account}:{provider}"


def challenge(verifier: str) -> str:
    """What a provider is told of a secret before it is shown the secret itself (S256 of RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class Connection(Entity):
    """A connection to a provider; `sealed` is the encrypted token, or, while it is being made, the encrypted proof.

    One that is not `ready` and has nothing sealed is over: the provider has ended it, or its proof was used up.
    """

    account: str
    provider: str
    sealed: str = Field(repr=False)
    name: str = ""
    ready: bool = False
    created_at: datetime

    def require_underway(self, now: datetime) -> None:
        """Let somebody finish it.

        Raises:
            ConnectingOver: It was finished, or its time is over.
        """
        if self.ready or not self.sealed or self.created_at + VALID_FOR <= now:
            raise ConnectingOver
