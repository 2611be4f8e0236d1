"""Automatic captions: who would describe how many pictures for how much, and that done."""

from dataclasses import dataclass

from aiohttp import web

from core.domain.caption import CaptionMode
from core.domain.captioner import Captioner
from core.domain.dataset import Dataset
from core.domain.errors import DomainError
from core.domain.job import Job
from core.kinds.captioning import Result
from core.services.captionings import Terms
from web.sandbox.datasets import going_on, mine
from web.sandbox.page import Look, one_of, page


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A captioner with its terms, or why it cannot be asked."""

    captioner: Captioner
    terms: Terms | None = None
    refusal: str = ""


@page("GET", "/datasets/{dataset}/captions/auto")
async def offering(look: Look) -> web.StreamResponse:
    """What each captioner would do, and how the last captioning ended."""
    dataset = await mine(look)
    mode = one_of(CaptionMode, look.query.get("mode") or CaptionMode.IGNORE.value, what="mode")
    last = await _last(look, dataset)
    return look.shown(
        "captions/auto.html",
        dataset=dataset,
        mode=mode,
        modes=CaptionMode,
        offers=[await _offer(look, dataset, one, mode) for one in look.services.captionings.ready()],
        jobs=await going_on(look, dataset.id),
        last=last,
        failures=Result.model_validate(last.result).failures if last and last.result else {},
    )


@page("POST", "/datasets/{dataset}/captions/auto", refused=offering)
async def order(look: Look) -> web.StreamResponse:
    """Have the pictures described."""
    dataset = await mine(look)
    await look.services.captionings.auto(
        look.actor,
        dataset,
        mode=one_of(CaptionMode, look.field("mode"), what="mode"),
        captioner=look.field("captioner"),
        allowed=look.field("allowed") or None,
        place=look.place,
        key=look.key,
    )
    look.leads(f"/datasets/{dataset.id}/captions", said="The pictures are being described.")


@page("POST", "/datasets/{dataset}/captions/auto/{job}/retry", refused=offering)
async def retry(look: Look) -> web.StreamResponse:
    """Have those pictures described that failed, and no other."""
    await look.services.captionings.retry(look.actor, look.path("job"), place=look.place, key=look.key)
    look.leads(f"/datasets/{look.path('dataset')}/captions", said="Those that failed are being described again.")


@page("POST", "/datasets/{dataset}/captions/forbid", refused=offering)
async def forbid(look: Look) -> web.StreamResponse:
    """Let a third party see the pictures no more."""
    dataset = await look.services.captionings.forbid(look.actor, await mine(look), look.field("host"))
    look.leads(f"/datasets/{dataset.id}/captions/auto", said=f"Nothing is sent to {look.field('host')} any more.")


async def _offer(look: Look, dataset: Dataset, captioner: Captioner, mode: CaptionMode) -> Offer:
    try:
        terms = await look.services.captionings.terms(look.actor, dataset, mode=mode, captioner=captioner.name)
    except DomainError as error:
        return Offer(captioner=captioner, refusal=str(error))
    return Offer(captioner=captioner, terms=terms)


async def _last(look: Look, dataset: Dataset) -> Job | None:
    """The latest captioning that has ended, among the latest jobs."""
    jobs = await look.services.jobs.list(look.actor)
    about = (job for job in jobs if job.kind == "captioning" and job.subject == dataset.id)
    return next((job for job in about if job.state.ended), None)
