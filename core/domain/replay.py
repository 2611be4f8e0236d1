"""Replays: a request that comes again with its key gets the answer of the first time, and is not done twice.

After draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Self

from core.domain.errors import KeyInUse, KeyReused
from core.domain.value import Entity, Value

KEPT = timedelta(days=1)
UNDER_WAY = timedelta(minutes=2)  # after which whoever had the request is taken to be dead
KEY_LENGTH = 128


class Answer(Value):
    """What was answered: the status, where it is to be found, and the body as text."""

    status: int
    location: str | None = None
    body: str = ""


class Replay(Entity):
    """One key of one account: what was asked with it, and the answer once there is one."""

    account: str
    key: str
    asked: str
    answer: Answer | None = None
    claimed_until: datetime
    expires_at: datetime

    def again(self, asked: str, *, now: datetime) -> Self:
        """The same key once more: what is done stays, what nobody works on any more is taken up anew.

        Raises:
            KeyReused: It was used for something else.
            KeyInUse: The first request is still under way.
        """
        if self.asked != asked:
            raise KeyReused(key=self.key)
        if self.answer is None and self.claimed_until > now:
            raise KeyInUse(key=self.key)
        return self.but(claimed_until=now + UNDER_WAY)

    def answered(self, answer: Answer) -> Self:
        """Done."""
        return self.but(answer=answer)


def replay_id(account: str, key: str) -> str:
    """The one name of a key of an account, which also makes what it asks for happen once: sha256 in hex."""
    return hashlib.sha256(f"{account}:{key}".encode()).hexdigest()


def opened(account: str, key: str, *, asked: str, now: datetime) -> Replay:
    """A key that nobody has used before."""
    return Replay(
        id=replay_id(account, key),
        account=account,
        key=key,
        asked=asked,
        claimed_until=now + UNDER_WAY,
        expires_at=now + KEPT,
    )
