"""Trying a captioning again: nobody pays twice for a picture that was described in between."""

from datetime import timedelta

import pytest

from core.domain.caption import CaptionMode
from core.domain.errors import NothingToDo
from core.kinds.captioning import Payload
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.entities import HOME
from tests.builders.scenes import BROKEN, a_ready_dataset, claimed, described, finished, somebody

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("broken", [True, False])
async def test_what_was_described_since_is_not_tried_again(house: House, clock: HandClock, *, broken: bool) -> None:
    ann, captionings = await somebody(house), house.services.captionings
    dataset = await a_ready_dataset(house, ann)
    _, second, third = await house.store.items.of(dataset.id)
    job = await captionings.auto(ann, dataset, mode=CaptionMode.OVERWRITE, place=HOME, key="first")
    found, token = await claimed(house, job)
    clock.advance(MINUTE)
    if broken:
        await described(house, found, most=1)
        await house.services.jobs.finish(found.id, token, BROKEN)
    else:
        await described(house, found, failing={second.id: "It was dark.", third.id: "It was dark."})
        await house.services.jobs.finish(found.id, token, await captionings.result(found))
    clock.advance(MINUTE)
    await house.services.captions.edit(ann, second, text="zorp by hand")

    again = await captionings.retry(ann, job.id, place=HOME, key="second")
    assert Payload.model_validate(again.payload).items == (third.id,)
    await finished(house, again)

    with pytest.raises(NothingToDo, match="Nothing is left"):
        await captionings.retry(ann, job.id, place=HOME, key="third")
