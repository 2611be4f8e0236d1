"""Moderation: datasets for adults, each shown blurred, to approve or to reject."""

from aiohttp import web

from core.domain.account import Role
from core.domain.errors import NotFound
from core.services.moderation import Unreviewed
from web.sandbox.page import Look, page


@page("GET", "/admin/moderation", role=Role.MODERATOR)
async def waiting(look: Look) -> web.StreamResponse:
    """What waits, the longest first."""
    found = await look.services.moderation.waiting(look.actor)
    covers = {one.dataset.id: _previews(look, one)[:1] for one in found}
    return look.shown("admin/moderation.html", found=found, covers=covers)


@page("GET", "/admin/moderation/{dataset}", role=Role.MODERATOR)
async def view(look: Look) -> web.StreamResponse:
    """A blurred look at one, and what to say of it.

    Raises:
        NotFound: It does not wait (any more).
    """
    name = look.path("dataset")
    found = await look.services.moderation.waiting(look.actor)
    one = next((one for one in found if one.dataset.id == name), None)
    if one is None:
        raise NotFound(noun="dataset that waits", name=name, hint="Somebody may have decided before you.")
    return look.shown("admin/dataset.html", one=one, previews=_previews(look, one))


@page("POST", "/admin/moderation/{dataset}/approve", role=Role.MODERATOR, refused=view)
async def approve(look: Look) -> web.StreamResponse:
    """Let it be trained on."""
    dataset, seen = look.path("dataset"), look.number("seen") or 0
    done = await look.services.moderation.approve(look.actor, dataset, seen=seen, key=look.key)
    look.leads("/admin/moderation", said=f"«{done.name}» is {done.review}.")


@page("POST", "/admin/moderation/{dataset}/reject", role=Role.MODERATOR, refused=view)
async def reject(look: Look) -> web.StreamResponse:
    """Keep it from being trained on."""
    done = await look.services.moderation.reject(
        look.actor, look.path("dataset"), why=look.field("why"), seen=look.number("seen") or 0, key=look.key
    )
    look.leads("/admin/moderation", said=f"«{done.name}» is {done.review}.")


def _previews(look: Look, one: Unreviewed) -> list[str]:
    """Where its blurred sheets are found: nothing can be recognised on them."""
    return [look.picture(preview) for preview in one.dataset.previews]
