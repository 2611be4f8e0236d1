"""Captionings: having pictures described, by whom, and on which terms."""

from http import HTTPStatus

from core.domain.caption import CaptionMode
from core.domain.captioner import Captioner
from core.domain.errors import (
    ConsentWithdrawn,
    DatasetEmpty,
    KeyReused,
    NotEnoughPoints,
    NothingToDo,
    ProviderNotAllowed,
    QueueFull,
    Suspended,
)
from core.domain.token import Scope
from web.api.jobs import JobOut, job_out
from web.api.route import Body, Listed, Out, Query, route
from web.visiting import Asked

UNSENT = (DatasetEmpty, NothingToDo, ProviderNotAllowed, ConsentWithdrawn, Suspended)
ORDERED = (*UNSENT, NotEnoughPoints, KeyReused, QueueFull)


class CaptionerOut(Out):
    """Somebody who describes pictures, at a price each; `host` is the third party that they are sent to, if any."""

    name: str
    title: str
    host: str | None
    adult: bool
    price: int


class TermsOut(Out):
    """Who would describe how many pictures for how much; unless `allowed`, it takes your word that they may be sent."""

    captioner: CaptionerOut
    count: int
    price: int
    allowed: bool


class Wished(Query):
    """Which pictures, and by whom: unless named, the one that the house has chosen."""

    mode: CaptionMode = CaptionMode.IGNORE
    captioner: str | None = None


class CaptioningIn(Body):
    """The same, with the `host` of the terms where you allow that the pictures are sent there, from now on."""

    mode: CaptionMode = CaptionMode.IGNORE
    captioner: str | None = None
    allowed: str | None = None


@route("GET", "/captioners")
async def list_(asked: Asked) -> Listed[CaptionerOut]:
    """List who can describe pictures here, the one that the house has chosen first."""
    return Listed(items=tuple(map(_captioner, asked.services.captionings.ready())))


@route("GET", "/datasets/{dataset}/captions/terms", errors=UNSENT)
async def terms(asked: Asked, dataset: str, query: Wished) -> TermsOut:
    """Show what it takes to have pictures described; nothing is ordered."""
    found = await asked.services.datasets.seen(asked.actor, dataset)
    told = await asked.services.captionings.terms(asked.actor, found, mode=query.mode, captioner=query.captioner)
    return TermsOut(captioner=_captioner(told.captioner), count=told.count, price=told.price, allowed=told.allowed)


@route(
    "POST",
    "/datasets/{dataset}/captions/auto",
    status=HTTPStatus.ACCEPTED,
    scope=Scope.SPEND,
    idempotent=True,
    location="/jobs/{id}",
    errors=ORDERED,
)
async def auto(asked: Asked, dataset: str, body: CaptioningIn) -> JobOut:
    """Have pictures described, on the terms that were shown; what is not described is not paid."""
    found = await asked.services.datasets.seen(asked.actor, dataset)
    job = await asked.services.captionings.auto(asked.actor, found, **dict(body), place=asked.place, key=asked.key)
    return job_out(job)


@route(
    "POST",
    "/captionings/{job}/retry",
    status=HTTPStatus.ACCEPTED,
    scope=Scope.SPEND,
    idempotent=True,
    location="/jobs/{id}",
    errors=ORDERED,
)
async def retry(asked: Asked, job: str) -> JobOut:
    """Have those pictures described that a captioning failed on, and no other."""
    return job_out(await asked.services.captionings.retry(asked.actor, job, place=asked.place, key=asked.key))


@route("DELETE", "/datasets/{dataset}/providers/{provider}")
async def forbid(asked: Asked, dataset: str, provider: str) -> None:
    """Let a third party no longer see the pictures of a dataset."""
    found = await asked.services.datasets.seen(asked.actor, dataset)
    await asked.services.captionings.forbid(asked.actor, found, provider)


def _captioner(captioner: Captioner) -> CaptionerOut:
    return CaptionerOut(**{name: getattr(captioner, name) for name in CaptionerOut.model_fields})
