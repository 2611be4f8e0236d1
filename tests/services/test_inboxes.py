"""What platforms send is kept once, in order, and dealt with by one process at a time."""

import asyncio
from datetime import timedelta

from core.domain.inbox import KEPT, LEAD
from core.ports.clock import HandClock
from loraguild.composition import House


async def test_what_comes_twice_is_kept_once(house: House) -> None:
    inboxes = house.services.inboxes

    taken = await asyncio.gather(*(inboxes.put("telegram", {7: "{}"}) for _ in range(5)))

    assert sorted(taken) == [0, 0, 0, 0, 1]
    assert [update.id for update in await inboxes.waiting("telegram")] == ["telegram:7"]


async def test_what_waits_comes_in_the_platforms_order_until_it_is_done(house: House) -> None:
    inboxes = house.services.inboxes
    for number in (30, 4, 100):
        await inboxes.put("telegram", {number: "{}"})
    await inboxes.put("other", {1: "{}"})

    first, *rest = await inboxes.waiting("telegram")
    await inboxes.done(first)

    assert (first.number, [update.number for update in rest]) == (4, [30, 100])
    assert list(await inboxes.waiting("telegram")) == rest
    assert await inboxes.put("telegram", {4: "{}", 5: "{}", 30: "{}"}) == 1


async def test_only_what_is_done_is_forgotten_and_not_at_once(house: House, clock: HandClock) -> None:
    inboxes = house.services.inboxes
    for number in (1, 2):
        await inboxes.put("telegram", {number: "{}"})
    await inboxes.done((await inboxes.waiting("telegram"))[0])

    early = await inboxes.forget()
    clock.advance(KEPT + timedelta(seconds=1))

    assert (early, await inboxes.forget()) == (0, 1)
    assert [update.number for update in await inboxes.waiting("telegram")] == [2]


async def test_what_is_claimed_in_passing_waits_for_nobody_and_is_forgotten(house: House, clock: HandClock) -> None:
    inboxes = house.services.inboxes
    took = await asyncio.gather(*(inboxes.claim("discord", 7) for _ in range(5)))
    waiting = await inboxes.waiting("discord")
    clock.advance(KEPT + timedelta(seconds=1))
    assert (sum(took), waiting, await inboxes.forget()) == (1, [], 1)


async def test_one_leads_until_it_is_not_heard_of(house: House, clock: HandClock) -> None:
    inboxes = house.services.inboxes

    took = await asyncio.gather(*(inboxes.lead("telegram", holder) for holder in "abcd"))
    leader = "abcd"[took.index(True)]
    clock.advance(LEAD / 2)
    kept = await inboxes.lead("telegram", leader)
    clock.advance(LEAD * 0.75)
    early = await inboxes.lead("telegram", "late")
    clock.advance(LEAD)

    assert (sorted(took), kept, early) == ([False, False, False, True], True, False)
    assert await inboxes.lead("telegram", "late")
    assert not await inboxes.lead("telegram", leader)


async def test_who_leaves_is_followed_at_once(house: House) -> None:
    inboxes = house.services.inboxes
    await inboxes.lead("telegram", "a")

    await inboxes.leave("telegram", "b")
    still = await inboxes.lead("telegram", "b")
    await inboxes.leave("telegram", "a")

    assert (still, await inboxes.lead("telegram", "b")) == (False, True)
