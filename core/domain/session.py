"""Signing in to the pages: an invitation from a chat, good once, and the session of a browser that comes of it."""

import hashlib
import ipaddress
from datetime import datetime, timedelta
from typing import Self

from core.domain.account import Account
from core.domain.allowance import Allowance, Limit
from core.domain.errors import NotSignedIn
from core.domain.link import CODE_LENGTH, VALID_FOR
from core.domain.value import Entity

ATTEMPTS = Limit(times=5, per=timedelta(hours=1))  # wrong codes from one address
LASTS = timedelta(days=30)  # a session that nobody uses
DEBOUNCED = timedelta(minutes=1)  # how exactly it is known when a session or a token was used
PROOFS_KEPT = timedelta(days=2)  # longer than any is good
SESSIONS = 20  # that one person has at a time; of more, the one that was not used for longest ends
PURPOSE = "signin"
NETWORK = 64  # bits of an IPv6 address that one customer is given, at the least
DEVICE_LENGTH = 80
HANDLE = 12


class SignIn(Entity):
    """One half of an invitation, the code or the link; the id is its hash. Using either uses up both."""

    account: str
    expires_at: datetime


class Session(Entity):
    """A browser in which somebody is signed in. The id is the hash of what its cookie holds."""

    account: str
    device: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime

    @property
    def handle(self) -> str:
        """What people and programs call it by; it opens nothing."""
        return self.id[:HANDLE]

    def is_fresh(self, now: datetime) -> bool:
        """Whether it was used just now, so that nothing has to be written."""
        return now - self.seen_at < DEBOUNCED

    def seen(self, now: datetime) -> Self:
        """Used once more; it lasts as long from now on as a new one."""
        return self.but(seen_at=now, expires_at=now + LASTS)


def opened(secret: str, *, account: str, device: str, now: datetime) -> Session:
    """A session that begins."""
    return Session(
        id=secret_hash(secret),
        account=account,
        device=device[:DEVICE_LENGTH],
        created_at=now,
        seen_at=now,
        expires_at=now + LASTS,
    )


def invited(code: str, *, account: str, now: datetime) -> SignIn:
    """What is kept of a code, or of the secret of a link."""
    return SignIn(id=invitation_hash(code), account=account, expires_at=now + VALID_FOR)


def require_present(account: Account | None) -> Account:
    """Let an account pass that is there, and was neither taken over by another nor forgotten.

    Raises:
        NotSignedIn: It is not.
    """
    if account is None or account.merged_into or account.forgotten_at:
        raise NotSignedIn
    return account


def bare(code: str) -> str:
    """A code or the secret of a link, however somebody has typed it."""
    return "".join(letter for letter in code.casefold() if letter.isalnum())


def is_typed(code: str) -> bool:
    """Whether it is a code for people to type, and not the long secret of a link, which nobody guesses."""
    return len(bare(code)) <= CODE_LENGTH


def invitation_hash(code: str) -> str:
    """The name under which a code or the secret of a link is kept: sha256 in hex, purpose-bound."""
    return secret_hash(f"{PURPOSE}:{bare(code)}")


def secret_hash(secret: str) -> str:
    """The name under which a secret of at least 128 random bits is kept: sha256 in hex."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()  # anybody may have sent it


def used(proof: str, *, now: datetime) -> Allowance:
    """What is kept of a platform's word for somebody, so that nobody shows it again while it is good."""
    return Allowance(id=f"{PURPOSE}:{secret_hash(proof)}", count=1, expires_at=now + PROOFS_KEPT)


def neighbourhood(remote: str) -> str:
    """What tells addresses apart for whom to let try: an IPv4 address, or the network of an IPv6 one."""
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return remote
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.IPv6Network((int(address), NETWORK), strict=False))
    return str(address)
