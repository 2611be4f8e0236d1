"""Sharing: who may use a dataset besides its owner."""

from aiohttp import web

from core.domain.account import Account
from core.domain.dataset import Access, Dataset
from core.domain.errors import Ambiguous, NotFound
from core.domain.trigger import folded
from web.sandbox.datasets import mine
from web.sandbox.page import Look, one_of, page

MEANS = {
    Access.PRIVATE: "Only you can use it, and those whom you share it with.",
    Access.UNLISTED: "Who knows its address can look at it and train on it.",
    Access.PUBLIC: "Everyone finds it, and can look at it and train on it.",
}


@page("GET", "/datasets/{dataset}/sharing")
async def view(look: Look) -> web.StreamResponse:
    """Who may use it now."""
    dataset = await mine(look)
    readers = await look.services.sharings.readers(look.actor, dataset.id)
    return look.shown("datasets/sharing.html", dataset=dataset, readers=readers, means=MEANS, facts=_facts)


@page("POST", "/datasets/{dataset}/sharing", refused=view)
async def open_(look: Look) -> web.StreamResponse:
    """Open it to everyone, to who knows its address, or to nobody."""
    access = one_of(Access, look.field("access"), what="access")
    dataset = await look.services.sharings.open(
        look.actor, look.path("dataset"), access, expecting=look.expecting(_facts)
    )
    look.leads(f"/datasets/{dataset.id}/sharing", said=MEANS[access])


@page("POST", "/datasets/{dataset}/sharing/add", refused=view)
async def share(look: Look) -> web.StreamResponse:
    """Let somebody use it."""
    account = await person(look, look.field("user"))
    dataset = await look.services.sharings.share(look.actor, look.path("dataset"), account)
    look.leads(f"/datasets/{dataset.id}/sharing", said=f"{account.name} can use it now.")


@page("POST", "/datasets/{dataset}/sharing/remove", refused=view)
async def unshare(look: Look) -> web.StreamResponse:
    """Take it back from somebody."""
    readers = await look.services.sharings.readers(look.actor, look.path("dataset"))
    account = next((one for one in readers if one.id == look.field("account")), None)
    if account:
        await look.services.sharings.unshare(look.actor, look.path("dataset"), account)
    look.leads(f"/datasets/{look.path('dataset')}/sharing", said="It is not shared with them any more.")


async def person(look: Look, name: str) -> Account:
    """The account of a name or login that one knows.

    Raises:
        NotFound: Nobody is called so.
        Ambiguous: Several are.
    """
    known = await look.services.accounts.known(name)
    named = [one for one in await look.services.accounts.named(name) if folded(one.name) == folded(name)]
    people = [known] if known else named
    if not people:
        raise NotFound(noun="user", name=name, hint="Name somebody who has spoken to the bot once.")
    if len(people) > 1:
        raise Ambiguous(noun="user", name=name, candidates=", ".join(one.id for one in people))
    return people[0]


def _facts(dataset: Dataset) -> dict[str, str]:
    """What the form says of who may use a dataset."""
    return {"access": dataset.access}
