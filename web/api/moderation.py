"""Moderation: datasets for adults, which nobody trains on before a moderator has looked."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from core.domain.account import Role
from core.domain.dataset import Dataset, Review
from core.domain.errors import BadValue, NothingToDo, Outdated
from core.domain.token import Scope
from core.services.moderation import LENGTH, Unreviewed
from web.api.jobs import FileOut, files
from web.api.route import Body, Listed, Out, route
from web.visiting import Asked


class ReviewOut(Out):
    """What was said of a dataset; `count` is how many pictures it has now."""

    id: str
    name: str
    trigger: str
    count: int
    review: Review
    review_note: str
    updated_at: datetime


class UnreviewedOut(ReviewOut):
    """A dataset that waits: whose it is, and its pictures blurred beyond recognition."""

    owner: str
    previews: tuple[FileOut, ...]


class SeenIn(Body):
    """How many pictures it had when you looked."""

    seen: Annotated[int, Field(ge=0)]


class RejectIn(SeenIn):
    """The same, and why not; its owner reads this."""

    why: Annotated[str, Field(min_length=1, max_length=LENGTH)]


@route("GET", "/admin/moderation", role=Role.MODERATOR, scope=Scope.ADMIN)
async def waiting(asked: Asked) -> Listed[UnreviewedOut]:
    """List the datasets that wait, the longest first."""
    found = await asked.services.moderation.waiting(asked.actor)
    return Listed[UnreviewedOut](items=tuple(_unreviewed(asked, one) for one in found))


@route(
    "POST",
    "/admin/moderation/{dataset}/approve",
    role=Role.MODERATOR,
    scope=Scope.ADMIN,
    errors=(NothingToDo, Outdated),
)
async def approve(asked: Asked, dataset: str, body: SeenIn) -> ReviewOut:
    """Let a dataset be trained on."""
    done = await asked.services.moderation.approve(asked.actor, dataset, seen=body.seen, key=asked.key)
    return ReviewOut(**_facts(done))


@route(
    "POST",
    "/admin/moderation/{dataset}/reject",
    role=Role.MODERATOR,
    scope=Scope.ADMIN,
    errors=(BadValue, NothingToDo, Outdated),
)
async def reject(asked: Asked, dataset: str, body: RejectIn) -> ReviewOut:
    """Keep a dataset from being trained on, with words for its owner."""
    done = await asked.services.moderation.reject(asked.actor, dataset, why=body.why, seen=body.seen, key=asked.key)
    return ReviewOut(**_facts(done))


def _unreviewed(asked: Asked, one: Unreviewed) -> UnreviewedOut:
    previews = files(one.dataset.previews, asked.services.downloads)
    return UnreviewedOut(**_facts(one.dataset), owner=one.owner, previews=previews)


def _facts(dataset: Dataset) -> dict[str, object]:
    return {name: getattr(dataset, name) for name in ReviewOut.model_fields}
