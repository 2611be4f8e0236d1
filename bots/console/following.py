"""Following a job to its end: its card whenever it changes, its notices taken as delivered when it is over."""

import asyncio
from collections.abc import Callable

from bots.cards import card
from bots.chat.reply import Reply
from bots.console.speaking import Speaker
from core.domain.errors import NoWorker
from core.domain.job import Job, JobState

POLL = 0.3  # seconds
GRACE = 5.0  # seconds in which a worker that was just started has to be heard of


async def followed(
    speaker: Speaker, job: str, *, show: Callable[[Reply], None] = lambda _: None, grace: float = GRACE
) -> Reply:
    """The final card of a job; `show` is given every card on the way that differs from the one before.

    A job that somebody cancels meanwhile ends with the code `cancelled`.

    Raises:
        NotFound: There is no such job for this actor.
        NoWorker: Nobody is there to do it, for longer than the grace.
    """
    clock = asyncio.get_running_loop().time
    call, shown, helpless_since = speaker.call(), None, clock()
    first = current = await speaker.services.jobs.view(speaker.actor, job)
    while not current.state.ended:
        if (reply := await card(call, job)) != shown:
            show(reply)
            shown = reply
        if not await _helpless(speaker, current):
            helpless_since = clock()
        elif clock() - helpless_since > grace:
            raise NoWorker(job=job, kind=current.kind)
        await asyncio.sleep(POLL)
        current = await speaker.services.jobs.view(speaker.actor, job)
    final = await speaker.dispatcher.kept(call, await card(call, job))
    await delivered(speaker, final)
    if current.state is JobState.CANCELLED and not first.state.ended:
        return final.but(code="cancelled", unavailable=True)
    return final


async def delivered(speaker: Speaker, final: Reply) -> None:
    """Mark the notices of a final card's job for this place as delivered, and the card as closed."""
    deliveries = speaker.services.deliveries
    for notice in await deliveries.pending(speaker.place.platform, chat=speaker.place.chat):
        if notice.job == final.job and notice.place == speaker.place and await deliveries.take(notice):
            await deliveries.delivered(notice)
    await closed(speaker, final)


async def closed(speaker: Speaker, final: Reply) -> None:
    """Mark a final card as what this place says of its job for good."""
    deliveries = speaker.services.deliveries
    for known in await deliveries.cards(speaker.place):
        if known.job == final.job:
            await deliveries.close(known)


async def _helpless(speaker: Speaker, job: Job) -> bool:
    """Whether nobody will do it: it waits, or its lease ran out, and no live worker takes its kind."""
    if job.state is JobState.RUNNING and job.lease_until and job.lease_until > speaker.services.jobs.clock.now():
        return False
    return not (await speaker.services.jobs.why(speaker.actor, job.id)).workers
