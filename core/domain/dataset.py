"""Datasets and their items: what they are, the states they pass, who may see them."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from core.domain.account import Actor, Role
from core.domain.artifact import Artifact
from core.domain.caption import CaptionVersion
from core.domain.errors import (
    BadValue,
    DatasetEmpty,
    DatasetNotReady,
    NotFound,
    NothingToDo,
    NotReviewed,
    Outdated,
)
from core.domain.rating import Rating
from core.domain.value import Entity, Value

NAME_LENGTH = 60
PREVIEWS = 4  # blurred contact sheets kept for moderators


class Status(StrEnum):
    """Where a dataset is on its way; deletion is a moment, not a state."""

    DRAFT = "draft"
    UPLOADING = "uploading"
    VALIDATING = "validating"
    READY = "ready"
    ERROR = "error"


class Review(StrEnum):
    """What a moderator says of a dataset for adults, which is not trained on before."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class Severity(StrEnum):
    """Whether a finding blocks an order."""

    ERROR = "error"
    WARNING = "warning"


class Finding(Value):
    """One thing the doctor says, with the command that would mend it, if one would."""

    code: str
    severity: Severity
    words: str
    items: tuple[str, ...] = ()
    fix: str | None = None


class Statistics(Value):
    """What the doctor counts."""

    items: int = 0
    bytes: int = 0
    captioned: int = 0
    smallest: tuple[int, int] = (0, 0)
    largest: tuple[int, int] = (0, 0)


class Item(Entity):
    """One picture in a dataset; sizes in pixels, `phash` 64 bits in hex, `position` the order shown."""

    dataset: str
    position: int
    artifact: Artifact
    original_sha256: str
    width: int
    height: int
    phash: str
    sharpness: float
    caption: CaptionVersion | None = None


class Dataset(Entity):
    """A bundle of pictures that an owner wants to train on.

    `previews` are contact sheets, blurred beyond recognition, for the moderators of a dataset for adults.
    """

    owner: str
    name: str
    folded: str
    trigger: str
    rating: Rating = Rating.SFW
    review: Review = Review.PENDING
    review_note: str = ""
    previews: tuple[Artifact, ...] = ()
    status: Status = Status.DRAFT
    count: int = 0
    bytes: int = 0
    statistics: Statistics = Statistics()
    findings: tuple[Finding, ...] = ()
    created_at: datetime
    updated_at: datetime
    validated_at: datetime | None = None
    deleted_at: datetime | None = None

    def visible_to(self, actor: Actor) -> bool:
        """Whether the actor may see it: its owner, and moderators."""
        return self.owner == actor.account or actor.role.covers(Role.MODERATOR)

    def uploading(self, *, now: datetime) -> Self:
        """Files are on their way in."""
        return self.but(status=Status.UPLOADING, updated_at=now)

    def received(self, *, count: int, bytes: int, now: datetime) -> Self:  # noqa: A002 - the word of the domain
        """Items came in, so that the doctor, and of a dataset for adults a moderator, has to look again."""
        return self.but(
            status=Status.DRAFT,
            review=Review.PENDING,
            count=self.count + count,
            bytes=self.bytes + bytes,
            updated_at=now,
        )

    def previewed(self, sheet: Artifact) -> tuple[Self, tuple[Artifact, ...]]:
        """Another blurred sheet for moderators; also those that are too many now, oldest first."""
        sheets = (*self.previews, sheet)
        return self.but(previews=sheets[-PREVIEWS:]), sheets[:-PREVIEWS]

    def reviewed(self, review: Review, *, seen: int, note: str, now: datetime) -> Self:
        """A moderator has looked at so many pictures.

        Raises:
            NothingToDo: It is for everyone.
            Outdated: There are more pictures, or fewer, than were looked at.
        """
        if self.rating is Rating.SFW:
            raise NothingToDo(why=f"Dataset «{self.name}» is for everyone: nobody has to approve it.")
        if self.count != seen:
            raise Outdated(what=f"Dataset «{self.name}»")
        return self.but(review=review, review_note=note, updated_at=now)

    def validating(self, *, now: datetime) -> Self:
        """The doctor looks at it.

        Raises:
            DatasetEmpty: There is nothing to look at.
        """
        if not self.count:
            raise DatasetEmpty(name=self.name)
        return self.but(status=Status.VALIDATING, updated_at=now)

    def checked(self, findings: tuple[Finding, ...], statistics: Statistics, *, now: datetime) -> Self:
        """The doctor has spoken: ready unless a finding blocks."""
        blocked = any(finding.severity is Severity.ERROR for finding in findings)
        return self.but(
            status=Status.ERROR if blocked else Status.READY,
            findings=findings,
            statistics=statistics,
            validated_at=now,
            updated_at=now,
        )

    def unchecked(self, *, now: datetime) -> Self:
        """The doctor could not finish: back to the draft it was."""
        return self.but(status=Status.DRAFT, updated_at=now)

    def deleted(self, *, now: datetime) -> Self:
        """Out of sight; the rows stay until a purge."""
        return self.but(deleted_at=now, updated_at=now)

    def require_ready(self) -> None:
        """Let an order pass.

        Raises:
            DatasetEmpty: There is nothing to train on.
            DatasetNotReady: The doctor has not passed it.
            NotReviewed: It is for adults, and no moderator has approved it.
        """
        if not self.count:
            raise DatasetEmpty(name=self.name)
        if self.rating is Rating.NSFW and self.review is not Review.APPROVED:
            rejected = f"a moderator has rejected it: {self.review_note}"
            why = rejected if self.review is Review.REJECTED else "a moderator has yet to look at it"
            raise NotReviewed(name=self.name, why=why)
        todo = {
            Status.DRAFT: f"Let the doctor look at it first: `dataset check {self.name}`.",
            Status.UPLOADING: "Its files are still coming in; wait for the card.",
            Status.VALIDATING: "The doctor is looking at it; wait for the card.",
            Status.ERROR: f"See what blocks it: `dataset view {self.name}`.",
        }
        if self.status is not Status.READY:
            raise DatasetNotReady(name=self.name, status=self.status.value, todo=todo[self.status])


def seen(found: Dataset | None, actor: Actor, *, name: str) -> Dataset:
    """The dataset that was looked for under an id, where this actor may see it.

    Raises:
        NotFound: There is none, it is deleted, or it is somebody else's: the three are never told apart.
    """
    if found is None or found.deleted_at or not found.visible_to(actor):
        raise NotFound(noun="dataset", name=name, hint="See `dataset list`.")
    return found


def owned(found: Dataset | None, actor: Actor, *, name: str) -> Dataset:
    """The dataset that was looked for under an id, where this actor may change it: moderators only look.

    Raises:
        NotFound: There is none, it is deleted, or it is somebody else's.
    """
    dataset = seen(found, actor, name=name)
    if dataset.owner != actor.account:
        raise NotFound(noun="dataset", name=name, hint="Only its owner can change a dataset.")
    return dataset


def dataset_name(text: str) -> str:
    """A name as it may be stored and shown: one line, 1 to 60 characters, no control characters.

    Raises:
        BadValue: Nothing is left, or too much.
    """
    name = " ".join(text.split())
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise BadValue(what="name", value=name[:NAME_LENGTH], why=f"it takes 1 to {NAME_LENGTH} printable characters")
    return name
