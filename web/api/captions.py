"""Captions of one picture, every state of them; and of all at once, shown before they are changed."""

from collections.abc import Callable
from datetime import datetime

from core.domain.account import Role
from core.domain.caption import CaptionReview, CaptionSource, CaptionVersion
from core.domain.errors import BadValue, MinorsGuarded, NotAdult, NotAsSeen, NothingToDo, Outdated
from core.domain.item import Item
from core.domain.rewrite import Preview, Rewrite, Verb, rewriting
from core.domain.token import Scope
from web.api.datasets import visible
from web.api.items import Wanted
from web.api.route import Body, Listed, Out, require_match, route
from web.visiting import Asked

TEXT = (BadValue, MinorsGuarded)


class CaptionOut(Out):
    """The caption of a picture, in the set that is in use; one that nobody has written has version 0."""

    image: str
    name: str
    text: str
    version: int
    source: CaptionSource | None
    written_at: datetime | None
    review: CaptionReview | None
    note: str


class VersionOut(Out):
    """One state of a caption: `restored` is the version that an undo went back to."""

    version: int
    text: str
    author: str
    source: CaptionSource
    at: datetime
    restored: int | None
    review: CaptionReview
    note: str
    reviewer: str


class ChangeOut(Out):
    """What one caption becomes."""

    image: str
    name: str
    before: str
    after: str


class PreviewOut(Out):
    """What a change of many captions does; the digest stands for exactly that."""

    changes: tuple[ChangeOut, ...]
    digest: str


class CaptionIn(Body):
    """A caption, trigger word first."""

    text: str


class UndoIn(Body):
    """Which version to go back to: the one before, where none is named."""

    version: int | None = None


class RewriteIn(Body):
    """A change of many captions: `find` becomes `words`, or `words` are said first or last, or nothing is left."""

    verb: Verb
    find: str = ""
    words: str = ""


class ReplaceIn(RewriteIn):
    """The same, with the digest of the preview that has shown it."""

    digest: str


@route("GET", "/datasets/{dataset}/captions", errors=(NotAdult,))
async def list_(asked: Asked, dataset: str, query: Wanted) -> Listed[CaptionOut]:
    """List the captions of a dataset, in the order of its pictures."""
    found = await visible(asked, dataset)
    items = await asked.services.items.list(asked.actor, dataset, after=query.after - 1, limit=query.limit + 1)
    page, is_more = items[: query.limit], len(items) > query.limit
    shown = tuple(caption_out(item, found.caption_of(item)) for item in page)
    return Listed(items=shown, next=str(page[-1].position + 1) if is_more else None)


@route("GET", "/datasets/{dataset}/images/{image}/caption", errors=(NotAdult,))
async def view(asked: Asked, dataset: str, image: str) -> CaptionOut:
    """Show the caption of a picture."""
    found = await visible(asked, dataset)
    item = await asked.services.items.view(asked.actor, dataset, image)
    return caption_out(item, found.caption_of(item))


@route("PUT", "/datasets/{dataset}/images/{image}/caption", errors=(*TEXT, NotAsSeen))
async def write(asked: Asked, dataset: str, image: str, body: CaptionIn) -> CaptionOut:
    """Write the caption of a picture, as a new version; with `If-Match`, only over the one that you fetched."""
    item = await asked.services.items.view(asked.actor, dataset, image)
    edited = asked.services.captions.edit(asked.actor, item, text=body.text, expecting=_expecting(asked, item))
    return await _present(asked, await edited)


@route("DELETE", "/datasets/{dataset}/images/{image}/caption", errors=(NothingToDo, NotAsSeen))
async def delete(asked: Asked, dataset: str, image: str) -> None:
    """Take the caption of a picture away; its history stays, and an undo brings it back."""
    item = await asked.services.items.view(asked.actor, dataset, image)
    await asked.services.captions.delete(asked.actor, item, expecting=_expecting(asked, item))


@route("GET", "/datasets/{dataset}/images/{image}/caption/history", errors=(NotAdult, NothingToDo))
async def history(asked: Asked, dataset: str, image: str) -> Listed[VersionOut]:
    """List every version of a caption, the latest first."""
    await visible(asked, dataset)
    item = await asked.services.items.view(asked.actor, dataset, image)
    seen = await asked.services.captions.history(asked.actor, item)
    same = VersionOut.model_fields.keys() - {"author", "reviewer"}
    return Listed(
        items=tuple(
            VersionOut(
                **{name: getattr(one, name) for name in same},
                author=seen.names.get(one.author, ""),
                reviewer=seen.names.get(one.reviewer or "", ""),
            )
            for one in seen.versions
        )
    )


@route("POST", "/datasets/{dataset}/images/{image}/caption/undo", errors=(*TEXT, NothingToDo))
async def undo(asked: Asked, dataset: str, image: str, body: UndoIn) -> CaptionOut:
    """Write the text of an earlier version again, as a new one; again and again goes back further."""
    item = await asked.services.items.view(asked.actor, dataset, image)
    return await _present(asked, await asked.services.captions.undo(asked.actor, item, version=body.version))


@route("POST", "/datasets/{dataset}/captions/preview", scope=Scope.READ, role=Role.VIEWER, errors=(*TEXT, NothingToDo))
async def preview(asked: Asked, dataset: str, body: RewriteIn) -> PreviewOut:
    """Show what a change of many captions would do; nothing is changed."""
    found = await asked.services.datasets.seen(asked.actor, dataset)
    return _shown(await asked.services.captions.preview(asked.actor, found, _rewrite(body)))


@route("POST", "/datasets/{dataset}/captions/replace", errors=(*TEXT, Outdated))
async def replace(asked: Asked, dataset: str, body: ReplaceIn) -> PreviewOut:
    """Change many captions at once, exactly as a preview has shown it: its digest says so."""
    found = await asked.services.datasets.seen(asked.actor, dataset)
    return _shown(await asked.services.captions.rewrite(asked.actor, found, _rewrite(body), digest=body.digest))


def caption_out(item: Item, caption: CaptionVersion | None) -> CaptionOut:
    """The caption of a picture as whoever may see its dataset is shown it."""
    return CaptionOut(
        image=item.id,
        name=item.artifact.name,
        text=caption.text if caption else "",
        version=caption.version if caption else 0,
        source=caption.source if caption else None,
        written_at=caption.at if caption else None,
        review=caption.review if caption else None,
        note=caption.note if caption else "",
    )


async def _present(asked: Asked, item: Item) -> CaptionOut:
    """The caption of a picture that was just changed."""
    dataset = await asked.services.datasets.seen(asked.actor, item.dataset)
    return caption_out(item, dataset.caption_of(item))


def _expecting(asked: Asked, item: Item) -> Callable[[CaptionVersion | None], None]:
    return lambda caption: require_match(asked, caption_out(item, caption))


def _rewrite(wish: RewriteIn) -> Rewrite:
    return rewriting(wish.verb, find=wish.find, words=wish.words)


def _shown(preview: Preview) -> PreviewOut:
    changes = (
        ChangeOut(image=one.item.id, name=one.item.artifact.name, before=one.before, after=one.after)
        for one in preview.changes
    )
    return PreviewOut(changes=tuple(changes), digest=preview.digest)
