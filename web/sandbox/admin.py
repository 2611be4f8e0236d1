"""The controls of the house: the queue and its pauses, what is on offer, costs, news for everyone, and who did what."""

import asyncio

from aiohttp import web

from core.domain.account import Role
from core.domain.job import JobState, Priority
from core.domain.switch import QUEUE
from web.api.admin import offer_of, switch_of
from web.sandbox.page import Look, one_of, page
from web.wording import counted

SHOWN = 50  # acts on a page


@page("GET", "/admin", role=Role.MODERATOR)
async def view(look: Look) -> web.StreamResponse:
    """What waits and runs, why it waits, and what is paused; moderators go on to what they decide."""
    if not look.actor.role.covers(Role.ADMIN):
        look.leads("/admin/moderation")
    services, actor = look.services, look.actor
    queue, lines, census = await asyncio.gather(
        services.operations.queue(actor), services.operations.lines(actor), services.censuses.census()
    )
    alive = [worker for worker in census.workers if worker.live(now=census.at)]
    names = (*services.jobs.kinds, *services.trainings.offerings)
    return look.shown(
        "admin/view.html",
        queue=queue,
        lines=lines,
        alive=len(alive),
        backlog=sum(census.backlog.values()),
        switches={name: switch_of(services, name) not in queue.pauses for name in names},
        priorities=Priority,
        states=JobState,
    )


@page("POST", "/admin/pauses", role=Role.ADMIN, refused=view)
async def turn(look: Look) -> web.StreamResponse:
    """Pause the queue, a kind or an offering, or let it go on."""
    what, on = look.field("what"), look.field("on") == "yes"
    await look.services.operations.turn(look.actor, switch_of(look.services, what), on=on)
    called = "The queue" if what == QUEUE else what
    look.leads("/admin", said=f"{called} goes on." if on else f"{called} is paused. What runs goes on.")


@page("POST", "/admin/jobs/{job}/priority", role=Role.ADMIN, refused=view)
async def prioritise(look: Look) -> web.StreamResponse:
    """Give a waiting job another weight."""
    priority = one_of(Priority, look.field("priority"), what="priority")
    changed = await look.services.operations.prioritise(look.actor, look.path("job"), priority)
    look.leads("/admin", said=f"{changed.title} has {changed.priority} priority.")


@page("POST", "/admin/jobs/{job}/requeue", role=Role.ADMIN, refused=view)
async def requeue(look: Look) -> web.StreamResponse:
    """Take a running job from its worker."""
    waiting = await look.services.operations.requeue(look.actor, look.path("job"))
    look.leads("/admin", said=f"{waiting.title} is in the queue again.")


@page("POST", "/admin/jobs/{job}/cancel", role=Role.ADMIN, refused=view)
async def cancel(look: Look) -> web.StreamResponse:
    """End anybody's job."""
    gone = await look.services.jobs.cancel(look.actor, look.path("job"))
    look.leads("/admin", said=f"{gone.title} is cancelled, and what was set aside went back.")


@page("GET", "/admin/offerings", role=Role.ADMIN)
async def offerings(look: Look) -> web.StreamResponse:
    """All that could be on offer."""
    return look.shown("admin/offerings.html", offered=await look.services.trainings.offered())


@page("POST", "/admin/offerings/{offering}", role=Role.ADMIN, refused=offerings)
async def offer(look: Look) -> web.StreamResponse:
    """Put an offering on offer, or take it off."""
    offering, on = look.path("offering"), look.field("on") == "yes"
    await look.services.operations.turn(look.actor, offer_of(look.services, offering), on=on)
    title = look.services.trainings.offerings[offering].title
    look.leads("/admin/offerings", said=f"{title} is {'on' if on else 'off'}.")


@page("GET", "/admin/costs", role=Role.ADMIN)
async def costs(look: Look) -> web.StreamResponse:
    """What devices were busy with, what that cost and brought, and what the house has come to."""
    totals, whole = await asyncio.gather(look.services.costs.lately(look.actor), look.services.censuses.totals())
    return look.shown("admin/costs.html", totals=totals, whole=whole)


@page("GET", "/admin/audit", role=Role.ADMIN)
async def audit(look: Look) -> web.StreamResponse:
    """Who did what."""
    by, after = look.query.get("by", ""), look.query.get("after", "")
    found = await look.services.operations.deeds(look.actor, by=by or None, after=after, limit=SHOWN + 1)
    return look.shown("admin/audit.html", deeds=found[:SHOWN], more=len(found) > SHOWN, by=by, after=after)


@page("GET", "/admin/news", role=Role.ADMIN)
async def news(look: Look) -> web.StreamResponse:
    """Something to say to everyone."""
    return look.shown("admin/news.html", news=None)


@page("POST", "/admin/news", role=Role.ADMIN, refused=news)
async def say(look: Look) -> web.StreamResponse:
    """Show what would be said, and to how many; say it once that was confirmed."""
    text = look.field("text")
    if look.field("confirmed") == "yes":
        people = await look.services.operations.broadcast(look.actor, text, key=look.key)
        look.leads("/admin/news", said=f"{counted(people, 'account')} are being told.")
    return look.shown("admin/news.html", news=await look.services.operations.news(look.actor, text))
