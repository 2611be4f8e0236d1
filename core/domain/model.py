"""Models: a named LoRA with a trigger word, who may use it, and the epochs it was made of."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Self

from core.domain.account import Actor, Role
from core.domain.artifact import Artifact
from core.domain.errors import NotPublished
from core.domain.rating import Rating
from core.domain.value import Entity


class Visibility(StrEnum):
    """Who may use a model besides its owner."""

    PRIVATE = "private"
    PUBLIC = "public"


class Model(Entity):
    """A trained LoRA. `run` says how it came to be; `offering` how pictures are made with it."""

    owner: str
    owner_name: str
    slug: str
    trigger: str
    family: str
    base: str
    offering: str
    run: str
    artifact: Artifact
    rating: Rating = Rating.SFW
    visibility: Visibility = Visibility.PRIVATE
    created_at: datetime
    published_at: datetime | None = None

    def visible_to(self, actor: Actor) -> bool:
        """Whether the actor may see and use it."""
        public = self.visibility is Visibility.PUBLIC
        return public or self.owner == actor.account or actor.role.covers(Role.MODERATOR)

    def published(self, *, now: datetime) -> Self:
        """Everyone may use it from now on.

        Raises:
            NotPublished: It is public already.
        """
        if self.visibility is Visibility.PUBLIC:
            raise NotPublished(name=self.slug, state="public")
        return self.but(visibility=Visibility.PUBLIC, published_at=now)


def slug(name: str) -> str:
    """The name of a model as it may stand in a file name: lower case, words joined by dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "model"
