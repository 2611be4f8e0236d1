"""Notices: telling one, exactly once, in its place or, where nobody can be told there, in the person's own chat."""

import structlog

from bots.cards.notices import told
from bots.chat.reply import Reply
from bots.delivery.courier import Courier, recorded
from bots.delivery.messenger import TryLater, Undeliverable
from core.domain.account import Actor, Telling
from core.domain.errors import Missing, Unavailable
from core.domain.notice import Notice

log = structlog.get_logger()


async def notified(courier: Courier, notice: Notice) -> bool:
    """Tell a notice, unless another front end does; return whether it is settled. What fails is tried again later."""
    deliveries = courier.deliveries
    if not await deliveries.take(notice):
        return False
    try:
        actor = await courier.services.accounts.actor(notice.account)
        if not (notice.final and actor.notify.telling is Telling.QUIET):
            await _told(courier, notice, actor)
    except (Undeliverable, Missing) as error:
        log.info("notice.undeliverable", notice=notice.id, why=str(error))
        await deliveries.undeliverable(notice)
    except TryLater as pause:
        await deliveries.postpone(notice, pause.seconds)
        return False
    except Unavailable:
        raise
    except Exception:
        log.exception("notice.broke", notice=notice.id)
        await deliveries.failed(notice)
        return False
    else:
        await recorded(lambda: deliveries.delivered(notice))
    return True


async def _told(courier: Courier, notice: Notice, actor: Actor) -> None:
    place, platform = notice.place, notice.place.platform
    reply = await told(courier.call(actor, place), notice)
    mention = None if place.private else await courier.deliveries.identity(actor.account, platform)
    try:
        await courier.post(actor, place, reply, key=notice.id, mention=mention)
    except Undeliverable:
        private = await courier.deliveries.private(actor.account, platform)
        if place.private or private is None or (notice.job and await courier.deliveries.card(notice.job, private)):
            raise
        await courier.post(actor, private, _bare(reply, job=notice.job), key=notice.id)


def _bare(reply: Reply, *, job: str | None) -> Reply:
    """A reply for a place of other privacy than it was meant for."""
    if not (reply.pictures or reply.files):
        return reply
    words = f"Pictures and files are left out here: `train view {job}`."
    return reply.but(lines=(*reply.lines, words), pictures=(), files=(), link=None)
