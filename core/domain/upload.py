"""Upload sessions: files that come in piece by piece through a signed link, because a chat carries only so much."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from core.domain.account import Place
from core.domain.artifact import Artifact
from core.domain.errors import BadValue, FileTooLarge, UploadClosed, WrongOffset
from core.domain.value import Entity, Value

FIRST_BYTE = timedelta(hours=1)  # a link that nobody used for so long is dead
SLIDING = timedelta(hours=1)  # every piece gives so much more time
LONGEST = timedelta(days=1)  # but no session lives longer
LIMIT = 500 * 2**20  # bytes in one session
FILES = 1000
PIECE = 8 * 2**20  # bytes kept at a time: what a lost connection costs at most


class UploadState(StrEnum):
    """A session is open until it is confirmed once, or swept."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    ABANDONED = "abandoned"


class UploadFile(Value):
    """One file on its way: `size` bytes in all, `sha256` (hex) if the sender knows it, the pieces so far in order."""

    name: str
    size: int
    sha256: str | None = None
    pieces: tuple[Artifact, ...] = ()

    @property
    def offset(self) -> int:
        """How many bytes are here."""
        return sum(piece.size for piece in self.pieces)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.offset == self.size


class Upload(Entity):
    """A session: which account brings files for which dataset, and where the card of the intake goes."""

    account: str
    dataset: str
    place: Place
    limit: int = LIMIT
    files: tuple[UploadFile, ...] = ()
    state: UploadState = UploadState.OPEN
    job: str | None = None
    created_at: datetime
    expires_at: datetime

    def require_open(self, *, now: datetime) -> None:
        """Let more come in.

        Raises:
            UploadClosed: The session was confirmed, or its time is over.
        """
        if self.state is not UploadState.OPEN or self.expires_at <= now:
            raise UploadClosed

    def file(self, name: str) -> UploadFile | None:
        """The file of this name, where it was begun."""
        return next((file for file in self.files if file.name == name), None)

    def begun(self, file: UploadFile, *, now: datetime) -> Self:
        """Another file is announced; announcing the same again changes nothing.

        Raises:
            UploadClosed: Nothing more is taken.
            FileTooLarge: The session would hold more than its limit.
            BadValue: There are too many files, or the name came with another size.
        """
        self.require_open(now=now)
        known = self.file(file.name)
        if known and (known.size, known.sha256) == (file.size, file.sha256):
            return self
        others = [other for other in self.files if other.name != file.name]
        if known and known.pieces:
            raise BadValue(what="file", value=file.name, why="another file of this name is on its way; rename this one")
        if file.size < 1:
            raise BadValue(what="file", value=file.name, why="it is empty")
        if len(others) >= FILES:
            raise BadValue(what="file", value=file.name, why=f"one link takes {FILES} files; zip them")
        if sum(other.size for other in others) + file.size > self.limit:
            raise FileTooLarge(name=file.name, limit=self.limit // 2**20)
        return self.but(files=(*others, file))

    def received(self, name: str, piece: Artifact, *, offset: int, now: datetime) -> Self:
        """A piece is here durably.

        Raises:
            UploadClosed: Nothing more is taken.
            WrongOffset: It does not start where the file ends so far.
            FileTooLarge: It is more than was announced.
        """
        self.require_open(now=now)
        file = self.file(name)
        if file is None or file.offset != offset:
            raise WrongOffset(offset=file.offset if file else 0)
        if offset + piece.size > file.size:
            raise FileTooLarge(name=name, limit=file.size // 2**20)
        grown = file.but(pieces=(*file.pieces, piece))
        files = tuple(grown if other.name == name else other for other in self.files)
        return self.but(files=files, expires_at=min(now + SLIDING, self.created_at + LONGEST))

    def confirmed(self, job: str, *, now: datetime) -> Self:
        """Everything is handed on as one job.

        Raises:
            UploadClosed: It was done before, or its time is over.
            BadValue: There is no file, or one is not complete.
        """
        self.require_open(now=now)
        if not self.files:
            raise BadValue(what="upload", value=self.id, why="no file has come yet")
        if partial := [file.name for file in self.files if not file.complete]:
            raise BadValue(what="upload", value=partial[0], why="it is not complete; send the rest first")
        return self.but(state=UploadState.CONFIRMED, job=job)

    def abandoned(self) -> Self:
        """Nobody came back; the pieces are let go."""
        return self.but(state=UploadState.ABANDONED)
