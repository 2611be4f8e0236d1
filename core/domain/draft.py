"""Drafts: a command that is still being asked for, with the answers so far; a restart keeps it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zlib import crc32

from core.domain.account import Place
from core.domain.artifact import Artifact
from core.domain.value import Entity, Value

OPEN_FOR = timedelta(minutes=30)
HEARD = 8  # messages that are known when they come again: more than one person has on the way


class Received(Value):
    """A file that came in with one message: where it came from (stable, so that a repeated message adds nothing)."""

    origin: str
    artifact: Artifact


class Large(Value):
    """A file that came and is larger than its chat carries: no more than its measures, and the message it came with."""

    origin: str
    name: str
    size: int
    most: int


class Draft(Entity):
    """An unfinished command; its id is the token that keyboards and forms carry, and the key the command runs under.

    `asked` is the parameter that the person is asked for, `shown` the values offered now, `text` what narrows them,
    `pages` the cursors of the pages before this one, `trail` the parameters answered so far, in order; `message` the
    platform's id of the question. `received` are files that wait for Done; their bytes are referred to. `heard` are the
    keys of the last messages that moved it, so that one that comes again moves nothing. `awaited` says that files are
    on their way; where nothing is `asked` any more it is about to be run. `said` is where the command was said, where
    it is asked for elsewhere; `large` are files that wait for a link; `reminded` says that time was given once more.
    """

    account: str
    place: Place
    said: Place | None = None
    command: str
    given: Mapping[str, str] = {}
    asked: str | None = None
    shown: tuple[str, ...] = ()
    text: str = ""
    pages: tuple[str, ...] = ()
    trail: tuple[str, ...] = ()
    received: tuple[Received, ...] = ()
    large: tuple[Large, ...] = ()
    awaited: bool = False
    reminded: bool = False
    message: str | None = None
    heard: tuple[str, ...] = ()
    created_at: datetime
    expires_at: datetime

    @property
    def replaceable(self) -> bool:
        """Whether the next question may take its place: it is no more than a question."""
        return self.asked is not None and not (self.received or self.awaited)

    @property
    def stamp(self) -> str:
        """What is asked and shown now, in 8 hex digits: a keyboard of another stamp is an old one."""
        return f"{crc32(repr((self.asked, self.shown, self.text, self.pages)).encode(errors='replace')):08x}"
