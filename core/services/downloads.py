"""Downloads: signed links to stored files, for people to fetch and for pages to show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.domain.artifact import Artifact
from core.domain.errors import LinkExpired, NotFound
from core.domain.signature import signed, verified
from core.domain.value import Value
from core.ports.clock import Clock

DOWNLOAD, PICTURE = "download", "image"  # what links are for: none of one kind opens the other
KEPT = timedelta(days=2)  # that a link to a picture holds, from midnight on: browsers keep what has one link all day
SHOWN = frozenset({"image/jpeg", "image/png", "image/webp"})  # media types that a page shows: none has scripts in it


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
        until = self.clock.now() + timedelta(days=days)
        return f"{self.address}/d/{self._token(artifact, until=until, purpose=DOWNLOAD)}"

    def picture(self, artifact: Artifact) -> str:
        """Where a page finds a picture that a worker has written; show it only to whoever may see it."""
        today = self.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        return f"{self.address}/i/{self._token(artifact, until=today + KEPT, purpose=PICTURE)}"

    def opened(self, token: str) -> Artifact:
        """The file of a link.

        Raises:
            BadLink: It was not made here.
            LinkExpired: Its days are over.
        """
        return self._opened(token, purpose=DOWNLOAD)

    def shown(self, token: str) -> Artifact:
        """The picture of a link.

        Raises:
            BadLink: It was not made here.
            LinkExpired: Its days are over.
            NotFound: It is no picture that a page may show.
        """
        found = self._opened(token, purpose=PICTURE)
        if found.media_type not in SHOWN:
            raise NotFound(noun="picture", name=found.name, hint="Other files are only downloaded.")
        return found

    def _token(self, artifact: Artifact, *, until: datetime, purpose: str) -> str:
        ticket = Ticket(artifact=artifact, expires_at=until)
        return signed(ticket.model_dump_json(), purpose=purpose, keys=self.keys)

    def _opened(self, token: str, *, purpose: str) -> Artifact:
        ticket = Ticket.model_validate_json(verified(token, purpose=purpose, keys=self.keys))
        if ticket.expires_at <= self.clock.now():
            raise LinkExpired
        return ticket.artifact
