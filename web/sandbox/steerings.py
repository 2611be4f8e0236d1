"""Steerings: what owners wish of their jobs: an end, samples, a copy, more steps, all of it once more."""

from urllib.parse import urlencode

from aiohttp import web

from core.domain.errors import BadValue
from core.domain.job import Job
from core.domain.steering import Steer
from web.sandbox.jobs import view
from web.sandbox.page import Look, one_of, page

ON_THE_WAY = {Steer.SAMPLE, Steer.SAVE}  # wishes that change neither the price nor the end


@page("POST", "/jobs/{job}/cancel", refused=view)
async def cancel(look: Look) -> web.StreamResponse:
    """End a job that is no longer wanted."""
    job = await look.services.jobs.cancel(look.actor, look.path("job"))
    said = "What was set aside is back in your wallet." if job.price else "Nothing was set aside for it."
    look.leads(f"/jobs/{job.id}", said=f"«{job.title}» is cancelled. {said}")


@page("POST", "/jobs/{job}/wish", refused=view)
async def wish(look: Look) -> web.StreamResponse:
    """Ask a running training for samples, or for a copy of the model as it is."""
    what = one_of(Steer, look.field("what"), what="wish")
    if what not in ON_THE_WAY:
        raise BadValue(what="wish", value=what, why="that has a price, which is shown first")
    job = await look.services.steerings.wish(look.actor, look.path("job"), what, key=f"{look.key}:{what}")
    look.leads(f"/jobs/{job.id}")


@page("GET", "/jobs/{job}/stop")
async def stopping(look: Look) -> web.StreamResponse:
    """What an early end would mean, for the model and for the price."""
    number = look.number("epoch")
    ending = await look.services.steerings.ending(look.actor, look.path("job"), number=number)
    return look.shown("jobs/stop.html", ending=ending, number=number)


@page("POST", "/jobs/{job}/stop", refused=view)
async def stop(look: Look) -> web.StreamResponse:
    """End a training early and keep what it has learned."""
    number = look.number("epoch")
    job = await look.services.steerings.wish(look.actor, look.path("job"), Steer.STOP, key=look.key, number=number)
    look.leads(f"/jobs/{job.id}")


@page("GET", "/jobs/{job}/extend")
async def extending(look: Look) -> web.StreamResponse:
    """What so many steps more would cost."""
    steps = look.number("steps") or 0
    return look.shown(
        "jobs/extend.html", more=await look.services.steerings.extension(look.actor, look.path("job"), steps)
    )


@page("POST", "/jobs/{job}/extend", refused=view)
async def extend(look: Look) -> web.StreamResponse:
    """Let a training go on for more steps, at the price that was shown."""
    steps, price = look.number("steps") or 0, look.number("price") or 0
    job = await look.services.steerings.extend(look.actor, look.path("job"), steps, price=price, key=look.key)
    look.leads(f"/jobs/{job.id}", said=f"It goes on for {steps} steps more.")


@page("POST", "/jobs/{job}/retry", refused=view)
async def retry(look: Look) -> web.StreamResponse:
    """Train the same once more: at no charge where the house has failed it, else at a new price."""
    found = await look.services.retries.retry(look.actor, look.path("job"), place=look.place)
    if isinstance(found, Job):
        look.leads(f"/jobs/{found.id}", said="It is trained once more, at no charge.")
    given = {"dataset": found.dataset, "offering": found.offering, "preset": found.preset, **found.settings}
    look.leads(f"/train?{urlencode(given)}", said="Here is what you ordered, at the price of now.")
