"""Downloads: signed links to stored files that are too large for a chat."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.domain.artifact import Artifact
from core.domain.errors import LinkExpired
from core.domain.signature import signed, verified
from core.domain.value import Value
from core.ports.clock import Clock

PURPOSE = "download"


class Ticket(Value):
    """What a link says: who has it may fetch this file until then."""

    artifact: Artifact
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Downloads:
    """Links to files. `keys` sign them (the first one; all verify), `address` is where people reach the pages."""

    clock: Clock
    keys: Mapping[str, bytes] = field(repr=False)
    address: str

    def link(self, artifact: Artifact, *, days: int = 7) -> str:
        """Where whoever knows the link can fetch a file for so many days; show it in private only."""
        ticket = Ticket(artifact=artifact, expires_at=self.clock.now() + timedelta(days=days))
        return f"{self.address}/d/{signed(ticket.model_dump_json(), purpose=PURPOSE, keys=self.keys)}"

    def opened(self, token: str) -> Artifact:
        """The file of a link.

        Raises:
            BadLink: It was not made here.
            LinkExpired: Its days are over.
        """
        ticket = Ticket.model_validate_json(verified(token, purpose=PURPOSE, keys=self.keys))
        if ticket.expires_at <= self.clock.now():
            raise LinkExpired
        return ticket.artifact
