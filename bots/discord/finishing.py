"""Questions that nobody answered: what came with them is run all the same, and who sent it is told in private."""

import asyncio
from contextlib import suppress

import structlog

from bots.chat.parameter import Call
from bots.delivery.messenger import TryLater, Undeliverable
from bots.discord.collecting import gone_on
from bots.discord.host import Answer, Host
from bots.discord.messenger import DiscordMessenger
from core.domain.account import Platform
from core.domain.draft import Draft

POLL = 60.0  # seconds

log = structlog.get_logger()


async def finishing(host: Host, *, stop: asyncio.Event) -> None:
    """Finish overdue drafts now and then, until `stop` is set."""
    while not stop.is_set():
        await host.attend(finished(host))
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), POLL)


async def finished(host: Host) -> None:
    """Finish what is overdue. Another replica may do the same: the run has one key, and so has the message."""
    for draft in await host.services.drafts.expired(Platform.DISCORD):
        if draft.received:
            await _ended(host, draft)
        else:
            await host.services.drafts.close(draft)


async def _ended(host: Host, draft: Draft) -> None:
    actor = await host.services.accounts.actor(draft.account)
    private = await host.services.deliveries.private(draft.account, Platform.DISCORD) or draft.place
    call = Call(actor=actor, place=draft.place, services=host.services, key=draft.id, private=private)

    async def run() -> Answer:
        return await gone_on(host, call, await host.asking.done(call, draft), whole=True)

    answer = await host.worded(run())
    try:
        await DiscordMessenger(host=host).post(private, answer, key=f"draft:{draft.id}")
    except (TryLater, Undeliverable) as error:
        log.info("discord.unanswered", why=str(error))  # the run stands, and its card follows by delivery
