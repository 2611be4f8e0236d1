"""What is deleted: pictures that go for good, datasets that come back from the bin, or leave it for good."""

from aiohttp import web

from core.domain.dataset import Scope
from core.domain.errors import NotFound
from web.sandbox import captions
from web.sandbox.page import Look, page


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
