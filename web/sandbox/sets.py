"""Caption sets: several captions of the same pictures, one of which is in use."""

from aiohttp import web

from web.sandbox.datasets import mine
from web.sandbox.page import Look, page


@page("GET", "/datasets/{dataset}/sets")
async def list_(look: Look) -> web.StreamResponse:
    """Every set with how many captions it has."""
    dataset = await mine(look)
    items = (await look.services.datasets.view(look.actor, dataset.id)).items
    counts = {name: sum(item.caption(name) is not None for item in items) for name in dataset.sets}
    return look.shown("captions/sets.html", dataset=dataset, counts=counts)


@page("POST", "/datasets/{dataset}/sets", refused=list_)
async def open_(look: Look) -> web.StreamResponse:
    """Open another set, empty or as a copy."""
    name, copied = look.field("name"), look.field("copied") or None
    dataset = await look.services.captions.open_set(look.actor, await mine(look), name=name, copied=copied)
    look.leads(f"/datasets/{dataset.id}/sets", said=f"«{dataset.default_set}» is in use until you choose another.")


@page("POST", "/datasets/{dataset}/sets/{set}/choose", refused=list_)
async def choose(look: Look) -> web.StreamResponse:
    """Use a set from now on."""
    dataset = await look.services.captions.choose_set(look.actor, await mine(look), look.path("set"))
    look.leads(f"/datasets/{dataset.id}/sets", said=f"«{dataset.default_set}» is in use now.")


@page("POST", "/datasets/{dataset}/sets/{set}/drop", refused=list_)
async def drop(look: Look) -> web.StreamResponse:
    """Let a set go that is not in use."""
    dataset = await look.services.captions.drop_set(look.actor, await mine(look), look.path("set"))
    look.leads(f"/datasets/{dataset.id}/sets", said="It is gone; opened again under its name, it is as it was.")
