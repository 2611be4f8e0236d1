"""Telegram's login widget: its word for somebody, signed with the bot's token, checked as core.telegram.org says.

https://core.telegram.org/widgets/login#checking-authorization
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.domain.errors import SignInFailed

NAME = "Telegram"
FIELDS = ("auth_date", "first_name", "id", "last_name", "photo_url", "username")  # as documented, in their order
HASH, ONWARD = "hash", "next"
TAKEN = (*FIELDS, HASH, ONWARD)  # `next` is ours, and not signed
OLDEST = timedelta(days=1)
AHEAD = timedelta(minutes=1)  # so much may Telegram's clock be ahead of ours
POLICY = (
    "default-src 'none'; script-src 'self' https://telegram.org; frame-src https://oauth.telegram.org; "
    "style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
NUMBER = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, kw_only=True)
class Vouched:
    """Somebody whom Telegram knows; `proof` is good once."""

    id: str
    name: str
    proof: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Telegram:
    """The bot that the widget belongs to."""

    bot: str
    token: str = field(repr=False)

    def vouched(self, given: Mapping[str, str], *, now: datetime) -> Vouched:
        """Who it is that Telegram sends.

        Raises:
            SignInFailed: Telegram has not signed this, or not within a day.
        """
        known = {name: given[name] for name in FIELDS if name in given}
        expected = signature(known, token=self.token)
        if not hmac.compare_digest(expected.encode(), given.get(HASH, "").encode()):
            raise SignInFailed(platform=NAME, why="what came from there is not signed by it")
        if not all(NUMBER.fullmatch(known.get(name, "")) for name in ("id", "auth_date")):
            raise SignInFailed(platform=NAME, why="it has not said who you are")
        age = now.timestamp() - int(known["auth_date"])
        if not -AHEAD.total_seconds() <= age <= OLDEST.total_seconds():
            raise SignInFailed(platform=NAME, why="that was too long ago")
        name = " ".join(known[part] for part in ("first_name", "last_name") if known.get(part))
        return Vouched(id=known["id"], name=name or known["id"], proof=f"telegram:{expected}")


def signature(known: Mapping[str, str], *, token: str) -> str:
    """What Telegram signs these fields with: HMAC-SHA256 in hex, keyed by the SHA256 of the bot's token."""
    text = "\n".join(f"{name}={known[name]}" for name in sorted(known))
    return hmac.new(hashlib.sha256(token.encode()).digest(), text.encode(), hashlib.sha256).hexdigest()
