"""Buttons that last."""

from datetime import timedelta

import pytest

from core.domain.action import VALID_FOR, Action, Style, Then
from core.domain.errors import ActionGone, NotYours
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.scenes import somebody


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
