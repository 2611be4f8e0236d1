"""Upload sessions: files that come in piece by piece through a signed link, because a chat carries only so much."""

import unicodedata
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from core.domain.account import Place
from core.domain.artifact import Artifact
from core.domain.errors import BadValue, FileTooLarge, TooManyUploads, UploadClosed, UploadFull, WrongOffset
from core.domain.value import Entity, Value

FIRST_BYTE = timedelta(hours=1)  # a link that nobody used for so long is dead
SLIDING = timedelta(hours=1)  # every piece gives so much more time
LONGEST = timedelta(days=1)  # but no session lives longer
LIMIT = 500 * 2**20  # bytes in one session
FILES = 1000
SESSIONS = 10  # that one person may have open at a time
PIECE = 8 * 2**20  # bytes kept at a time: what a lost connection costs at most
PIECES = 4000  # in one session, however small somebody makes them: they all lie in one row
NAME_LENGTH = 200


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

    def restarted(self) -> Self:
        """Nothing of it is here any more."""
        return self.but(pieces=())


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

    @property
    def announced(self) -> int:
        """How many bytes its files have when they are all here."""
        return sum(file.size for file in self.files)

    @property
    def pieces(self) -> tuple[str, ...]:
        """The sha256 of every piece that is kept for it."""
        return tuple(piece.sha256 for file in self.files for piece in file.pieces)

    def file(self, name: str) -> UploadFile | None:
        """The file of this name, where it was begun."""
        return next((file for file in self.files if file.name == name), None)

    def require_open(self, *, now: datetime) -> None:
        """Let more come in.

        Raises:
            UploadClosed: The session was confirmed, or its time is over.
        """
        if self.state is not UploadState.OPEN or self.expires_at <= now:
            raise UploadClosed

    def require_next(self, name: str, offset: int, *, now: datetime) -> UploadFile:
        """The file that goes on at this offset.

        Raises:
            UploadClosed: Nothing more is taken.
            WrongOffset: The file does not end there so far.
        """
        self.require_open(now=now)
        file = self.file(name)
        if file is None or file.offset != offset:
            raise WrongOffset(offset=file.offset if file else 0)
        return file

    def begun(self, file: UploadFile, *, now: datetime) -> Self:
        """Another file is announced; announcing the same again changes nothing.

        Raises:
            UploadClosed: Nothing more is taken.
            FileTooLarge, UploadFull: The session would hold more than its limit.
            BadValue: The file is empty, there are too many, or the name came with another size or hash.
        """
        self.require_open(now=now)
        known = self.file(file.name)
        if known and known.size == file.size and file.sha256 in {None, known.sha256}:
            return self
        others = tuple(other for other in self.files if other.name != file.name)
        if known and known.pieces:
            raise _unfit(file.name, "another file of this name is on its way; rename this one")
        if file.size < 1:
            raise _unfit(file.name, "it is empty")
        if len(others) >= FILES:
            raise _unfit(file.name, f"one link takes {FILES} files; zip them")
        if file.size > self.limit:
            raise FileTooLarge(name=file.name, limit=self.limit // 2**20)
        begun = self.but(files=(*others, file))
        if begun.announced > self.limit:
            raise UploadFull(name=file.name, limit=self.limit // 2**20)
        return begun

    def received(self, name: str, piece: Artifact, *, offset: int, now: datetime) -> Self:
        """A piece is here durably.

        Raises:
            UploadClosed: Nothing more is taken.
            WrongOffset: It does not start where the file ends so far.
            BadValue: It is more than was announced, or one of too many.
        """
        file = self.require_next(name, offset, now=now)
        if offset + piece.size > file.size:
            raise _unfit(name, f"more came than the {file.size} bytes that were announced")
        if len(self.pieces) >= PIECES:
            raise _unfit(name, f"it came in too many small pieces; send up to {PIECE // 2**20} MB at a time")
        grown = self._with(file.but(pieces=(*file.pieces, piece)))
        return grown.but(expires_at=min(now + SLIDING, self.created_at + LONGEST))

    def restarted(self, file: UploadFile) -> Self:
        """A file, where it is still so, has to be sent again."""
        return self._with(file.restarted()) if file in self.files else self

    def without(self, name: str, *, now: datetime) -> Self:
        """A file is no longer wanted; one that nobody has begun changes nothing.

        Raises:
            UploadClosed: The session is over.
        """
        self.require_open(now=now)
        return self.but(files=tuple(file for file in self.files if file.name != name))

    def confirmed(self, job: str, *, now: datetime) -> Self:
        """Everything is handed on as one job, and the pieces are let go.

        Raises:
            UploadClosed: It was done before, or its time is over.
            BadValue: There is no file, or one is not complete.
        """
        self.require_open(now=now)
        if not self.files:
            raise BadValue(what="upload", value=self.id, why="no file has come yet")
        if partial := next((file.name for file in self.files if not file.complete), None):
            raise _unfit(partial, "it is not complete; send the rest first")
        return self._emptied(state=UploadState.CONFIRMED, job=job)

    def abandoned(self, *, now: datetime) -> Self:
        """Nobody came back in time: the pieces are let go. A session that is over or still has time stays as it is."""
        if self.state is not UploadState.OPEN or self.expires_at > now:
            return self
        return self._emptied(state=UploadState.ABANDONED)

    def _with(self, changed: UploadFile) -> Self:
        return self.but(files=tuple(changed if file.name == changed.name else file for file in self.files))

    def _emptied(self, **facts: object) -> Self:
        return self.but(files=tuple(file.restarted() for file in self.files), **facts)


def require_few(opened: int) -> None:
    """Let somebody who has so many sessions open begin another.

    Raises:
        TooManyUploads: Some have to end first.
    """
    if opened >= SESSIONS:
        raise TooManyUploads(most=SESSIONS)


def file_name(text: str) -> str:
    """A file's name as it may be kept: 1 to 200 characters, none of them a slash or a control character.

    Raises:
        BadValue: It cannot be one.
    """
    unfit = any(character in "/\\" or unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text)
    if unfit or not text.strip() or len(text) > NAME_LENGTH:
        shown = "".join(character if character.isprintable() else "·" for character in text[:NAME_LENGTH])
        why = f"a file's name has 1 to {NAME_LENGTH} characters, no slash and no control character; rename it"
        raise BadValue(what="name", value=shown, why=why)
    return text


def _unfit(name: str, why: str) -> BadValue:
    return BadValue(what="file", value=name, why=why)
