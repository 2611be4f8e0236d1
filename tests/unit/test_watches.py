"""Watching: whatever happens to a job, and however often somebody has to come back, each piece of news comes once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.job import JobState, Progress
from core.domain.run import Glimpse, MetricsPoint
from core.domain.watch import Cursor, News, Sight, What, news
from tests.builders.entities import a_job, a_run, an_artifact, an_epoch

BEGINNING = Cursor()


def sights(steps: list[int]) -> list[Sight]:
    """A training as it is seen after each of these steps: every third ends an epoch, every fourth was wished to see."""
    sight, seen = Sight(job=a_job(), closely=True, run=a_run()), []
    for step in steps:
        run = sight.run or a_run()
        samples = (an_artifact(f"{step}.png"),)
        run = run.with_epoch(an_epoch(step, samples=samples)) if step % 3 == 0 else run
        run = run.but(glimpses=(*run.glimpses, Glimpse(step=step, samples=samples))) if step % 4 == 0 else run
        job = sight.job.but(state=JobState.RUNNING, progress=Progress(step=step, total=100))
        sight = sight.now(job, run=run, points=(MetricsPoint(step=step, loss=1.0, lr=0.1),))
        seen.append(sight)
    return [*seen, sight.now(sight.job.but(state=JobState.SUCCEEDED))]


@given(
    steps=st.lists(st.integers(1, 99), min_size=1, max_size=30, unique=True).map(sorted),
    looks=st.sets(st.integers(0, 29)),
)
def test_each_point_and_each_sample_comes_once_and_the_end_last(steps: list[int], looks: set[int]) -> None:
    seen = sights(steps)
    looked_at = [sight for number, sight in enumerate(seen[:-1]) if number in looks] + seen[-1:]
    told: list[News] = []

    for sight in looked_at:
        told += news(sight, Cursor.read(told[-1].id) if told else BEGINNING)

    points = [point.step for one in told for point in one.points]
    samples = [one.sample.step for one in told if one.sample]
    assert points == steps
    assert samples == sorted([s for s in steps if s % 3 == 0] + [s for s in steps if s % 4 == 0])
    assert [one.what for one in told].count(What.END) == 1
    assert told[-1].what is What.END


def test_what_nobody_wants_to_be_told_of_is_no_news() -> None:
    sight = Sight(job=a_job())
    told = [*news(sight, BEGINNING)]
    moved = sight.now(sight.job.but(rank=7.0, worker="w1", token="t"))

    assert [one.what for one in told] == [What.JOB]
    assert [*news(moved, Cursor.read(told[-1].id))] == []
    assert [one.what for one in news(moved.placed(3), Cursor.read(told[-1].id))] == [What.JOB]


def test_the_end_is_told_again_to_whoever_asks_again() -> None:
    sight = Sight(job=a_job(state=JobState.CANCELLED))
    told = [*news(sight, BEGINNING)]

    assert [one.what for one in news(sight, Cursor.read(told[-1].id))] == [What.END]


@given(step=st.integers(0, 10**9 - 1), samples=st.integers(0, 10**9 - 1), digest=st.from_regex(r"\A[0-9a-f]{8}\Z"))
def test_a_cursor_is_read_as_it_was_written(step: int, samples: int, digest: str) -> None:
    cursor = Cursor(step=step, samples=samples, digest=digest)

    assert Cursor.read(str(cursor)) == cursor


@pytest.mark.parametrize("text", ["", "1.2", "1.2.xyz", "-1.2.00000000", "9999999999.0.00000000", "١.0.00000000"])
def test_what_is_no_cursor_is_the_beginning(text: str) -> None:
    assert Cursor.read(text) == BEGINNING
