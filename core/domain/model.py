"""Models: a named LoRA with a trigger word, who may use it, and how it presents itself."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Self

from pydantic import model_validator

from core.domain.account import FORGOTTEN, Actor, Role
from core.domain.artifact import Artifact
from core.domain.errors import BadValue, ConsentWithdrawn, NotFound, NotPublished, Suspended
from core.domain.minors import require_fit
from core.domain.rating import Rating
from core.domain.trigger import folded
from core.domain.value import Entity, Value

NAME_LENGTH, DESCRIPTION_LENGTH = 60, 1000  # characters
TAGS, SAMPLES = 10, 8
NAMES = 20  # that one model may have had
TAG = re.compile(r"[a-z0-9-]{1,30}")
PRESENTED = ("owner_name", "slug", "trigger", "description", "licence", "tags", "rating", "samples", "step")


class Visibility(StrEnum):
    """Who may use a model besides its owner and those it is shared with: nobody, who knows its name, everyone."""

    PRIVATE = "private"
    UNLISTED = "unlisted"
    PUBLIC = "public"


class Licence(StrEnum):
    """What others may do with a model's file: identifiers as model hubs write them."""

    OPENRAIL = "creativeml-openrail-m"
    CC0 = "cc0-1.0"
    CC_BY = "cc-by-4.0"
    CC_BY_SA = "cc-by-sa-4.0"
    CC_BY_NC = "cc-by-nc-4.0"
    RESERVED = "all-rights-reserved"


class Scope(StrEnum):
    """Whose models to list: one's own, those of others that are shared with one, those for everyone."""

    MINE = "mine"
    SHARED = "shared"
    PUBLIC = "public"


class Model(Entity):
    """A trained LoRA. `run` says how it came to be; `offering` how pictures are made with it.

    `artifact` is the epoch of its run that ended at `step`, the last one where nobody has chosen. Publication writes
    into it what the model is, and adds the sha256 of its `weights` (whatever is said beside them), its card and its
    thumbnail.
    `names` are all slugs it ever had, the present one included: an old one stays reserved and still leads here.
    `published_at` is when it was first for everyone: of models with one trigger word the earliest keeps the word.
    Nobody uses what is `suspended`, by a report, or for which consent was `withdrawn`: that of the datasets or pictures
    of these ids. `hidden` is the visibility that a suspended one had.
    """

    owner: str
    owner_name: str
    slug: str
    names: tuple[str, ...]
    trigger: str
    family: str
    base: str
    offering: str
    run: str
    artifact: Artifact
    step: int | None = None
    weights: str | None = None
    card: Artifact | None = None
    thumbnail: Artifact | None = None
    rating: Rating = Rating.SFW
    visibility: Visibility = Visibility.PRIVATE
    shared: tuple[str, ...] = ()
    description: str = ""
    licence: Licence = Licence.OPENRAIL
    tags: tuple[str, ...] = ()
    samples: tuple[Artifact, ...] = ()
    downloads: int = 0
    created_at: datetime
    published_at: datetime | None = None
    deleted_at: datetime | None = None
    suspended: str | None = None
    hidden: Visibility = Visibility.PRIVATE
    withdrawn: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _named(cls, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"names": (fields.get("slug"),), **fields}

    @property
    def name(self) -> str:
        """What it is called among all: `owner/slug`."""
        return f"{self.owner_name}/{self.slug}"

    @property
    def file(self) -> Artifact:
        """Its artifact under the name that it has now."""
        return self.artifact.but(name=self.slug + PurePosixPath(self.artifact.name).suffix)

    @property
    def talks(self) -> bool:
        """Whether it writes instead of drawing: its file is a folder of PEFT's, zipped."""
        return self.artifact.name.endswith(".zip")

    @property
    def files(self) -> tuple[str, ...]:
        """The sha256 of what publication has made of it, and of its artifact before that."""
        return tuple(stored.sha256 for stored in (self.artifact, self.card, self.thumbnail) if stored)

    @property
    def content(self) -> str:
        """The sha256 by which two models are known to be the same, whatever their files say of themselves."""
        return self.weights or self.artifact.sha256

    @property
    def imprint(self) -> str:
        """A digest of all that its file and its card say of it: where that changes, it is published anew."""
        fields = self.model_dump(mode="json")
        return hashlib.sha256(repr([fields[name] for name in PRESENTED]).encode()).hexdigest()

    @property
    def listed(self) -> bool:
        """Whether it can be found, and called by its trigger word, by everyone."""
        return self.visibility is Visibility.PUBLIC and self.deleted_at is None

    @property
    def registered(self) -> tuple[datetime, str]:
        """What comes first among public models: the earliest published."""
        return self.published_at or self.created_at, self.id

    @property
    def usable(self) -> bool:
        """Whether anybody may use it."""
        return not (self.deleted_at or self.suspended or self.withdrawn)

    @property
    def standing(self) -> str:
        """Who may use it, or why nobody may, in a word or two."""
        return "suspended" if self.suspended else "consent withdrawn" if self.withdrawn else self.visibility.value

    def usable_by(self, account: str) -> bool:
        """Whether the account may use it, knowing its name."""
        if not self.usable:
            return False
        return self.owner == account or account in self.shared or self.visibility is not Visibility.PRIVATE

    def visible_to(self, actor: Actor) -> bool:
        """Whether the actor may see it: who may use it, its owner also where nobody may, and moderators."""
        mine = self.owner == actor.account or actor.role.covers(Role.MODERATOR)
        return self.usable_by(actor.account) or (self.deleted_at is None and mine)

    def require_usable(self) -> None:
        """Let pass what may be used, by somebody at least.

        Raises:
            Suspended: Somebody has reported it.
            ConsentWithdrawn: Somebody depicted, or the owner of the pictures, does not want it any more.
        """
        if self.suspended:
            raise Suspended(what=f"Model «{self.slug}»")
        if self.withdrawn:
            raise ConsentWithdrawn(name=self.slug)

    def shown_as(self, visibility: Visibility, *, now: datetime) -> Self:
        """The model for others to use, or not; the first time it is for everyone counts as its registration.

        Raises:
            Suspended, ConsentWithdrawn: Nobody may use it.
            NotPublished: It is so already.
        """
        self.require_usable()
        if self.visibility is visibility:
            raise NotPublished(name=self.slug, state=visibility.value)
        first = now if visibility is Visibility.PUBLIC else None
        return self.but(visibility=visibility, published_at=self.published_at or first)

    def renamed(self, name: str) -> Self:
        """The model under another slug; those it had lead to it as before.

        Raises:
            BadValue: Nothing of the name is left in a slug, or too much, or it had too many names.
            MinorsGuarded: It is for adults, and the name has a word of young age.
        """
        wished = slug(name)
        if not re.search(r"[a-z0-9]", name.casefold()) or len(wished) > NAME_LENGTH:
            raise BadValue(what="name", value=name, why=f"it takes 1 to {NAME_LENGTH} letters a-z, digits and dashes")
        names = tuple(dict.fromkeys((*self.names, wished)))
        if len(names) > NAMES:
            raise BadValue(what="name", value=name, why=f"a model keeps every name it had, {NAMES} at most")
        require_fit(name, rating=self.rating)
        return self.but(slug=wished, names=names)

    def edited(
        self, *, description: str | None = None, licence: Licence | None = None, tags: Sequence[str] | None = None
    ) -> Self:
        """The model as it presents itself otherwise; what is left out stays.

        Raises:
            BadValue: The description or a tag cannot be one.
            MinorsGuarded: It is for adults, and one of them has a word of young age.
        """
        require_fit(description or "", *(tags or ()), rating=self.rating)
        return self.but(
            description=self.description if description is None else described(description),
            licence=licence or self.licence,
            tags=self.tags if tags is None else tagged(tags),
        )

    def at(self, step: int, artifact: Artifact) -> Self:
        """The model as another epoch of its run; its card and its thumbnail stay until it is published anew."""
        return self.but(artifact=artifact, step=step, weights=None)

    def shared_with(self, account: str) -> Self:
        """The model for one account more."""
        return self.but(shared=tuple(dict.fromkeys((*self.shared, account))))

    def unshared_with(self, account: str) -> Self:
        """The model for one account less."""
        return self.but(shared=tuple(known for known in self.shared if known != account))

    def deleted(self, *, now: datetime) -> Self:
        """The model out of everybody's sight, and public no more; its names stay taken."""
        return self.but(visibility=Visibility.PRIVATE, deleted_at=now)

    def suspended_by(self, report: str) -> Self:
        """The model for nobody until a moderator has looked; the first report counts."""
        if self.suspended:
            return self
        return self.but(suspended=report, hidden=self.visibility, visibility=Visibility.PRIVATE)

    def freed(self) -> Self:
        """The model as it was before it was suspended."""
        if not self.suspended:
            return self
        return self.but(suspended=None, hidden=Visibility.PRIVATE, visibility=self.hidden)

    def barred(self, what: str) -> Self:
        """The model for nobody, since consent for a dataset or a picture (its id) was withdrawn; public no more."""
        known = dict.fromkeys((*self.withdrawn, what))
        return self.but(withdrawn=tuple(known), visibility=Visibility.PRIVATE, hidden=Visibility.PRIVATE)

    def unbarred(self, what: str) -> Self:
        """The model after that consent was given again; to publish it again is for its owner."""
        return self.but(withdrawn=tuple(known for known in self.withdrawn if known != what))

    def forgotten(self, *, now: datetime) -> Self:
        """The model without its file and all words, deleted; what others have drawn with it names it still."""
        plain = {"shared": (), "description": "", "tags": (), "samples": (), "trigger": self.id}
        bare = self.but(owner_name=FORGOTTEN, slug=self.id, names=(self.id,), card=None, thumbnail=None, **plain)
        return bare.deleted(now=now)


class Search(Value):
    """Which models to list; what is left out does not matter. `adult`: also models of others that are for adults."""

    scope: Scope | None = None
    base: str | None = None
    tag: str | None = None
    text: str = ""
    adult: bool = False

    @property
    def narrow(self) -> bool:
        """Whether it leaves any out."""
        return bool(self.base or self.tag or self.text)

    def fits(self, model: Model) -> bool:
        """Whether a model is one of those that are looked for."""
        return (
            self.base in {None, model.base}
            and (self.tag is None or self.tag in model.tags)
            and any(folded(self.text) in name for name in (model.slug, model.trigger))
        )


def seen(found: Model | None, actor: Actor, *, name: str) -> Model:
    """The model that was looked for, where this actor may see it.

    Raises:
        NotFound: There is none, it is deleted, or it is not for this actor: the three are never told apart.
    """
    if found is None or not found.visible_to(actor):
        raise NotFound(noun="model", name=name, hint="See `model list`.")
    return found


def owned(found: Model | None, actor: Actor, *, name: str) -> Model:
    """The model that was looked for, where this actor may change it: others only look.

    Raises:
        NotFound: There is none, it is deleted, or it is somebody else's.
    """
    model = seen(found, actor, name=name)
    if model.owner != actor.account:
        raise NotFound(noun="model of yours", name=model.name, hint="Only its owner can change a model.")
    return model


def meant(name: str, models: Iterable[Model], *, asker: str) -> Sequence[Model]:
    """Which of the models an account may use it means by a name or a word; several where all have the same right.

    It is as in a prompt: `owner/slug` before slug before trigger word, one's own before what is shared with one before
    what is public, and of that the earliest. An unlisted model of somebody else is called by its full name only.
    """
    said, known = folded(name), list(models)
    if full := [one for one in known if said in {f"{folded(one.owner_name)}/{slug}" for slug in one.names}]:
        return [one for one in full if one.owner == asker] or full
    for called in ([one for one in known if said in one.names], [one for one in known if said == one.trigger]):
        own = [one for one in called if one.owner == asker]
        shared = [one for one in called if asker in one.shared]
        public = sorted((one for one in called if one.listed), key=lambda one: (one.slug != said, *one.registered))
        if found := own or shared or public[:1]:
            return found
    return []


def slug(name: str) -> str:
    """The name of a model as it may stand in a file name: lower case, words joined by dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "model"


def described(text: str) -> str:
    """A description as it may be stored: one line of at most 1,000 printable characters.

    Raises:
        BadValue: It is longer, or has other characters.
    """
    line = " ".join(text.split())
    if len(line) > DESCRIPTION_LENGTH or not line.isprintable():
        raise BadValue(what="description", value=line, why=f"it takes up to {DESCRIPTION_LENGTH} printable characters")
    return line


def tagged(words: Iterable[str]) -> tuple[str, ...]:
    """Tags as they may be stored: folded, each once, in the order they were said.

    Raises:
        BadValue: There are more than 10, or one has other characters than a-z, 0-9 and dashes, or more than 30.
    """
    tags = tuple(dict.fromkeys(folded(word) for word in words))
    if wrong := [tag for tag in tags if not TAG.fullmatch(tag)]:
        raise BadValue(what="tag", value=wrong[0], why="it takes 1 to 30 letters a-z, digits and dashes")
    if len(tags) > TAGS:
        raise BadValue(what="list of tags", value=" ".join(tags), why=f"there may be up to {TAGS}")
    return tags
