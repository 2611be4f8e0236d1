"""Consent: the words that an owner attests to, and taking it back."""

from aiohttp import web

from core.domain.consent import RIGHTS, WORDS
from core.domain.item import Item
from web.sandbox.datasets import mine
from web.sandbox.page import Look, page


@page("GET", "/datasets/{dataset}/consent")
async def view(look: Look) -> web.StreamResponse:
    """How it stands with a dataset, and what was made of it."""
    dataset = await mine(look)
    consent = await look.services.consents.view(look.actor, dataset.id)
    return look.shown("datasets/consent.html", dataset=dataset, consent=consent, words=WORDS[RIGHTS], version=RIGHTS)


@page("POST", "/datasets/{dataset}/consent", refused=view)
async def attest(look: Look) -> web.StreamResponse:
    """Attest to the words that were shown, for all of it or for one picture."""
    words, name, picture = look.field("words"), look.path("dataset"), await _picture(look)
    await look.services.consents.attest(look.actor, name, picture, words=words, key=look.key)
    look.leads(_back(name, picture), said="You have attested to it.")


@page("POST", "/datasets/{dataset}/consent/withdraw", refused=view)
async def withdraw(look: Look) -> web.StreamResponse:
    """Take the consent back, for all of it or for one picture."""
    name, picture = look.path("dataset"), await _picture(look)
    made = await look.services.consents.withdraw(look.actor, name, picture, key=look.key)
    said = f"The consent is withdrawn. Made of it: {len(made)}; nobody can use that any more."
    look.leads(_back(name, picture), said=said)


async def _picture(look: Look) -> Item | None:
    named = look.field("picture")
    return await look.services.items.view(look.actor, look.path("dataset"), named) if named else None


def _back(dataset: str, picture: Item | None) -> str:
    return f"/datasets/{dataset}/captions/{picture.id}" if picture else f"/datasets/{dataset}/consent"
