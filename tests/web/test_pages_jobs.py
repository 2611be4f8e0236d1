"""Jobs on pages without JavaScript, and what their streams send to those that have some."""

import re
from datetime import timedelta

import pytest

from core.domain.account import Actor
from core.domain.failure import CATALOGUE
from core.domain.job import Failure, Job, JobState, Progress
from core.domain.run import MetricsPoint
from core.domain.steering import Steer
from core.kinds import training
from core.ports.clock import HandClock
from loraguild.composition import House
from tests.builders.entities import NOON, a_job, an_epoch
from tests.builders.forms import pressed, read
from tests.builders.scenes import a_ready_dataset, an_order, claimed, finished, somebody, stored
from tests.builders.visits import Client, entered


@pytest.fixture
async def _signed_in(house: House, client: Client, ann: Actor) -> None:
    await entered(house, client, ann)


@pytest.fixture
async def job(house: House, ann: Actor) -> Job:
    """A training that waits."""
    return await an_order(house, ann, await a_ready_dataset(house, ann))


pytestmark = pytest.mark.usefixtures("_signed_in")


async def learning(house: House, job: Job) -> str:
    """Let a worker do half of a training; its token."""
    _, token = await claimed(house, job)
    points = [MetricsPoint(step=step, loss=1 / step, lr=1e-3) for step in (50, 100)]
    progress = Progress(step=100, total=200, eta=40.0, doing="training")
    await house.services.jobs.report(job.id, token, progress=progress, points=points)
    sample = await stored(house, "sample.png")
    epoch = an_epoch(1, step=100, artifact=await stored(house, "zorp-1.safetensors"), samples=(sample,))
    await house.services.runs.passed(job.id, token, epoch, run=job.id)
    return token


async def finished_by(house: House, job: Job, token: str) -> Job:
    """End a training that a worker has."""
    result = training.Result(
        artifact=await stored(house, "zorp.safetensors"),
        grid=await stored(house, "grid.png"),
        base_hash="b" * 64,
        code_version="1",
        evaluation_before=0.5,
        evaluation_after=0.25,
    )
    return await house.services.jobs.finish(job.id, token, result)


async def test_the_list_filters_and_goes_on(house: House, client: Client, ann: Actor) -> None:
    none = await read(client, "/jobs")
    facts = [("training", JobState.QUEUED), ("generation", JobState.SUCCEEDED)]
    await house.store.jobs.add_all(
        [
            a_job(
                id=f"j{number}",
                key=f"k{number}",
                owner=ann.account,
                title=f"one {number:02}",
                kind=facts[number % 2][0],
                state=facts[number % 2][1],
                created_at=NOON + timedelta(seconds=number),
            )
            for number in range(30)
        ]
    )
    first = await read(client, "/jobs")
    second = await read(client, first.links["More →"])
    drawn = await read(client, "/jobs?kind=generation")
    waiting = await pressed(client, first, "Show", state="queued")

    assert ("No jobs yet" in none.words, none.links["Train a model"]) == (True, "/train")
    assert ("one 29" in first.links, "one 04" in first.links) == (True, False)
    assert ("one 29" in second.links, "one 04" in second.links) == (False, True)
    assert ("one 29" in drawn.links, "one 28" in drawn.links) == (True, False)
    assert ("one 29" in waiting.links, "one 28" in waiting.links) == (False, True)
    assert "No such job" in (await read(client, "/jobs?kind=export")).words
    assert (await read(client, "/jobs?state=strange")).status == 400


async def test_a_job_that_waits_says_why_and_can_be_cancelled(client: Client, job: Job) -> None:
    page = await read(client, f"/jobs/{job.id}")
    gone = await pressed(client, page, "Cancel")
    twice = await pressed(client, page, "Cancel")

    assert ("Next in the queue" in page.words, "takes training jobs" in page.words) == (True, True)
    assert ("cancelled" in gone.words, "The 20 set aside went back" in gone.words) == (True, True)
    assert (twice.status, "cancelled" in twice.words) == (422, True)


async def test_a_training_shows_what_it_learns_and_takes_wishes(house: House, client: Client, job: Job) -> None:
    await learning(house, job)
    page = await read(client, f"/jobs/{job.id}")
    wished = await pressed(client, page, "Sample now")
    ending = await read(client, page.links["Stop early"])
    more = await pressed(client, page, "See the price", steps="100")
    longer = await pressed(client, more, "Order them")
    stopping = await pressed(client, await read(client, f"{page.links['Stop early']}?epoch=1"), "Stop now")

    assert ("100 of 200" in page.words, "40 s left" in page.words) == (True, True)
    assert 'data-chart="[[50, 100], [0.02, 0.01], [0.001, 0.001]]"' in page.html
    assert ("1.00e-03" in page.words, sum("/i/" in one for one in page.pictures)) == (True, 1)
    assert "Samples are on their way" in wished.words
    assert ("It costs about 15 of the 20" in ending.words, "Epoch 1" in ending.links) == (True, True)
    assert ("100 steps more for 5 points" in more.words, "It goes on for 100 steps more" in longer.words) == (
        True,
        True,
    )
    assert "It is about to stop" in stopping.words
    wishes = (await house.store.jobs.get(job.id)).wishes
    assert {wish.what: wish.number for wish in wishes} == {Steer.SAMPLE: None, Steer.EXTEND: 100, Steer.STOP: 1}


async def test_a_failure_of_the_house_is_tried_again_for_free(house: House, client: Client, job: Job) -> None:
    code = next(code for code, row in CATALOGUE.items() if row.free)
    await finished(house, job, Failure(code=code, words="It broke."))
    page = await read(client, f"/jobs/{job.id}")
    again = await pressed(client, page, "Try again for free")

    assert ("It broke." in page.words, "The 20 set aside went back" in page.words) == (True, True)
    assert (again.path != page.path, "at no charge" in again.words) == (True, True)


async def test_what_is_done_leads_on(house: House, client: Client, job: Job) -> None:
    await learning(house, job)
    token = str((await house.store.jobs.get(job.id)).token)
    done = await finished_by(house, job, token)
    page = await read(client, f"/jobs/{job.id}")
    model = await house.store.models.of_run(done.id)

    assert model is not None
    assert page.links["See the model"] == f"/models/{model.id}"
    assert ("0.5000 → 0.2500" in page.words, "hx-sse:connect" in page.html) == (True, False)
    assert page.links["The whole receipt"] == f"/receipts/{job.id}"


async def test_a_page_is_sent_points_as_numbers_and_the_rest_as_markup(house: House, client: Client, job: Job) -> None:
    await finished_by(house, job, await learning(house, job))
    every = await (await client.get("/jobs/events", headers={"Last-Event-ID": "1772366400000"})).content.read(10)
    sent = await (await client.get(f"/jobs/{job.id}/events")).text()
    later = await (await client.get(f"/jobs/{job.id}/events?after=100.1.00000000")).text()

    assert every.startswith(b"retry:")
    assert "event: metrics\ndata: [[50, 100], [0.02, 0.01], [0.001, 0.001]]" in sent
    assert f'id="standing-{job.id}"' in sent
    assert ('hx-target="#samples"' in sent, "event: end" in sent, "event: job" in sent) == (True, True, False)
    assert ("event: metrics" in later, 'hx-target="#samples"' in later, "event: end" in later) == (False, False, True)


async def test_the_list_looks_again_when_a_job_comes(
    house: House, client: Client, ann: Actor, job: Job, clock: HandClock
) -> None:
    listed, filtered = await read(client, "/jobs"), await read(client, "/jobs?state=queued")
    clock.advance(timedelta(seconds=1))
    other = a_job(id="z" * 12, key="other", owner=ann.account, created_at=clock.now())  # told of last: by id
    await house.store.jobs.add_all([other])
    stream = await client.get(str(re.findall('hx-sse:connect="([^"]+)"', listed.html)[0]))
    sent = [""]
    while f"standing-{other.id}" not in sent[-1]:
        sent.append((await stream.content.readuntil(b"\n\n")).decode())

    assert [f"standing-{other.id}" in one for one in sent if "hx-get" in one] == [True]
    assert any(f"standing-{job.id}" in one for one in sent)
    assert 'hx-sse:connect="/jobs/events"' in filtered.html


async def test_nobody_else_sees_it(house: House, client: Client, job: Job) -> None:
    await entered(house, client, await somebody(house, "bob"))
    paths = ("", "/events", "/why", "/stop", "/extend?steps=1")

    assert [(await read(client, f"/jobs/{job.id}{path}")).status for path in paths] == [404] * len(paths)
