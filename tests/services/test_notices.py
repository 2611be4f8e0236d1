"""Notices that are read again: every one once, however many were written in one moment, and only one's own."""

import pytest

from core.domain.errors import NotFound
from core.domain.wording import told
from loraguild.composition import House
from tests.builders.scenes import BROKEN, a_ready_dataset, an_order, finished, given, somebody


async def test_a_list_is_walked_without_gap_or_repetition_though_all_happened_at_once(house: House) -> None:
    ann, bob = await somebody(house), await somebody(house, "bob")
    for amount in range(1, 8):
        await given(house, ann, amount)
    notices = house.services.notices
    every, walked = [one.notice.id for one in await notices.list(ann)], list[str]()
    while page := await notices.list(ann, after=walked[-1] if walked else "", limit=2):
        walked += [one.notice.id for one in page]

    assert (walked, len(set(walked))) == (every, 7)
    assert await notices.list(bob) == []
    with pytest.raises(NotFound):
        await notices.list(bob, after=every[0])


async def test_what_was_told_of_a_job_has_its_title_and_why(house: House) -> None:
    ann = await somebody(house)
    job = await finished(house, await an_order(house, ann, await a_ready_dataset(house, ann)), BROKEN)
    words = [told(one.notice, one.job) for one in await house.services.notices.list(ann) if one.job == job]

    assert [(one.title, one.text) for one in words] == [(f"{job.title}: failed", BROKEN.words)]
