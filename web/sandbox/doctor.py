"""The doctor: what he found, and what mends it at one tap; what drops pictures is shown before."""

from aiohttp import web

from core.domain.creation import Step
from core.domain.doctor import FIXES, Fix
from core.domain.finding import Severity
from core.domain.job import Job
from web.sandbox.creator import steps
from web.sandbox.datasets import going_on, mine
from web.sandbox.page import Look, one_of, page

LABELS = {
    Fix.DROP_EXACT: "Drop the copies",
    Fix.DROP_NEAR: "Drop look-alikes",
    Fix.KEEP_NEAR: "Keep look-alikes",
    Fix.RESIZE: "Scale them down",
    Fix.COMPOSE: "Say trigger and traits",
    Fix.ROLES: "Put roles in order",
    Fix.WITHOUT_BAD_LINES: "Go on without them",
}
DROPPING = frozenset({Fix.DROP_EXACT, Fix.DROP_NEAR})


@page("GET", "/datasets/{dataset}/doctor")
async def findings(look: Look) -> web.StreamResponse:
    """What was found, what mends it, and what is being done."""
    dataset = await mine(look)
    return look.shown(
        "doctor/findings.html",
        dataset=dataset,
        fixes=FIXES,
        labels=LABELS,
        dropping=DROPPING,
        blocking=Severity.ERROR,
        jobs=await going_on(look, dataset.id),
        **steps(Step.CHECK, dataset),
    )


@page("POST", "/datasets/{dataset}/doctor", refused=findings)
async def check(look: Look) -> web.StreamResponse:
    """Let the doctor read everything again."""
    dataset = await mine(look)
    await look.services.datasets.check(look.actor, dataset, place=look.place, key=look.key)
    look.leads(f"/datasets/{dataset.id}/doctor", said="The doctor looks.")


@page("GET", "/datasets/{dataset}/doctor/{fix}")
async def previewing(look: Look) -> web.StreamResponse:
    """Which pictures a fix would drop."""
    dataset, fix = await mine(look), one_of(Fix, look.path("fix"), what="fix")
    gone = await look.services.mendings.preview(look.actor, dataset, fix)
    if not gone:
        look.leads(f"/datasets/{dataset.id}/doctor")
    return look.shown("doctor/preview.html", dataset=dataset, fix=fix, label=LABELS[fix], gone=gone)


@page("POST", "/datasets/{dataset}/doctor/{fix}", refused=findings)
async def mend(look: Look) -> web.StreamResponse:
    """Mend it."""
    dataset, fix = await mine(look), one_of(Fix, look.path("fix"), what="fix")
    mended = await look.services.mendings.mend(look.actor, dataset, fix, place=look.place, key=look.key)
    said = "It is being mended." if isinstance(mended, Job) else "It is mended."
    look.leads(f"/datasets/{dataset.id}/doctor", said=said)
