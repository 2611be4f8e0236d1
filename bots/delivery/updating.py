"""Cards: bringing one up to date, at the pace that platforms allow, until its job has ended."""

import hashlib
from contextlib import suppress

import structlog

from bots.cards import continued, drawn, parting
from bots.chat.reply import Reply
from bots.delivery.courier import Courier, recorded
from bots.delivery.messenger import MessageGone, TryLater, Undeliverable
from core.domain.account import Actor, Telling
from core.domain.errors import Missing
from core.domain.job import Job
from core.domain.notice import Card

log = structlog.get_logger()


async def updated(courier: Courier, card: Card) -> None:
    """Let a card say how its job stands, unless another front end is at it; whatever goes wrong waits, or ends it."""
    claimed = await courier.deliveries.claim(card)
    if claimed is None:
        return
    try:
        actor = await courier.services.accounts.actor(claimed.account)
        job = await courier.services.jobs.view(actor, claimed.job)
        await _brought(courier, claimed, actor, job)
    except TryLater as pause:
        await courier.deliveries.rest(claimed, pause.seconds)
    except Missing as error:
        log.info("card.moot", card=claimed.id, why=str(error))
        await courier.deliveries.close(claimed)


async def _brought(courier: Courier, card: Card, actor: Actor, job: Job) -> None:
    if job.state.ended and await courier.deliveries.owes_last_word(card, job):
        await courier.deliveries.rest(card)  # it says «below»: whoever brings the last word ends the card after it
        return
    if job.state.ended or actor.notify.telling is not Telling.LIVE:
        await _parted(courier, card, actor, job)
        return
    reply = await drawn(courier.call(actor, card.place), job)
    digest = looks(reply)
    if digest == card.shown:
        await courier.deliveries.rest(card)
        return
    try:
        message = await _placed(courier, card, actor, job, reply)
    except Undeliverable:
        await _elsewhere(courier, card, actor)
    else:
        await recorded(lambda: courier.deliveries.shown(card, digest, message=message))


def looks(reply: Reply) -> str:
    """A name for what is to be seen of a reply whose buttons have no tokens yet: the same for what looks the same."""
    return hashlib.sha256(reply.model_dump_json().encode()).hexdigest()


async def _placed(courier: Courier, card: Card, actor: Actor, job: Job, reply: Reply) -> str:
    """Edit the card's message, or post one where there is none that can well be edited; return which it is."""
    if card.message:
        old = card.old(now=courier.deliveries.clock.now())
        with suppress(MessageGone):
            await courier.edit(actor, card.place, card.message, continued(job) if old else reply)
            if not old:
                return card.message
    return await courier.post(actor, card.place, reply, key=f"{card.id}:{card.message or ''}")


async def _parted(courier: Courier, card: Card, actor: Actor, job: Job) -> None:
    if card.message:
        with suppress(MessageGone, Undeliverable):
            await courier.edit(actor, card.place, card.message, parting(job))
    await courier.deliveries.close(card)


async def _elsewhere(courier: Courier, card: Card, actor: Actor) -> None:
    """Where nobody can be told, the card ends; one in a community goes on in the person's own chat."""
    log.info("card.undeliverable", card=card.id)
    await courier.deliveries.close(card)
    private = await courier.deliveries.private(actor.account, card.place.platform)
    if private and not card.place.private:
        await courier.deliveries.mirror(actor, card.job, private)
