"""Buttons that last, notices that one front end delivers, cards of a place."""

import asyncio
from datetime import timedelta

import pytest

from core.domain.action import VALID_FOR, Action, Style, Then
from core.domain.errors import ActionGone, NotYours
from core.domain.notice import DELIVERY
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.entities import HOME
from tests.builders.scenes import a_ready_dataset, somebody


async def a_button(house: House, account: str) -> Action:
    conversations = house.services.conversations
    action = Action(
        id=conversations.token(),
        account=account,
        label="Go",
        command="wallet",
        arguments={},
        style=Style.GO,
        then=Then.NEW,
        expires_at=conversations.expiry(),
    )
    await conversations.keep([action])
    return action


async def test_a_button_works_for_its_account_until_it_expires(house: House, clock: HandClock) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    button = await a_button(house, ann.account)
    clock.advance(VALID_FOR - timedelta(seconds=1))

    assert await house.services.conversations.pressed(ann, button.id) == button
    with pytest.raises(NotYours):
        await house.services.conversations.pressed(bob, button.id)
    with pytest.raises(ActionGone):
        await house.services.conversations.pressed(ann, "never made")
    clock.advance(timedelta(seconds=1))
    with pytest.raises(ActionGone):
        await house.services.conversations.pressed(ann, button.id)


async def test_of_two_front_ends_one_delivers_a_notice(house: House, clock: HandClock) -> None:
    await a_ready_dataset(house, await somebody(house))
    (notice,) = await house.services.conversations.pending(HOME.platform)

    taken = await asyncio.gather(*(house.services.conversations.take(notice) for _ in range(4)))
    meanwhile = await house.services.conversations.pending(HOME.platform)
    clock.advance(DELIVERY)
    (dropped,) = await house.services.conversations.pending(HOME.platform)
    again = await house.services.conversations.take(dropped)
    await house.services.conversations.delivered(dropped)
    clock.advance(DELIVERY)

    assert (sum(taken), meanwhile, again) == (1, [], True)
    assert await house.services.conversations.pending(HOME.platform) == []


async def test_a_card_is_open_until_it_has_said_the_last(house: House) -> None:
    await a_ready_dataset(house, await somebody(house))
    (card,) = await house.services.conversations.cards(HOME)
    await house.services.conversations.show(card, shown="half", closed=False, message="m1")
    (shown,) = await house.services.conversations.cards(HOME)
    await house.services.conversations.show(shown, shown="done", closed=True, message="m1")

    assert (shown.shown, shown.message) == ("half", "m1")
    assert await house.services.conversations.cards(HOME) == []
