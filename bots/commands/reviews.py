"""Reviews: captions one after the other, each approved, rejected, or sent back to be edited."""

from enum import StrEnum
from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, Integer, OneOf, Text
from bots.chat.references import ItemRef, SharedDatasetRef
from bots.chat.reply import Button, Reply
from core.domain.action import Style, Then
from core.domain.caption import CaptionReview
from core.domain.dataset import Dataset
from core.domain.errors import BadValue
from core.domain.item import Item
from core.services.reviews import Reviewing


class Verdict(StrEnum):
    """What a reviewer says."""

    APPROVE = "approve"
    REJECT = "reject"
    NEEDS_EDIT = "needs-edit"


REVIEWS = {
    Verdict.APPROVE: CaptionReview.APPROVED,
    Verdict.REJECT: CaptionReview.REJECTED,
    Verdict.NEEDS_EDIT: CaptionReview.NEEDS_EDIT,
}
LABELS = {Verdict.APPROVE: "Approve", Verdict.REJECT: "Reject", Verdict.NEEDS_EDIT: "Needs edit"}
STYLES = {Verdict.APPROVE: Style.GO, Verdict.REJECT: Style.DANGER}


class ReviewedRef(ItemRef):
    """A picture whose caption is to be reviewed; nobody is asked: the first pending one is shown."""

    asked = False


class Judged(OneOf[Verdict]):
    """A verdict; nobody is asked: there are buttons."""

    asked = False


@command("caption review")
async def review(
    call: Call,
    *,
    dataset: Annotated[Dataset, SharedDatasetRef("Which dataset")],
    picture: Annotated[Item | None, ReviewedRef("Its number or name; the first that is pending")] = None,
    verdict: Annotated[Verdict | None, Judged("approve, reject or needs-edit", Verdict)] = None,
    note: Annotated[str, Text("A word on it, for its owner", rest=True)] = "",
    version: Annotated[int | None, Integer("Which version you have seen")] = None,
) -> Reply:
    """Review captions one after the other; its owner, those it is shared with, and moderators can."""
    reviews = call.services.reviews
    if verdict is None:
        return _shown(await reviews.view(call.actor, dataset.id, item=picture.id if picture else None))
    if picture is None:
        raise BadValue(what="review", value=verdict.value, why="say of which picture")
    await reviews.review(call.actor, picture, REVIEWS[verdict], note=note, version=version)
    return _shown(await reviews.view(call.actor, dataset.id, after=picture.position))


def _shown(seen: Reviewing) -> Reply:
    dataset, item = seen.dataset, seen.item
    caption = dataset.caption_of(item) if item else None
    if item is None or caption is None:
        return Reply(title=f"No caption of «{dataset.name}» is pending", lines=(_progress(seen),))
    note = (f"{caption.review.value.replace('_', ' ')}: {caption.note}",) if caption.note else ()
    return Reply(
        title=f"{item.artifact.name} in «{dataset.name}»",
        lines=(caption.text, *note, _progress(seen)),
        pictures=(item.artifact,),
        rating=dataset.rating,
        buttons=(*(_judging(dataset, item, caption.version, verdict) for verdict in Verdict), *_next(seen)),
    )


def _progress(seen: Reviewing) -> str:
    """How far the reviews are: «7 of 10 reviewed: 5 approved, 2 rejected.»."""
    said = [review for review in CaptionReview if review is not CaptionReview.PENDING and seen.counts.get(review)]
    words = ", ".join(f"{seen.counts[review]} {review.value.replace('_', ' ')}" for review in said)
    reviewed = sum(seen.counts[review] for review in said)
    return f"{reviewed} of {sum(seen.counts.values())} reviewed{f': {words}' if words else ''}."


def _judging(dataset: Dataset, item: Item, version: int, verdict: Verdict) -> Button:
    return Button(
        label=LABELS[verdict],
        command="caption review",
        arguments={"dataset": dataset.id, "picture": item.id, "verdict": verdict.value, "version": str(version)},
        style=STYLES.get(verdict, Style.PLAIN),
        then=Then.REPLACE,
    )


def _next(seen: Reviewing) -> tuple[Button, ...]:
    if seen.following is None:
        return ()
    named = {"dataset": seen.dataset.id, "picture": seen.following.id}
    return (Button(label="Next", command="caption review", arguments=named, then=Then.REPLACE),)
