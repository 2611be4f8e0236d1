"""Replays: what happens to a key whose first request was taken to be dead, and was not."""

from datetime import timedelta

import pytest

from core.domain.account import Actor
from core.domain.errors import KeyInUse
from core.domain.replay import UNDER_WAY, Answer
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.scenes import somebody


@pytest.fixture
async def ann(house: House) -> Actor:
    return await somebody(house)


async def test_a_refusal_frees_its_key(house: House, ann: Actor) -> None:
    replays = house.services.replays
    await replays.dropped(await replays.begin(ann, "k", asked="a"))

    assert (await replays.begin(ann, "k", asked="b")).answer is None


async def test_who_was_taken_to_be_dead_does_not_free_the_key_for_a_third(
    house: House, ann: Actor, clock: HandClock
) -> None:
    replays = house.services.replays
    late = await replays.begin(ann, "k", asked="a")
    clock.advance(UNDER_WAY + timedelta(seconds=1))
    present = await replays.begin(ann, "k", asked="a")
    await replays.dropped(late)
    with pytest.raises(KeyInUse):
        await replays.begin(ann, "k", asked="a")
    await replays.answered(present, Answer(status=201))
    await replays.dropped(late)

    assert (await replays.begin(ann, "k", asked="a")).answer == Answer(status=201)
