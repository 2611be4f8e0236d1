"""The courier: who brings replies to the people of one platform, with buttons that last and patience that ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bots.chat.dispatcher import Dispatcher
from bots.chat.parameter import Call
from bots.chat.reply import Reply
from bots.delivery.messenger import Messenger, TryLater
from core.domain.account import Actor, Place
from core.domain.errors import Unavailable
from core.domain.notice import DELIVERY
from core.services import Services
from core.services.deliveries import Deliveries

PATIENCE = DELIVERY.total_seconds() - 10  # for one message: it ends before another front end may try
AGAIN = 0.2  # seconds between tries to reach a database that is away


@dataclass(frozen=True, kw_only=True)
class Courier:
    """What it takes to tell somebody something."""

    messenger: Messenger
    services: Services
    dispatcher: Dispatcher

    @property
    def deliveries(self) -> Deliveries:
        """What is to be brought."""
        return self.services.deliveries

    def call(self, actor: Actor, place: Place) -> Call:
        """The use of a command that a drawing looks like."""
        return Call(actor=actor, place=place, services=self.services, key="", at=place)

    async def post(self, actor: Actor, place: Place, reply: Reply, *, key: str, mention: str | None = None) -> str:
        """Post a reply whose buttons are this actor's, and return the message.

        Raises:
            Undeliverable, TryLater: As the messenger says.
        """
        kept, now = await self._ready(actor, place, reply)
        async with _patience():
            return await self.messenger.post(now, kept, key=key, mention=mention)

    async def edit(self, actor: Actor, place: Place, message: str, reply: Reply) -> None:
        """Let a message say this reply, whose buttons are this actor's.

        Raises:
            MessageGone, Undeliverable, TryLater: As the messenger says.
        """
        kept, now = await self._ready(actor, place, reply)
        async with _patience():
            await self.messenger.edit(now, message, kept)

    async def _ready(self, actor: Actor, place: Place, reply: Reply) -> tuple[Reply, Place]:
        """A reply whose buttons can be pressed, and the place as its admins want it by now."""
        kept = await self.dispatcher.kept(self.call(actor, place), reply)
        return kept, await self.services.communities.rated(place)


async def recorded(write: Callable[[], Awaitable[None]]) -> None:
    """Write down what was posted, however long the database is away: else it would be posted once more."""
    while True:
        try:
            return await write()
        except Unavailable:
            await asyncio.sleep(AGAIN)


@asynccontextmanager
async def _patience() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    except TimeoutError as error:
        raise TryLater(0) from error
