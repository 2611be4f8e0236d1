"""Stored files: what a row says of one, and the row that counts who refers to its bytes."""

from datetime import datetime, timedelta

from core.domain.value import Entity, Value

KEPT_UNREFERENCED = timedelta(days=1)


class Artifact(Value):
    """A stored file as others refer to it: its name for people, its content by sha256 (hex), its size in bytes."""

    name: str
    sha256: str
    size: int
    media_type: str

    @property
    def is_picture(self) -> bool:
        """Whether it can be shown as a picture."""
        return self.media_type.startswith("image/")


class Blob(Entity):
    """The bytes behind one sha256 (the id), and how many rows refer to them.

    A blob nobody has referred to for a day is first doomed by a conditional update, then deleted; whoever brings
    the same bytes meanwhile writes them anew, so a sweeper and an upload can never undo each other.
    """

    file: str
    size: int
    references: int
    touched_at: datetime
    doomed_at: datetime | None = None
