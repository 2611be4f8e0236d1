"""Where the cards of a command go."""
# ruff: noqa: ARG001 - commands share one shape

from typing import Any

import pytest

from bots.chat.definition import Definition, Visibility, command
from bots.chat.parameter import Call
from bots.chat.placing import told
from bots.chat.reply import Reply
from core.domain.account import Notify, Place, Platform, Where
from tests.builders.entities import an_actor

DM = Place(platform=Platform.DISCORD, chat="42")
CHANNEL = Place(platform=Platform.DISCORD, chat="7", private=False, community="1")
WITHOUT: Any = None  # placing asks no service


async def nothing(call: Call) -> Reply:
    """Do nothing."""
    return Reply(title="")


LOOK = command("look")(nothing)
ORDER = command("order", orders=True)(nothing)
SHOW = command("show", orders=True, visibility=Visibility.PUBLIC)(nothing)


@pytest.mark.parametrize(
    ("definition", "where", "place", "private", "expected"),
    [
        (LOOK, Where.DM, CHANNEL, DM, DM),
        (LOOK, Where.CHANNEL, CHANNEL, DM, DM),
        (ORDER, Where.DM, CHANNEL, DM, DM),
        (ORDER, Where.CHANNEL, CHANNEL, DM, CHANNEL),
        (SHOW, Where.DM, CHANNEL, DM, CHANNEL),
        (ORDER, Where.DM, DM, DM, DM),
        (SHOW, Where.CHANNEL, DM, DM, DM),
        (ORDER, Where.DM, CHANNEL, None, CHANNEL),
    ],
)
def test_a_card_goes_where_it_may_be_seen(
    definition: Definition, where: Where, place: Place, private: Place | None, expected: Place
) -> None:
    ann = an_actor().but(notify=Notify(where=where))
    call = Call(actor=ann, place=place, services=WITHOUT, key="k", private=private)

    assert told(definition, ann, call) == expected
