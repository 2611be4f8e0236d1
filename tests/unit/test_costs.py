from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.cost import Cost, estimated, recorded
from core.domain.fleet import Worker
from core.domain.job import LEASE, Job, Progress
from core.domain.meter import Meter
from tests.builders.entities import NOON, a_job

SECONDS = st.floats(0, 1e6)
STEPS = st.floats(1, 1e5)
WORKER = Worker(
    id="w1", host="h", pid=1, device="NVIDIA A100", gpu="a100", kinds=(), labels=("gpu",), started_at=NOON, seen_at=NOON
)


def a_cost(seconds: float, *, steps: float = 100.0, number: int = 0) -> Cost:
    return Cost(
        id=f"j{number}", kind="training", offering="tiny", seconds=seconds, steps=steps, price=20, paid=0, at=NOON
    )


def a_claimed_job(**meter: Any) -> Job:
    waiting = a_job(price=20, offering="tiny", meter=Meter(**meter))
    return waiting.claimed(worker="w1", token="t1", now=NOON)


@given(STEPS, SECONDS, st.floats(1e-3, 1e3), st.lists(st.tuples(SECONDS, STEPS), max_size=30))
def test_an_estimate_is_a_range_around_the_usual(
    steps: float, around: float, pace: float, seen: list[tuple[float, float]]
) -> None:
    history = [a_cost(seconds, steps=done) for seconds, done in seen]

    takes = estimated(steps, around=around, pace=pace, history=history)

    assert around <= takes.low <= takes.usual <= takes.high


@given(st.integers(0, 40), st.integers(1, 40), st.integers(1, 100))
def test_the_more_there_is_to_go_by_the_narrower_the_range(known: int, more: int, pace: int) -> None:
    history = [a_cost(10 + 100 * pace, number=number) for number in range(known + more)]

    before, after = (estimated(50, around=10, pace=pace, history=seen) for seen in (history[: max(known, 1)], history))

    assert before.usual == after.usual == 10 + 50 * pace
    assert before.low <= after.low <= after.high <= before.high


def test_without_history_the_file_is_believed_within_a_factor_of_two_and_what_did_not_end_well_tells_nothing() -> None:
    takes = estimated(100, around=10, pace=2, history=[a_cost(5, steps=0)])

    assert (takes.low, takes.usual, takes.high) == (110, 210, 410)


def test_one_that_took_forever_does_not_change_what_is_usual() -> None:
    history = [a_cost(seconds) for seconds in (*range(110, 130), 10_000)]

    takes = estimated(100, around=10, pace=9, history=history)

    assert takes.usual == pytest.approx(120)
    assert takes.high < 140


def test_a_meter_counts_all_attempts_and_a_lost_one_until_it_was_last_heard_of() -> None:
    def after(seconds: float) -> timedelta:
        return timedelta(seconds=seconds)

    lost = a_claimed_job().reported(now=NOON + after(30)).expired(now=NOON + after(3000))
    again = lost.but(not_before=NOON).claimed(worker="w2", token="t2", now=NOON + after(4000))
    done = again.succeeded({}, now=NOON + after(4012))
    silent = a_claimed_job().cancelled(now=NOON + after(3000))
    waiting = lost.cancelled(now=NOON + after(9000))

    assert [job.meter.seconds for job in (lost, done, silent, waiting)] == [30, 42, LEASE.total_seconds(), 30]


def test_a_cost_is_what_devices_cost_and_what_their_owner_was_paid() -> None:
    running = a_claimed_job(gpu="large", rate=90, weight=2.0).but(progress=Progress(step=200, total=200))
    now = NOON + timedelta(seconds=40.5)

    done, failed = running.succeeded({}, now=now), running.cancelled(now=now)

    assert recorded(done, WORKER, now=now) == Cost(
        id="j1",
        kind="training",
        offering="tiny",
        gpu="large",
        device="a100",
        labels=("gpu",),
        seconds=40.5,
        steps=400,
        price=20,
        paid=2,  # 41 s at 90 an hour
        at=now,
    )
    assert [(one.steps, one.price, one.margin) for one in (recorded(failed, None, now=now),)] == [(0, 0, -2)]
    assert recorded(done, None, now=now).margin == 1998
