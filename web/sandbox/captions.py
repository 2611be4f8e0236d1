"""The caption editor: pictures with their captions, each with its history, and many changed at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiohttp import web

from core.domain.account import Role
from core.domain.caption import CaptionReview, CaptionVersion, compared
from core.domain.consent import RIGHTS
from core.domain.creation import Step
from core.domain.dataset import Dataset
from core.domain.errors import DomainError, NothingToDo
from core.domain.item import Item
from core.domain.rewrite import Preview, Rewrite, Verb, rewriting
from core.domain.trigger import folded
from web.problems import of
from web.sandbox.creator import steps
from web.sandbox.datasets import fit, going_on, mine
from web.sandbox.page import Look, one_of, page

SHOWN = 24  # pictures on a page
EXAMPLES = 5  # of a change of many
BARE = "uncaptioned"  # a filter beside what reviewers say


@dataclass(frozen=True, kw_only=True)
class Row:
    """One version of a caption, and how it differs from the one before: what stays, what goes, what comes instead."""

    version: CaptionVersion
    words: Sequence[tuple[str, str, str]]


@page("GET", "/datasets/{dataset}/captions")
async def editor(look: Look) -> web.StreamResponse:
    """The pictures that fit, with a form for each caption."""
    view = await look.services.datasets.view(look.actor, look.path("dataset"))
    dataset, only = fit(look, view.dataset), look.query.get("only", "")
    text, number = look.query.get("text", "").strip(), look.page_number()
    found = [item for item in view.items if _fits(dataset, item, only=only, text=folded(text))]
    reviewing = [one.review for item in view.items if (one := dataset.caption_of(item))]
    return look.shown(
        "captions/editor.html",
        dataset=dataset,
        items=found[(number - 1) * SHOWN :][:SHOWN],
        count=len(found),
        total=len(view.items),
        captioned=len(reviewing),
        reviewed=sum(one is not CaptionReview.PENDING for one in reviewing),
        number=number,
        more=len(found) > number * SHOWN,
        only=only,
        text=text,
        filters=(BARE, *(one.value for one in CaptionReview)),
        jobs=await going_on(look, dataset.id),
        **steps(Step.CAPTIONS, dataset),
        **_rights(look, dataset),
    )


@page("GET", "/datasets/{dataset}/captions/rewrite")
async def rewriting_many(look: Look) -> web.StreamResponse:
    """A change of all captions, and what it would do."""
    dataset = await mine(look)
    preview = None
    if _said(look, "verb") and look.problem is None:
        try:
            preview = await look.services.captions.preview(look.actor, dataset, _rewrite(look))
        except DomainError as error:
            look = replace(look, problem=of(error))
    return look.shown(
        "captions/rewrite.html",
        dataset=dataset,
        verbs=Verb,
        asked={name: _said(look, name) for name in ("verb", "find", "words")},
        preview=preview,
        examples=_examples(preview),
    )


@page("POST", "/datasets/{dataset}/captions/rewrite", refused=rewriting_many)
async def rewrite(look: Look) -> web.StreamResponse:
    """Change the captions exactly as it was shown."""
    dataset = await mine(look)
    done = await look.services.captions.rewrite(look.actor, dataset, _rewrite(look), digest=look.field("digest"))
    look.leads(f"/datasets/{dataset.id}/captions", said=f"Captions changed: {len(done.changes)}. Each can be undone.")


@page("GET", "/datasets/{dataset}/captions/{item}")
async def one(look: Look) -> web.StreamResponse:
    """One picture with the history of its caption; for htmx its card."""
    dataset, item = await found(look)
    facts = {"dataset": dataset, "item": item, "words": RIGHTS, **_rights(look, dataset)}
    if look.partial:
        return look.shown("captions/card.html", **facts)
    try:
        history = await look.services.captions.history(look.actor, item)
    except NothingToDo:
        return look.shown("captions/one.html", rows=(), names={}, **facts)
    return look.shown("captions/one.html", rows=_rows(history.versions), names=history.names, **facts)


@page("POST", "/datasets/{dataset}/captions/{item}", refused=one)
async def save(look: Look) -> web.StreamResponse:
    """Write a caption; without a word it is taken away."""
    dataset, item = await found(look)
    text, present, expecting = look.field("text"), dataset.caption_of(item), look.expecting(_facts)
    if text and (present is None or present.text != text):
        await look.services.captions.edit(look.actor, item, text=text, expecting=expecting)
    elif not text and present:
        await look.services.captions.delete(look.actor, item, expecting=expecting)
    return await answered(look, item, said=f"The caption of {item.artifact.name} is saved.")


@page("POST", "/datasets/{dataset}/captions/{item}/undo", refused=one)
async def undo(look: Look) -> web.StreamResponse:
    """Go back to an earlier version: the one before, or one that is named."""
    _, item = await found(look)
    await look.services.captions.undo(look.actor, item, version=look.number("version"))
    if not look.partial:
        look.leads(f"/datasets/{item.dataset}/captions/{item.id}", said="The earlier caption is back.")
    return await one.run(replace(look, typed={}))


async def found(look: Look) -> tuple[Dataset, Item]:
    """The dataset and the picture of the path.

    Raises:
        NotFound: There is no such dataset for whoever looks, or no such picture in it.
    """
    dataset = fit(look, await look.services.datasets.seen(look.actor, look.path("dataset")))
    return dataset, await look.services.items.view(look.actor, dataset.id, look.path("item"))


async def answered(look: Look, item: Item, *, said: str) -> web.StreamResponse:
    """After a change of one picture: its card for htmx, else the page where it stands."""
    if not look.partial:
        number = item.position // SHOWN + 1
        look.leads(f"/datasets/{item.dataset}/captions?page={number}#item-{item.id}", said=said)
    return await one.run(replace(look, typed={}))


def _fits(dataset: Dataset, item: Item, *, only: str, text: str) -> bool:
    caption = dataset.caption_of(item)
    if text and text not in folded(f"{item.artifact.name} {caption.text if caption else ''}"):
        return False
    if only == BARE:
        return caption is None
    return not only or (caption is not None and caption.review == only)


def _rights(look: Look, dataset: Dataset) -> dict[str, object]:
    """What whoever looks may do here, and what forms are made of."""
    account, role = look.actor.account, look.actor.role
    edits = dataset.owner == account and role.covers(Role.USER)
    reviews = account in {dataset.owner, *dataset.shared} or role.covers(Role.MODERATOR)
    keeps = account == dataset.owner or role.covers(Role.MODERATOR)  # who still sees what consent was withdrawn for
    return {"edits": edits, "reviews": reviews, "keeps": keeps, "marks": CaptionReview, "facts": _facts}


def _facts(caption: CaptionVersion | None) -> dict[str, str]:
    """What the form says of a picture."""
    return {"caption": caption.text if caption else ""}


def _rows(versions: Sequence[CaptionVersion]) -> list[Row]:
    """The versions, the latest first, each compared with the one before."""
    before = [*(version.text for version in versions[1:]), ""]
    told = zip(versions, before, strict=True)
    return [Row(version=version, words=list(compared(old, version.text))) for version, old in told]


def _examples(preview: Preview | None) -> list[tuple[Item, Sequence[tuple[str, str, str]]]]:
    changes = preview.changes[:EXAMPLES] if preview else ()
    return [(change.item, list(compared(change.before, change.after))) for change in changes]


def _said(look: Look, name: str) -> str:
    """What was typed, or stands in the address."""
    return look.field(name) or look.query.get(name, "").strip()


def _rewrite(look: Look) -> Rewrite:
    verb = one_of(Verb, _said(look, "verb"), what="change")
    return rewriting(verb, find=_said(look, "find"), words=_said(look, "words"))
