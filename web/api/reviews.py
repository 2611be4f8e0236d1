"""Reviews: what the owner of a dataset, those it is shared with, and moderators say of its captions."""

from collections.abc import Mapping

from core.domain.caption import CaptionReview
from core.domain.errors import BadValue, NotAdult, NothingToDo, Outdated
from web.api.captions import CaptionOut, caption_out
from web.api.datasets import visible
from web.api.route import Body, Out, route
from web.visiting import Asked


class ReviewsOut(Out):
    """How many captions are how far, and the first one that is pending."""

    counts: Mapping[CaptionReview, int]
    pending: CaptionOut | None


class ReviewIn(Body):
    """What one thinks of a caption, of the version that was seen where it is named."""

    review: CaptionReview
    note: str = ""
    version: int | None = None


@route("GET", "/datasets/{dataset}/reviews", errors=(NotAdult,))
async def view(asked: Asked, dataset: str) -> ReviewsOut:
    """Show how far the reviews of a dataset's captions are."""
    await visible(asked, dataset)
    seen = await asked.services.reviews.view(asked.actor, dataset)
    pending = caption_out(seen.item, seen.dataset.caption_of(seen.item)) if seen.item else None
    return ReviewsOut(counts={one: seen.counts.get(one, 0) for one in CaptionReview}, pending=pending)


@route("PUT", "/datasets/{dataset}/images/{image}/caption/review", errors=(BadValue, NotAdult, NothingToDo, Outdated))
async def review(asked: Asked, dataset: str, image: str, body: ReviewIn) -> CaptionOut:
    """Say what you think of a caption."""
    found = await visible(asked, dataset)
    item = await asked.services.items.view(asked.actor, dataset, image)
    judged = await asked.services.reviews.review(asked.actor, item, body.review, note=body.note, version=body.version)
    return caption_out(judged, found.caption_of(judged))
