"""Tidying up: what nobody needs any more goes, what somebody needs stays, and nothing ends it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from core.domain.errors import UploadClosed
from core.domain.fleet import FORGOTTEN_AFTER
from core.domain.inbox import KEPT
from core.domain.upload import FIRST_BYTE, UploadState
from core.ports.clock import HandClock
from loraguild.composition import House
from loraguild.tidying import LEAD, tidied, tidying
from storage.repositories.entities import Database
from tests.builders.entities import HOME, NOON
from tests.builders.scenes import a_ready_dataset, a_worker, everything_in, in_chunks, somebody, stored

DAY = timedelta(days=1)


async def test_what_nobody_needs_any_more_goes_and_the_rest_stays(
    house: House, clock: HandClock, database: Database
) -> None:
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann)
    token = (await house.services.uploads.open(ann, dataset, place=HOME)).rpartition("/")[2]
    await house.services.uploads.begin(token, "a.png", size=4)
    await house.services.uploads.put(token, "a.png", offset=0, chunks=in_chunks(b"half"))
    loose = await stored(house, "loose.png")
    await house.services.inboxes.put("telegram", {1: "{}"})
    await house.services.inboxes.put("telegram", {2: "{}"})
    await house.services.inboxes.done((await house.services.inboxes.waiting("telegram"))[0])
    needed = [item.artifact.sha256 for item in await house.store.items.of(dataset.id)]

    clock.advance(FIRST_BYTE + FIRST_BYTE + KEPT + DAY)
    await tidied(house)
    rows = await everything_in(database)

    assert [row["state"] for row in rows["uploads"]] == [UploadState.ABANDONED]
    assert [row["_id"] for row in rows["updates"]] == ["telegram:2"]
    kept = {row["_id"] for row in rows["blobs"]}
    assert set(needed) <= kept
    assert loose.sha256 not in kept
    with pytest.raises(UploadClosed):
        await house.services.uploads.view(token)


async def test_a_worker_is_forgotten_a_day_after_it_was_last_heard_of(house: House, clock: HandClock) -> None:
    root = await somebody(house, "root")
    await a_worker(house, "lost")
    clock.advance(FORGOTTEN_AFTER / 2)
    await a_worker(house, "silent")
    clock.advance(FORGOTTEN_AFTER / 2 + timedelta(seconds=1))
    await tidied(house)

    assert [worker.id async for worker in house.store.workers.everything()] == ["silent"]
    (hand,) = await house.services.operations.workers(root)
    assert (hand.worker.id, hand.silent) == ("silent", FORGOTTEN_AFTER / 2 + timedelta(seconds=1))


async def test_one_process_at_a_time_tidies(house: House, clock: HandClock) -> None:
    ann = await somebody(house)
    await house.services.uploads.open(ann, await a_ready_dataset(house, ann), place=HOME)
    clock.advance(FIRST_BYTE)
    await house.services.inboxes.lead(LEAD, "other")

    async with tidying_up(house):
        await asyncio.sleep(0.1)

    assert len(await house.store.uploads.stale(now=clock.now())) == 1


async def test_what_breaks_once_is_tried_again(house: House, database: Database) -> None:
    await database["uploads"].insert_one({"_id": "no upload", "state": UploadState.OPEN, "expires_at": NOON})

    with capture_logs() as logs:
        async with tidying_up(house) as task:
            while len(logs) < 2 and not task.done():  # noqa: ASYNC110 - a line of the log sets no event
                await asyncio.sleep(0.01)

    assert [line["event"] for line in logs[:2]] == ["tidying.broke"] * 2


@asynccontextmanager
async def tidying_up(house: House) -> AsyncIterator[asyncio.Task[None]]:
    """Let a process tidy up again and again in the background."""
    task = asyncio.create_task(tidying(house, holder="one", every=0.01))
    yield task
    task.cancel()
    await asyncio.wait([task])
