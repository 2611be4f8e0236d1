"""Reviews of captions: approved, rejected or sent back, from the card of each."""

from aiohttp import web

from core.domain.caption import CaptionReview
from web.sandbox import captions
from web.sandbox.page import Look, one_of, page


@page("POST", "/datasets/{dataset}/captions/{item}/review", refused=captions.one)
async def review(look: Look) -> web.StreamResponse:
    """Say what one thinks of the version that was seen."""
    _, item = await captions.found(look)
    mark, seen = one_of(CaptionReview, look.field("review"), what="review"), look.number("version")
    await look.services.reviews.review(look.actor, item, mark, note=look.field("note"), version=seen)
    return await captions.answered(look, item, said=f"{item.artifact.name}: {mark.value.replace('_', ' ')}.")
