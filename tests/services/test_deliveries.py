"""Notices that one front end delivers, cards that one looks after, and who is told."""

import asyncio
from datetime import timedelta

import pytest

from core.domain.account import Actor, Notify, Place, Platform, Telling
from core.domain.notice import DELIVERY, FIRST, FRESH, PACE, NoticeState
from core.ports.clock import HandClock
from core.services.deliveries import Deliveries
from loraguild.composition import House
from tests.builders.entities import HOME, a_notice
from tests.builders.scenes import a_ready_dataset, an_order, finished, moderating, somebody, uploaded

ELSEWHERE = Place(platform=Platform.TELEGRAM, chat="7")


@pytest.fixture
def deliveries(house: House) -> Deliveries:
    return house.services.deliveries


async def test_of_two_front_ends_one_delivers_a_notice(house: House, deliveries: Deliveries, clock: HandClock) -> None:
    ann = await somebody(house)
    await finished(house, await an_order(house, ann, await a_ready_dataset(house, ann)))
    *earlier, notice = await deliveries.pending(HOME.platform)
    for one in earlier:
        await deliveries.take(one)
        await deliveries.delivered(one)

    taken = await asyncio.gather(*(deliveries.take(notice) for _ in range(4)))
    meanwhile = await deliveries.pending(HOME.platform)
    clock.advance(DELIVERY)
    (dropped,) = await deliveries.pending(HOME.platform)
    again = await deliveries.take(dropped)
    await deliveries.delivered(dropped)
    clock.advance(DELIVERY)

    assert (sum(taken), meanwhile, again) == (1, [], True)
    assert await deliveries.pending(HOME.platform) == []


async def test_notices_are_found_for_one_chat_or_for_all_but_some(house: House, deliveries: Deliveries) -> None:
    for chat in ("a", "b"):
        await house.store.notices.add(a_notice(id=chat, place=HOME.but(chat=chat)))

    found = [
        await deliveries.pending(HOME.platform),
        await deliveries.pending(HOME.platform, chat="a"),
        await deliveries.pending(HOME.platform, apart_from=["a"]),
    ]

    assert [[notice.id for notice in some] for some in found] == [["a", "b"], ["a"], ["b"]]


async def test_what_is_settled_stays_so(house: House, deliveries: Deliveries) -> None:
    notice = a_notice()
    await house.store.notices.add(notice)
    await deliveries.delivered(notice)

    await deliveries.postpone(notice, 5)
    await deliveries.undeliverable(notice)

    assert await house.store.notices.get(notice.id) == notice.but(state=NoticeState.DELIVERED)


async def a_job_of(house: House, actor: Actor) -> str:
    dataset = await house.services.datasets.create(actor, name="zorp", trigger="zorp")
    return (await uploaded(house, actor, dataset, "a.png")).id


async def test_one_front_end_looks_after_a_card_at_a_time(
    house: House, deliveries: Deliveries, clock: HandClock
) -> None:
    await a_job_of(house, await somebody(house))
    early = await deliveries.due(HOME.platform)
    clock.advance(FIRST)
    (card,) = await deliveries.due(HOME.platform)

    claims = await asyncio.gather(*(deliveries.claim(card) for _ in range(4)))
    mine = next(claim for claim in claims if claim)
    meanwhile = (await deliveries.due(HOME.platform), await deliveries.claim(mine))
    clock.advance(DELIVERY)
    (dropped,) = await deliveries.due(HOME.platform)

    assert (early, len([claim for claim in claims if claim]), meanwhile) == ([], 1, ([], None))
    assert await deliveries.claim(dropped) == dropped.claimed(now=clock.now())
    assert await deliveries.due(HOME.platform, apart_from=[HOME.chat]) == []


async def test_a_card_that_says_something_rests_until_it_has_said_the_last(
    house: House, deliveries: Deliveries, clock: HandClock
) -> None:
    await a_job_of(house, await somebody(house))
    (card,) = await deliveries.cards(HOME)
    posted = clock.now()
    await deliveries.shown(card, "half", message="m1")
    clock.advance(PACE)
    (shown,) = await deliveries.due(HOME.platform)
    await deliveries.shown(shown, "more", message="m1")
    clock.advance(FRESH - PACE)
    (more,) = await deliveries.due(HOME.platform)
    await deliveries.close(more)

    assert (shown.shown, shown.message, shown.posted_at) == ("half", "m1", posted)
    assert (more.shown, more.posted_at, more.old(now=clock.now())) == ("more", posted, True)
    assert not more.old(now=clock.now() - timedelta(seconds=1))
    assert await deliveries.cards(HOME) == []
    assert await deliveries.pending(HOME.platform) == []


async def test_a_card_that_the_end_did_not_know_of_brings_the_last_word(house: House, deliveries: Deliveries) -> None:
    ann = await somebody(house)
    job = await house.store.jobs.get(await a_job_of(house, ann))
    assert await deliveries.mirror(ann, job.id, ELSEWHERE)
    late = await deliveries.card(job.id, ELSEWHERE)
    assert late
    await house.store.cards.remove(late.id)
    await finished(house, job)
    await house.store.cards.add(late)

    for _ in range(2):
        await deliveries.close(late)

    assert [notice.place for notice in await deliveries.pending(ELSEWHERE.platform)] == [ELSEWHERE]


async def test_a_card_follows_who_may_look_at_a_job_that_goes_on(house: House, deliveries: Deliveries) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    job = await house.store.jobs.get(await a_job_of(house, ann))
    quiet = ann.but(notify=Notify(telling=Telling.FINAL))
    places = [HOME.but(chat=chat) for chat in "abcd"]

    looked = [
        await deliveries.mirror(who, job.id, place)
        for who, place in zip((ann, bob, moderating(bob), quiet), places, strict=True)
    ]
    found = [[card.account for card in await deliveries.cards(place)] for place in places]
    await finished(house, job)

    assert looked == [True, False, True, False]
    assert found == [[ann.account], [], [bob.account], []]
    assert not await deliveries.mirror(ann, job.id, HOME)
    words = [notice.account for place in places for notice in await deliveries.pending(HOME.platform, chat=place.chat)]
    assert words == [ann.account, bob.account]


async def test_who_looks_twice_has_one_card_and_it_comes_anew(
    house: House, deliveries: Deliveries, clock: HandClock
) -> None:
    ann = await somebody(house)
    job = await a_job_of(house, ann)
    (card,) = await deliveries.cards(HOME)
    await deliveries.shown(card, "half", message="m1")
    await deliveries.close(card)

    assert await deliveries.mirror(ann, job, HOME)

    (again,) = await deliveries.cards(HOME)
    assert (again.message, again.shown, again.old(now=clock.now())) == ("m1", None, True)


async def test_people_are_called_by_what_a_platform_calls_them(house: House, deliveries: Deliveries) -> None:
    bob = await house.services.accounts.welcome(Platform.TELEGRAM, "7", name="bob")

    assert await deliveries.identity(bob.account, Platform.TELEGRAM) == "7"
    assert await deliveries.private(bob.account, Platform.TELEGRAM) == ELSEWHERE.but(adult=True)
    assert await deliveries.private(bob.account, Platform.DISCORD) is None
