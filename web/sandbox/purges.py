"""What is deleted: pictures that go for good, datasets that come back from the bin, or leave it for good."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from core.domain.dataset import Dataset, Scope
from core.domain.errors import NotFound
from core.domain.item import Item
from web.sandbox import captions
from web.sandbox.datasets import mine
from web.sandbox.page import Look, page
from web.wording import counted

NAMED = 5  # of what was not there any more


@page("GET", "/datasets/delete")
async def leaving(look: Look) -> web.StreamResponse:
    """Ask before all goes that was ticked, and say what it is."""
    chosen = await look.services.purges.chosen(look.actor, _ticked(look, "dataset"))
    if not chosen.datasets:
        look.leads("/datasets", said="Tick the datasets first that shall go.")
    uses = await asyncio.gather(*(look.services.lineages.of(look.actor, one.id) for one in chosen.datasets))
    days = look.services.purges.retention_days
    rows = list(zip(chosen.datasets, map(len, uses), strict=True))
    return look.shown("datasets/delete_many.html", rows=rows, missing=chosen.missing, days=days)


@page("POST", "/datasets/delete", refused=leaving)
async def delete(look: Look) -> web.StreamResponse:
    """Put all of them into the bin that are still there, and say which were not."""
    done = await look.services.purges.delete_chosen(look.actor, look.fields("dataset"))
    said = f"{counted(len(done.datasets), 'dataset')} put into the bin; from there they can be brought back."
    if done.missing:
        names = ", ".join(f"«{name}»" for name in done.missing[:NAMED]) + ("…" if len(done.missing) > NAMED else "")
        said += f" Not there any more, since they were deleted meanwhile: {names}."
    look.leads("/datasets", said=said)


@page("GET", "/datasets/{dataset}/remove")
async def thinning(look: Look) -> web.StreamResponse:
    """Ask before all pictures go that were ticked."""
    dataset, items = await _pictures(look)
    if not items:
        look.leads(f"/datasets/{dataset.id}/captions", said="Tick the pictures first that shall go.")
    return look.shown("datasets/remove.html", dataset=dataset, items=items)


@page("POST", "/datasets/{dataset}/remove", refused=thinning)
async def thin(look: Look) -> web.StreamResponse:
    """Take all of them out for good that are still there."""
    dataset, items = await _pictures(look)
    left = await look.services.purges.remove(
        look.actor, dataset.id, [item.id for item in items], place=look.place, key=look.key
    )
    gone, before = counted(len(items), "picture"), len(set(look.fields("item"))) - len(items)
    said = f"{gone} removed{f', and {before} before that' if before else ''}: {counted(left.count, 'picture')} left."
    look.leads(f"/datasets/{dataset.id}/captions", said=said)


@page("POST", "/datasets/{dataset}/captions/{item}/remove", refused=captions.one)
async def remove(look: Look) -> web.StreamResponse:
    """Take one picture out for good."""
    dataset, item = await captions.found(look)
    await look.services.purges.remove(look.actor, dataset.id, [item.id], place=look.place, key=look.key)
    look.leads(f"/datasets/{dataset.id}/captions", said=f"{item.artifact.name} is gone.")


@page("POST", "/datasets/{dataset}/restore")
async def restore(look: Look) -> web.StreamResponse:
    """Take a dataset out of the bin."""
    dataset = await look.services.purges.restore(look.actor, look.path("dataset"))
    look.leads(f"/datasets/{dataset.id}", said=f"«{dataset.name}» is back.")


@page("GET", "/datasets/{dataset}/purge")
async def purging(look: Look) -> web.StreamResponse:
    """Ask before a deleted dataset goes for good."""
    name = look.path("dataset")
    binned = await look.services.datasets.list(look.actor, scope=Scope.DELETED, limit=0)
    dataset = next((one for one in binned if one.id == name), None)
    if dataset is None:
        raise NotFound(noun="deleted dataset", name=name, hint="See what is deleted among your datasets.")
    return look.shown("datasets/purge.html", dataset=dataset)


@page("POST", "/datasets/{dataset}/purge", refused=purging)
async def purge(look: Look) -> web.StreamResponse:
    """Let it go for good."""
    gone = await look.services.purges.purge(look.actor, look.path("dataset"))
    look.leads("/datasets?scope=deleted", said=f"«{gone.name}» is gone for good.")


def _ticked(look: Look, name: str) -> Sequence[str]:
    """What was ticked in a list, or is asked about."""
    return look.fields(name) or look.request.query.getall(name, [])


async def _pictures(look: Look) -> tuple[Dataset, list[Item]]:
    """The dataset, and those pictures that were ticked and are still in it."""
    dataset, ticked = await mine(look), set(_ticked(look, "item"))
    view = await look.services.datasets.view(look.actor, dataset.id)
    return dataset, [item for item in view.items if item.id in ticked]
