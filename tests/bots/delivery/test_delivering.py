"""The loop around the rounds: it lives through what happens, and leaves in order."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bots.delivery.delivering import CHATS, delivering
from bots.delivery.messenger import HandMessenger
from core.domain.errors import DatabaseUnavailable
from core.domain.notice import Notice, NoticeState, Topic
from core.ports.clock import HandClock
from core.services import Services
from core.services.deliveries import Deliveries
from loraguild.composition import House
from tests.builders.attempts import PATIENCE, awaited
from tests.builders.chats import a_dispatcher
from tests.builders.deliveries import DM, a_deliverer, a_job_at, a_member, round_later
from tests.builders.entities import a_notice

AWAY = DatabaseUnavailable(why="gone")


@dataclass(frozen=True, kw_only=True)
class Shaky(Deliveries):
    """Deliveries that fail at looking, or at marking, as long as there is something to fail with."""

    looking: list[Exception] = field(default_factory=list)
    marking: list[Exception] = field(default_factory=list)

    async def pending(self, *platform: Any, **which: Any) -> Sequence[Notice]:
        if self.looking:
            raise self.looking.pop()
        return await super().pending(*platform, **which)

    async def delivered(self, notice: Notice) -> None:
        if self.marking:
            raise self.marking.pop()
        await super().delivered(notice)


def over(house: House, **failures: list[Exception]) -> Services:
    known = house.services.deliveries
    return replace(house.services, deliveries=Shaky(store=known.store, clock=known.clock, **failures))


async def some_news(house: House) -> Notice:
    ann = await a_member(house)
    notice = a_notice(account=ann.account, place=DM, topic=Topic.BROADCAST, details={"text": "Hear ye."})
    await house.store.notices.add(notice)
    return notice


async def test_news_for_many_leave_room_for_cards(house: House, clock: HandClock) -> None:
    ann, chat = await a_member(house), HandMessenger()
    for number in range(2 * CHATS):
        elsewhere = a_notice(id=str(number), account=ann.account, place=DM.but(chat=str(number)), topic=Topic.BROADCAST)
        await house.store.notices.add(elsewhere.but(details={"text": "Hear ye."}))
    job = await a_job_at(house, ann, DM)

    await round_later(a_deliverer(house, chat), clock)

    assert [said.reply.title for said in chat.seen(DM)] == [f"{job.title} · waiting"]
    assert len(chat.messages) == CHATS


async def told(house: House, notice: Notice) -> bool:
    return (await house.store.notices.get(notice.id)).state is NoticeState.DELIVERED


@pytest.mark.parametrize("failure", [AWAY, ZeroDivisionError()])
async def test_it_survives_what_goes_wrong_and_leaves_when_told_to(house: House, failure: Exception) -> None:
    notice, chat, stop = await some_news(house), HandMessenger(), asyncio.Event()
    services = over(house, looking=[failure, failure])
    loop = asyncio.create_task(delivering(chat, services=services, dispatcher=a_dispatcher(), stop=stop, poll=0.01))

    await awaited(lambda: told(house, notice))
    stop.set()
    await asyncio.wait_for(loop, PATIENCE)

    assert len(chat.seen(DM)) == 1


async def test_what_is_being_brought_is_written_down_before_it_leaves(house: House) -> None:
    notice, chat, stop = await some_news(house), HandMessenger(), asyncio.Event()
    chat.held = {DM.chat: asyncio.Event()}
    loop = asyncio.create_task(
        delivering(chat, services=house.services, dispatcher=a_dispatcher(), stop=stop, poll=0.01)
    )

    async def asked() -> bool:
        return chat.most[DM.chat] == 1

    await awaited(asked)
    stop.set()
    await asyncio.sleep(0.05)
    chat.held[DM.chat].set()
    await asyncio.wait_for(loop, PATIENCE)

    assert await told(house, notice)


async def test_a_mark_waits_for_a_database_that_is_away(house: House) -> None:
    notice, chat = await some_news(house), HandMessenger(forgetful=True)
    shaky = replace(house, services=over(house, marking=[AWAY]))

    await a_deliverer(shaky, chat).once()
    await a_deliverer(house, chat).once()

    assert (await told(house, notice), len(chat.seen(DM))) == (True, 1)
