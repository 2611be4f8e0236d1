"""The deliverer: goes its rounds over what is due on one platform, for ever, a task for each chat."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice, zip_longest

import structlog

from bots.chat.dispatcher import Dispatcher
from bots.delivery.courier import Courier
from bots.delivery.messenger import Messenger
from bots.delivery.notifying import notified
from bots.delivery.updating import updated
from core.domain.errors import Unavailable
from core.domain.notice import Card, Notice
from core.services import Services

CHATS = 16  # that are served at a time
LONGEST = 30.0  # seconds between two rounds while the database is away
FAREWELL = 10.0  # seconds for what is being brought when it has to stop

log = structlog.get_logger()


async def delivering(
    messenger: Messenger, *, services: Services, dispatcher: Dispatcher, stop: asyncio.Event, poll: float = 1.0
) -> None:
    """Bring notices and cards until `stop` is set; whatever goes wrong on the way is survived."""
    deliverer = Deliverer(Courier(messenger=messenger, services=services, dispatcher=dispatcher))
    pause = poll
    try:
        while not stop.is_set():
            pause = poll if await deliverer.begin() else min(2 * pause, LONGEST)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
    finally:
        await deliverer.leave()


class Deliverer:
    """Brings what is due. A chat is served by one task at a time, in order, so that a slow one holds up no other."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._busy: dict[str, asyncio.Task[None]] = {}

    async def once(self) -> None:
        """One round: bring everything that is due now."""
        await self.begin()
        await self._served()

    async def begin(self) -> bool:
        """Begin with what is due in chats where nothing is being brought; False when it cannot be known."""
        try:
            due = await self._due()
        except Unavailable as error:
            log.warning("delivery.waits", why=str(error))
            return False
        except Exception:
            log.exception("delivery.broke")
            return False
        for chat, things in islice(due.items(), CHATS - len(self._busy)):
            self._busy[chat] = asyncio.create_task(self._serve(chat, things))
        return True

    async def leave(self) -> None:
        """Finish what is being brought, if that does not take long: what was posted is to be written down."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await self._served()
        for task in self._busy.values():
            task.cancel()
        await self._served()

    async def _served(self) -> None:
        if self._busy:
            await asyncio.wait(list(self._busy.values()))

    async def _due(self) -> dict[str, list[Notice | Card]]:
        """What is due by chat: in each notices first, so that a last word is there before its card ends.

        The chats take turns, so that news for many leave room for cards.
        """
        platform, deliveries = self._courier.messenger.platform, self._courier.deliveries
        notices = await deliveries.pending(platform, apart_from=self._busy)
        cards = await deliveries.due(platform, apart_from=self._busy)
        turns = (thing for pair in zip_longest(notices, cards) for thing in pair if thing)
        due: dict[str, list[Notice | Card]] = {thing.place.chat: [] for thing in turns}
        things: list[Notice | Card] = [*notices, *cards]
        for thing in things:
            due[thing.place.chat].append(thing)
        return due

    async def _serve(self, chat: str, things: Sequence[Notice | Card]) -> None:
        try:
            for thing in things:
                await self._bring(thing)
        finally:
            del self._busy[chat]

    async def _bring(self, thing: Notice | Card) -> None:
        """Bring one thing; what breaks stays claimed for a while, and is tried again after that."""
        try:
            match thing:
                case Card():
                    await updated(self._courier, thing)
                case Notice():
                    settled = await notified(self._courier, thing)
                    if settled and thing.final and (card := await self._card(thing)):
                        await updated(self._courier, card)
        except Unavailable as error:
            log.warning("delivery.waits", why=str(error))
        except Exception:
            log.exception("delivery.broke", thing=thing.id)

    async def _card(self, last: Notice) -> Card | None:
        card = await self._courier.deliveries.card(last.job or "", last.place)
        return card if card and not card.closed else None
