"""Captioning as a job: real pictures, a captioner over the wire, and what stands in the dataset whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina
from pydantic import SecretStr

from core.domain.account import Actor
from core.domain.caption import CaptionMode
from core.domain.dataset import Dataset
from core.domain.job import LEASE, Job, JobState
from core.domain.ledger import Act
from core.kinds.captioning import Result
from core.ports.blobs import Blobs
from core.ports.clock import HandClock, RandomIds
from core.ports.store import Store
from loraguild.composition import House, assembled
from tests.builders.attempts import a_task, attempted, awaited
from tests.builders.entities import HOME
from tests.builders.scenes import a_ready_dataset, claimed, prove_the_ledger, somebody, stored
from tests.emulators.vision import KEY, MODEL, Answer, Vision, seeing
from tests.worker.pictures import a_picture, encoded
from worker import task as reporting
from worker.attempt import attempt
from worker.child import Child
from worker.kinds import captioning

UNUSED = "tests.worker.studios:Quick"
MODE = CaptionMode.OVERWRITE


@pytest.fixture
async def vision() -> AsyncIterator[Vision]:
    async with seeing() as api:
        yield api


@pytest.fixture
async def sighted(house: House, vision: Vision, store: Store, blobs: Blobs, clock: HandClock) -> House:
    """The house with a captioner on loopback that describes two pictures at a time, for 2 points each."""
    wished = {"vision_url": vision.url, "vision_model": MODEL, "vision_key": SecretStr(KEY), "captioner": "vision"}
    terms = {"vision_price": 2, "vision_concurrency": 2, "vision_timeout": 100.0}
    settings = house.settings.model_copy(update={**wished, **terms})
    services = assembled(settings, store=store, blobs=blobs, clock=clock, ids=RandomIds())
    return House(settings=settings, store=store, blobs=blobs, services=services)


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker look at once whether it is to end."""
    monkeypatch.setattr(captioning, "SECONDS_BETWEEN_RECORDS", 0.02)
    monkeypatch.setattr(reporting, "SECONDS_BETWEEN_REPORTS", 0.0)


async def asked(house: House, *, pictures: int = 3) -> tuple[Actor, Dataset, Job]:
    """Let somebody have some real pictures described by the third party."""
    ann = await somebody(house)
    dataset = await a_ready_dataset(house, ann, pictures=pictures)
    for item in await house.store.items.of(dataset.id):
        png = encoded(a_picture(seed=item.position))
        await house.store.items.save(item.but(artifact=await stored(house, item.artifact.name, png)))
    facts: dict[str, Any] = {"mode": MODE, "place": HOME, "allowed": "127.0.0.1", "key": "k"}
    return ann, dataset, await house.services.captionings.auto(ann, dataset, **facts)


async def done(house: House, job: Job, folder: Path) -> Job:
    async with Child(UNUSED) as studio:
        return await attempted(house, job, studio=studio, folder=folder)


async def texts(house: House, dataset: Dataset) -> list[str]:
    items = await house.store.items.of(dataset.id)
    return [caption.text if (caption := dataset.caption_of(item)) else "" for item in items]


async def all_seen(vision: Vision) -> bool:
    """Whether the check and all three pictures were sent: the last is when what was said of the first is kept."""
    return len(vision.pictures) == 4


async def moved(house: House, job: Job) -> dict[Act, int]:
    return {one.act: one.amount for one in await house.store.ledger.about(job.id)}


async def test_pictures_are_described_several_at_a_time(sighted: House, vision: Vision, tmp_path: Path) -> None:
    _, dataset, job = await asked(sighted, pictures=4)
    vision.will(Answer())  # of the check
    vision.will(*(Answer(text=f"striped, scene {number}", company=2, seconds=0.05) for number in range(4)))

    after = await done(sighted, job, tmp_path)

    assert after.state is JobState.SUCCEEDED
    assert Result.model_validate(after.result) == Result(described=4, shared=("striped",))
    assert sorted(await texts(sighted, dataset)) == [f"zorp, scene {number}" for number in range(4)]
    assert (vision.most_at_once, len(vision.pictures)) == (2, 5)
    assert after.progress
    assert (after.progress.step, after.progress.total, after.progress.doing) == (4, 4, "describing pictures")
    assert await moved(sighted, job) == {Act.HOLD: 8, Act.CAPTURE: 8}


async def test_what_is_no_description_fails_its_picture_alone(sighted: House, vision: Vision, tmp_path: Path) -> None:
    ann, dataset, job = await asked(sighted)
    page = "<html><body>Welcome to the Wi-Fi</body></html>"
    vision.will(Answer(), Answer(text="a scene"), Answer(body=page), Answer(text=""))

    after = await done(sighted, job, tmp_path)

    result = Result.model_validate(after.result)
    assert (after.state, result.described) == (JobState.SUCCEEDED, 1)
    assert sorted(result.failures.values()) == [
        "127.0.0.1 answered something else than a description.",
        "It was answered without a word. Try it again, or write its caption by hand.",
    ]
    assert await moved(sighted, job) == {Act.HOLD: 6, Act.CAPTURE: 2, Act.RELEASE: 4}
    assert (await texts(sighted, dataset)).count("zorp, a scene") == 1

    again = await sighted.services.captionings.retry(ann, job.id, place=HOME, key="again")
    after = await done(sighted, again, tmp_path)
    assert Result.model_validate(after.result) == Result(described=2)
    assert await texts(sighted, dataset) == ["zorp, a scene"] * 3
    await prove_the_ledger(sighted.store)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(status=403), "127.0.0.1 does not accept VISION_KEY (HTTP 403). An operator has to set another."),
        (Answer(body="no"), "127.0.0.1 answered something else than a description."),
        (Answer(status=400), "127.0.0.1 did not take the picture (HTTP 400): «refused with 400»."),
    ],
)
async def test_a_captioner_that_does_not_work_fails_before_a_picture_is_sent(
    sighted: House, vision: Vision, tmp_path: Path, answer: Answer, words: str
) -> None:
    _, _, job = await asked(sighted)
    vision.always = answer

    after = await done(sighted, job, tmp_path)

    assert after.failure
    assert (after.failure.code, after.failure.words) == ("captioner_failed", words)
    assert vision.pictures == [(64, 64)]
    assert await moved(sighted, job) == {Act.HOLD: 6, Act.RELEASE: 6}


async def test_not_a_single_description_is_a_failure_in_the_providers_words(
    sighted: House, vision: Vision, tmp_path: Path
) -> None:
    _, dataset, job = await asked(sighted)
    before = await texts(sighted, dataset)
    vision.will(Answer())
    vision.always = Answer(status=400)

    after = await done(sighted, job, tmp_path)

    assert after.failure
    assert after.failure.words == "127.0.0.1 did not take the picture (HTTP 400): «refused with 400»."
    assert await texts(sighted, dataset) == before
    assert await moved(sighted, job) == {Act.HOLD: 6, Act.RELEASE: 6}


async def test_a_captioner_that_breaks_on_the_way_keeps_what_it_has_said(
    sighted: House, vision: Vision, tmp_path: Path
) -> None:
    _, dataset, job = await asked(sighted, pictures=16)
    vision.will(Answer(), Answer(), Answer())
    vision.always = Answer(status=400)

    after = await done(sighted, job, tmp_path)

    assert after.failure
    assert after.failure.words.startswith("None of the last 10 pictures was described. The last time: 127.0.0.1 did")
    assert len(vision.pictures) <= 15
    assert (await texts(sighted, dataset)).count("zorp, a scene") == 2
    assert await moved(sighted, job) == {Act.HOLD: 32, Act.CAPTURE: 4, Act.RELEASE: 28}


async def test_a_key_that_is_taken_away_ends_it_at_once(sighted: House, vision: Vision, tmp_path: Path) -> None:
    _, dataset, job = await asked(sighted, pictures=8)
    vision.will(Answer(), Answer(), Answer())
    vision.always = Answer(status=401)

    after = await done(sighted, job, tmp_path)

    assert after.failure
    assert "does not accept VISION_KEY (HTTP 401)" in after.failure.words
    assert len(vision.pictures) <= 6
    assert (await texts(sighted, dataset)).count("zorp, a scene") == 2


async def test_what_fails_for_a_while_is_tried_again(sighted: House, vision: Vision, tmp_path: Path) -> None:
    _, _, job = await asked(sighted)
    vision.will(Answer(status=503), Answer(), Answer(status=429), Answer(hangs_up=True), Answer(status=500))

    with stamina.set_testing(True, attempts=10, cap=True):
        after = await done(sighted, job, tmp_path)

    result = Result.model_validate(after.result)
    assert (result.described, result.failures) == (3, {})


@pytest.mark.usefixtures("watchful")
async def test_a_worker_that_leaves_hands_over_what_was_described(
    sighted: House, vision: Vision, tmp_path: Path
) -> None:
    _, dataset, job = await asked(sighted)
    vision.will(Answer(), Answer(text="first"), Answer(seconds=90), Answer(seconds=90))
    found, _ = await claimed(sighted, job)
    stop = asyncio.Event()
    async with Child(UNUSED) as studio:
        running = asyncio.create_task(attempt(a_task(sighted, found, studio=studio, folder=tmp_path), stop=stop))
        await awaited(lambda: sighted.store.scenes.of(job.id))
        stop.set()
        assert not await running
    waiting = await sighted.store.jobs.get(job.id)
    assert (waiting.state, waiting.attempt) == (JobState.QUEUED, 0)
    vision.answers.clear()

    after = await done(sighted, job, tmp_path)

    assert Result.model_validate(after.result).described == 3
    assert sorted(await texts(sighted, dataset)) == ["zorp, a scene", "zorp, a scene", "zorp, first"]
    assert await moved(sighted, job) == {Act.HOLD: 6, Act.CAPTURE: 6}


async def test_a_worker_that_dies_is_followed_by_one_that_goes_on(
    sighted: House, vision: Vision, clock: HandClock, tmp_path: Path
) -> None:
    _, dataset, job = await asked(sighted)
    vision.will(Answer(), Answer(text="first"), Answer(seconds=90), Answer(seconds=90))
    found, _ = await claimed(sighted, job)
    async with Child(UNUSED) as studio:
        task = a_task(sighted, found, studio=studio, folder=tmp_path)
        running = asyncio.create_task(attempt(task, stop=asyncio.Event()))
        await awaited(lambda: all_seen(vision))
        running.cancel()
        await asyncio.wait([running])
    clock.advance(LEASE + timedelta(seconds=1))
    assert [one.id for one in await sighted.services.jobs.expire()] == [job.id]
    vision.answers.clear()
    seen = len(vision.pictures)

    after = await done(sighted, job, tmp_path)

    assert Result.model_validate(after.result).described == 3
    assert sorted(await texts(sighted, dataset)) == ["zorp, a scene", "zorp, a scene", "zorp, first"]
    assert len(vision.pictures) - seen == 3  # the check and what was left


@pytest.mark.usefixtures("watchful")
async def test_cancel_keeps_what_is_done_and_pays_for_that(sighted: House, vision: Vision, tmp_path: Path) -> None:
    ann, dataset, job = await asked(sighted)
    vision.will(Answer(), Answer(text="first"), Answer(seconds=90), Answer(seconds=90))
    found, _ = await claimed(sighted, job)
    async with Child(UNUSED) as studio:
        task = a_task(sighted, found, studio=studio, folder=tmp_path)
        running = asyncio.create_task(attempt(task, stop=asyncio.Event()))
        await awaited(lambda: sighted.store.scenes.of(job.id))
        await sighted.services.jobs.cancel(ann, job.id)
        assert not await running

    assert (await texts(sighted, dataset)).count("zorp, first") == 1
    assert await moved(sighted, job) == {Act.HOLD: 6, Act.CAPTURE: 2, Act.RELEASE: 4}
    assert await sighted.store.scenes.of(job.id) == []
    await prove_the_ledger(sighted.store)


async def test_a_picture_that_is_gone_fails_alone(sighted: House, tmp_path: Path) -> None:
    _, dataset, job = await asked(sighted)
    item = (await sighted.store.items.of(dataset.id))[1]
    await sighted.store.items.save(item.but(artifact=item.artifact.but(sha256="0" * 64)))

    after = await done(sighted, job, tmp_path)

    words = "The stored picture can no longer be read. Add it again."
    assert Result.model_validate(after.result) == Result(described=2, failures={item.id: words})


async def test_what_its_owner_allows_no_more_is_not_sent(sighted: House, vision: Vision, tmp_path: Path) -> None:
    ann, dataset, job = await asked(sighted)
    await sighted.services.captionings.forbid(ann, dataset, "127.0.0.1")

    after = await done(sighted, job, tmp_path)

    assert after.failure
    assert after.failure.code == "provider_not_allowed"
    assert vision.pictures == []


async def test_a_worker_without_the_key_says_so(sighted: House, tmp_path: Path) -> None:
    _, _, job = await asked(sighted)
    keyless = replace(sighted, settings=sighted.settings.model_copy(update={"vision_key": None}))

    after = await done(keyless, job, tmp_path)

    assert after.failure
    assert after.failure.words == "This worker has no VISION_KEY. An operator has to set it for all workers."
