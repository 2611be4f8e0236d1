"""The deliverer: goes its rounds over what is due on one platform, for ever, a lane for each chat."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from itertools import zip_longest

import structlog

from bots.chat.dispatcher import Dispatcher
from bots.delivery.courier import Courier
from bots.delivery.messenger import Messenger
from bots.delivery.notifying import notified
from bots.delivery.updating import updated
from core.domain.errors import Unavailable
from core.domain.notice import Card, Notice
from core.services import Services
from core.services.rounds import Rounds

CHATS = 16  # that are served at a time
FAREWELL = 10.0  # seconds for what is being brought when it has to stop

log = structlog.get_logger()


async def delivering(
    messenger: Messenger, *, services: Services, dispatcher: Dispatcher, stop: asyncio.Event, poll: float
) -> None:
    """Bring notices and cards every so many seconds until `stop` is set; what goes wrong on the way is survived."""
    courier = Courier(messenger=messenger, services=services, dispatcher=dispatcher)
    await rounds(courier).go(stop=stop, poll=poll)


def rounds(courier: Courier) -> Rounds[Notice | Card]:
    """A lane for each chat."""
    return Rounds(due=partial(_due, courier), bring=partial(_bring, courier), most=CHATS, farewell=FAREWELL)


async def _due(courier: Courier, apart_from: Collection[str]) -> Mapping[str, Sequence[Notice | Card]] | None:
    """What is due by chat: in each notices first, so that a last word is there before its card ends.

    The chats take turns, so that news for many leave room for cards.
    """
    platform, deliveries = courier.messenger.platform, courier.deliveries
    try:
        notices = await deliveries.pending(platform, apart_from=apart_from)
        cards = await deliveries.due(platform, apart_from=apart_from)
    except Unavailable as error:
        log.warning("delivery.waits", why=str(error))
        return None
    except Exception:
        log.exception("delivery.broke")
        return None
    turns = (thing for pair in zip_longest(notices, cards) for thing in pair if thing)
    due: dict[str, list[Notice | Card]] = {thing.place.chat: [] for thing in turns}
    things: list[Notice | Card] = [*notices, *cards]
    for thing in things:
        due[thing.place.chat].append(thing)
    return due


async def _bring(courier: Courier, thing: Notice | Card) -> None:
    """Bring one thing; what breaks stays claimed for a while, and is tried again after that."""
    try:
        match thing:
            case Card():
                await updated(courier, thing)
            case Notice():
                settled = await notified(courier, thing)
                if settled and thing.final and (card := await _card(courier, thing)):
                    await updated(courier, card)
    except Unavailable as error:
        log.warning("delivery.waits", why=str(error))
    except Exception:
        log.exception("delivery.broke", thing=thing.id)


async def _card(courier: Courier, last: Notice) -> Card | None:
    card = await courier.deliveries.card(last.job or "", last.place)
    return card if card and not card.closed else None
