"""Datasets: what they are, the states they pass, who may see them."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Self

from core.domain.account import Actor, Role
from core.domain.artifact import Artifact
from core.domain.caption import MAIN, CaptionVersion, constrained
from core.domain.consent import RIGHTS, WORDS, Attestation
from core.domain.errors import (
    BadValue,
    DatasetEmpty,
    NotAttested,
    NotFound,
    NothingToDo,
    Outdated,
    RatingKept,
    Suspended,
)
from core.domain.finding import Finding, LineError, Severity, Statistics
from core.domain.item import Item
from core.domain.model import described, tagged
from core.domain.rating import Rating
from core.domain.trigger import folded
from core.domain.value import Entity

NAME_LENGTH = 60  # characters


class Kind(StrEnum):
    """What is in a dataset; the first files decide."""

    IMAGES = "images"
    CONVERSATIONS = "conversations"


class Access(StrEnum):
    """Who sees a dataset, and may train on it, besides its owner and those it is shared with."""

    PRIVATE = "private"
    UNLISTED = "unlisted"
    PUBLIC = "public"


class Scope(StrEnum):
    """Whose datasets to list: one's own, those shared with one, those for everyone, and what lies in one's bin."""

    MINE = "mine"
    SHARED = "shared"
    PUBLIC = "public"
    DELETED = "deleted"


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


class Dataset(Entity):
    """A bundle of pictures, or of conversations, that an owner wants to train on.

    `constraints` are said in every caption, after the traits of the `character`. `sheets` are contact sheets,
    `previews` the same blurred beyond recognition, for the moderators of a dataset for adults, `pairs` shows near
    duplicates side by side; `kept` are items that shall stay although they look alike. `revision` counts changes of
    its items. `errors` are lines that did not come in, until somebody goes on without them, `faults` what is wrong with
    those that did. `providers` are third parties that its owner has allowed to see the pictures. `suspended` is the
    report that keeps it from being used. What `purged_at` marks is empty for good; its row stays while jobs about it
    go on.
    """

    owner: str
    name: str
    folded: str
    trigger: str
    kind: Kind | None = None
    description: str = ""
    tags: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    character: str | None = None
    source_format: str = ""
    source_name: str = ""
    access: Access = Access.PRIVATE
    shared: tuple[str, ...] = ()
    rating: Rating = Rating.SFW
    review: Review = Review.PENDING
    review_note: str = ""
    sheets: tuple[Artifact, ...] = ()
    previews: tuple[Artifact, ...] = ()
    pairs: Artifact | None = None
    kept: tuple[str, ...] = ()
    sets: tuple[str, ...] = (MAIN,)
    default_set: str = MAIN
    providers: tuple[str, ...] = ()
    status: Status = Status.DRAFT
    revision: int = 0
    count: int = 0
    bytes: int = 0
    statistics: Statistics = Statistics()
    findings: tuple[Finding, ...] = ()
    errors: tuple[LineError, ...] = ()
    error_count: int = 0
    faults: tuple[LineError, ...] = ()
    samples: tuple[str, ...] = ()
    attestation: Attestation | None = None
    revoked_at: datetime | None = None
    suspended: str | None = None
    created_at: datetime
    updated_at: datetime
    validated_at: datetime | None = None
    deleted_at: datetime | None = None
    purged_at: datetime | None = None

    def caption_of(self, item: Item) -> CaptionVersion | None:
        """An item's caption in the default set."""
        return item.caption(self.default_set)

    def usable_by(self, account: str) -> bool:
        """Whether somebody may look at it and train on it: its owner, those it is shared with, or everyone."""
        return account == self.owner or account in self.shared or self.access is not Access.PRIVATE

    def visible_to(self, actor: Actor) -> bool:
        """Whether the actor may see it: its owner and moderators, and unless it is held back whoever may use it."""
        if actor.account == self.owner or actor.role.covers(Role.MODERATOR):
            return True
        return self.usable_by(actor.account) and not (self.suspended or self.revoked_at)

    def uploading(self, *, now: datetime) -> Self:
        """Files are on their way in."""
        return self.but(status=Status.UPLOADING, updated_at=now)

    def received(self, kind: Kind, *, count: int, bytes: int, now: datetime) -> Self:  # noqa: A002 - the word of the domain
        """Items of a kind came in; what was attested to before is not meant of them."""
        return self.but(kind=kind, attestation=None).changed(count=count, bytes=bytes, now=now)

    def changed(self, *, count: int, bytes: int, now: datetime) -> Self:  # noqa: A002 - as above
        """Items came, went or became others: the doctor, and of a dataset for adults a moderator, has to look again."""
        return self.but(
            status=Status.DRAFT,
            review=Review.PENDING,
            revision=self.revision + 1,
            count=self.count + count,
            bytes=self.bytes + bytes,
            updated_at=now,
        )

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

    def edited(
        self,
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Iterable[str] | None = None,
        constraints: Iterable[str] | None = None,
        now: datetime,
    ) -> Self:
        """As its owner wants it to be called and described; what is left out stays.

        Raises:
            BadValue: One of them cannot be so.
        """
        called = self.name if name is None else dataset_name(name)
        return self.but(
            name=called,
            folded=folded(called),
            description=self.description if description is None else described(description),
            tags=self.tags if tags is None else tagged(tags),
            constraints=self.constraints if constraints is None else constrained(constraints),
            updated_at=now,
        )

    def rated(self, rating: Rating, *, now: datetime) -> Self:
        """For adults or for everyone; where it is for adults from now on, a moderator has to look.

        Raises:
            RatingKept: What came in for adults does not become something for everyone.
        """
        if rating is self.rating:
            return self
        if rating is Rating.SFW and self.count:
            raise RatingKept(name=self.name)
        return self.but(rating=rating, review=Review.PENDING, review_note="", updated_at=now)

    def opened(self, access: Access, *, now: datetime) -> Self:
        """For others to use, or not."""
        return self.but(access=access, updated_at=now)

    def shared_with(self, account: str) -> Self:
        """For one account more."""
        return self.but(shared=tuple(dict.fromkeys((*self.shared, account))))

    def unshared_with(self, account: str) -> Self:
        """For one account less."""
        return self.but(shared=tuple(known for known in self.shared if known != account))

    def deleted(self, *, now: datetime) -> Self:
        """Out of sight; the rows stay until a purge."""
        return self.but(deleted_at=now, updated_at=now)

    def restored(self, name: str, *, now: datetime) -> Self:
        """In sight again, under a name that is free."""
        return self.but(name=name, folded=folded(name), deleted_at=None, updated_at=now)

    def purged(self, *, now: datetime) -> Self:
        """Empty and out of sight for good; what is left of it is what jobs that go on ask for."""
        kept = {name: getattr(self, name) for name in ("id", "owner", "name", "folded", "trigger", "created_at")}
        return type(self)(**kept, updated_at=now, deleted_at=self.deleted_at or now, purged_at=now)

    def attested(self, words: str, *, by: str, now: datetime) -> Self:
        """Its owner attests to their rights and to everybody's consent, in words of a version.

        Raises:
            NotAttested: These are not the words that are asked for now.
            Suspended: Somebody has reported it: that is not for its owner to mend.
        """
        if words != RIGHTS:
            raise NotAttested(name=self.name, words=WORDS[RIGHTS])
        if self.suspended:
            raise Suspended(what=f"Dataset «{self.name}»")
        return self.but(attestation=Attestation(by=by, at=now, words=words), revoked_at=None, updated_at=now)

    def revoked(self, *, now: datetime) -> Self:
        """Consent is taken back; the moment of the first time stays."""
        return self.but(revoked_at=self.revoked_at or now, updated_at=now)

    def suspended_by(self, report: str) -> Self:
        """Somebody has reported it; the first report counts."""
        return self.but(suspended=self.suspended or report)

    def freed(self) -> Self:
        """A moderator sees nothing wrong with it."""
        return self.but(suspended=None)


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
