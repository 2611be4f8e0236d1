"""The queue's order: fair shares, nobody starves, and a forecast by the same rules as claims."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.fleet import Worker
from core.domain.job import ACTIVE_PER_OWNER, Job, JobState, Priority, Progress, asked
from core.domain.scheduling import (
    AGEING,
    LOOK_AHEAD,
    SPREAD,
    Flow,
    Forecast,
    Pool,
    flow_of,
    forecast,
    lacks,
    moved_up,
    passed,
    paused,
    place,
    placed,
    pool_of,
    preferred,
    prioritised,
    serves,
    wanting,
)
from core.domain.switch import QUEUE, of_claims, of_kind, of_worker
from tests.builders.entities import NOON

ESTIMATES = st.sampled_from([5.0, 60.0, 600.0])
OWNERS = st.sampled_from("abcde")


@dataclass
class Line:
    """One pool with a clock, its flows and what waits, as the store keeps them; one worker after another takes."""

    seed: int = 0
    pool: Pool = field(default_factory=lambda: pool_of(wished("0", "nobody")))
    flows: dict[str, Flow] = field(default_factory=dict)
    waiting: dict[str, list[Job]] = field(default_factory=lambda: defaultdict(list))
    asked: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def ask(
        self, owner: str, *, estimate: float = 60.0, priority: Priority = Priority.NORMAL, base: str | None = None
    ) -> Job:
        self.asked += 1
        now = NOON + timedelta(seconds=self.asked)
        job = wished(f"{self.asked:06}", owner, estimate=estimate, priority=priority, base=base)
        job = placed(job.but(created_at=now), self.pool, self.flows.get(flow_of(job)), now=now)
        self.flows[flow_of(job)] = Flow(id=flow_of(job), finish=job.rank)
        self.waiting[owner].append(job)
        return job

    def take(self, *, warm: str | None = None) -> Job:
        """Let a worker claim what it would try first; each owner's first jobs alone are eligible."""
        chosen = preferred(self.eligible(), warm=warm, shuffled=lambda jobs: self.random.sample(jobs, len(jobs)))[0]
        now = NOON + timedelta(seconds=self.asked)
        self.pool = self.pool.but(clock=max(self.pool.clock, passed(chosen, now=now)))
        self.waiting[chosen.owner].remove(chosen)
        return chosen

    def eligible(self) -> list[Job]:
        first = [job for jobs in self.waiting.values() for job in jobs[:ACTIVE_PER_OWNER]]
        return sorted(first, key=place)[:32]


def wished(
    name: str,
    owner: str,
    *,
    estimate: float = 60.0,
    priority: Priority = Priority.NORMAL,
    base: str | None = None,
    labels: tuple[str, ...] = (),
    memory: int = 0,
    offering: str | None = None,
) -> Job:
    return asked(
        "training",
        id=name,
        key=name,
        owner=owner,
        subject="d",
        title="zorp",
        now=NOON,
        estimate=estimate,
        priority=priority,
        base=base,
        labels=labels,
        memory=memory,
        offering=offering,
    ).but(eligible=True)


def a_hand(**facts: Any) -> Worker:
    wished: dict[str, Any] = {"id": "w", "host": "here", "pid": 1, "device": "cpu", "kinds": ("training",)}
    return Worker(**(wished | {"started_at": NOON, "seen_at": NOON} | facts))


def jain(shares: Iterable[float]) -> float:
    """Jain, Chiu, Hawe 1984: 1 where all are equal, 1/n where one has it all."""
    found = list(shares)
    return sum(found) ** 2 / (len(found) * sum(share**2 for share in found))


@given(orders=st.lists(st.tuples(OWNERS, ESTIMATES, st.sampled_from(Priority)), max_size=40), seed=st.integers(0, 99))
def test_somebodys_jobs_are_placed_one_behind_the_other(
    orders: Sequence[tuple[str, float, Priority]], seed: int
) -> None:
    line, last = Line(seed=seed), dict[str, Job]()
    for owner, estimate, priority in orders:
        job = line.ask(owner, estimate=estimate, priority=priority)
        assert job.rank == pytest.approx(job.start + estimate / priority.weight)
        if owner in last:
            assert job.start >= last[owner].rank
        last[owner] = job
        if seed % 3 == 0:
            line.take()


@given(
    before=st.lists(st.tuples(OWNERS, ESTIMATES), max_size=20),
    after=st.lists(st.tuples(OWNERS, ESTIMATES, st.sampled_from(Priority), st.booleans()), min_size=1, max_size=80),
    seed=st.integers(0, 99),
)
def test_nobody_overtakes_by_more_than_a_job_had_to_wait_for_anyway(
    before: Sequence[tuple[str, float]],
    after: Sequence[tuple[str, float, Priority, bool]],
    seed: int,
) -> None:
    """However many jobs come later, warm or heavy: what of each owner's goes first is bounded, so nothing starves."""
    line = Line(seed=seed)
    for owner, estimate in before:
        line.ask(owner, estimate=estimate)
    mine = line.ask("me", estimate=600.0)
    allowed = mine.rank + LOOK_AHEAD - line.pool.moment(NOON)
    overtook: dict[str, float] = defaultdict(float)
    for owner, estimate, priority, warm in after:
        line.ask(owner, estimate=estimate, priority=priority, base="warm" if warm else None)
        taken = line.take(warm="warm")
        if taken.id == mine.id:
            return
        if taken.created_at > mine.created_at:
            assert taken.rank <= mine.rank + LOOK_AHEAD
            overtook[taken.owner] += taken.span

    assert all(span <= allowed for span in overtook.values())


def test_a_stream_of_new_people_overtakes_for_a_bounded_time() -> None:
    """Time passes by itself: who comes late enough stands behind, though nothing was claimed meanwhile."""
    pool = pool_of(wished("0", "nobody"))
    first = placed(wished("first", "ann", estimate=600.0), pool, None, now=NOON)

    late = NOON + timedelta(seconds=600.0 / AGEING)

    assert placed(wished("soon", "bob", estimate=1.0), pool, None, now=NOON).rank < first.rank
    assert placed(wished("late", "eve", estimate=1.0), pool, None, now=late).rank > first.rank


def test_shares_are_as_the_weights() -> None:
    line, served = Line(), Counter[str]()
    for owner, priority in (("low", Priority.LOW), ("normal", Priority.NORMAL), ("high", Priority.HIGH)):
        for _ in range(400):
            line.ask(owner, priority=priority)
    for _ in range(370):
        served[line.take().owner] += 1

    assert served["low"] == pytest.approx(10, abs=2)
    assert served["normal"] == pytest.approx(40, abs=3)
    assert served["high"] == pytest.approx(320, abs=5)


def test_fifty_people_of_every_appetite_share_the_time_and_none_waits_long() -> None:
    """25 want all they can get, in jobs of 5 s to 10 min; 25 others come with one job now and then."""
    line, luck = Line(seed=7), random.Random(7)
    greedy = {f"greedy {number}": luck.choice((5.0, 30.0, 60.0, 300.0, 600.0)) for number in range(25)}
    modest = [f"modest {number}" for number in range(25)]
    served, waits, clock = Counter[str](), list[float](), 0.0
    came: dict[str, float] = {}
    while clock < 3600.0 * len(greedy):
        for owner, estimate in greedy.items():
            while len(line.waiting[owner]) < ACTIVE_PER_OWNER + 1:
                line.ask(owner, estimate=estimate)
        if luck.random() < 0.1 and (idle := [owner for owner in modest if not line.waiting[owner]]):
            came[line.ask(luck.choice(idle)).owner] = clock
        taken = line.take()
        clock += taken.estimate
        served[taken.owner] += int(taken.estimate)
        waits += [clock - came[taken.owner]] if taken.owner in came and taken.owner not in greedy else []

    assert jain(served[owner] for owner in greedy) > 0.95
    assert max(waits) <= len(greedy) * (60.0 + LOOK_AHEAD) + len(modest) * 60.0 + 600.0
    assert sorted(waits)[len(waits) // 2] <= 50 * 60.0, "about a round of everybody's"


def test_whoever_has_one_job_is_not_behind_anybodys_thousand() -> None:
    line = Line()
    for _ in range(1000):
        line.ask("greedy")
    for _ in range(100):
        line.take()
    mine = line.ask("modest")

    waits = next(number for number in range(1000) if line.take().id == mine.id)

    assert waits <= 8, "no more than what is tried in random order"


def test_who_cancels_is_charged_nothing_and_the_others_move_up() -> None:
    line = Line()
    jobs = [line.ask("ann", estimate=estimate) for estimate in (60.0, 300.0, 5.0, 60.0)]
    running = jobs[0].but(state=JobState.RUNNING)

    moved = moved_up([running, *jobs[2:]], jobs[1])

    assert moved[0] == running
    assert [job.start for job in moved[1:]] == pytest.approx([job.start - 300.0 for job in jobs[2:]])
    assert [job.rank for job in moved[1:]] == pytest.approx([job.rank - 300.0 for job in jobs[2:]])


def test_another_priority_changes_the_place_and_more_weight_begins_anew() -> None:
    line = Line()
    first, second = line.ask("ann"), line.ask("ann")
    now = second.created_at

    high = prioritised(second, Priority.HIGH, line.pool, now=now)
    low = prioritised(second, Priority.LOW, line.pool, now=now)

    assert (high.start, high.rank) == (line.pool.moment(now), line.pool.moment(now) + 60.0 / 8)
    assert high.rank < first.rank
    assert (low.start, low.rank) == (second.start, second.start + 60.0 * 4)


def test_a_warm_base_goes_first_within_the_look_ahead_and_against_no_more_weight() -> None:
    line = Line()
    first = line.ask("ann", estimate=60.0, base="cold")
    near = line.ask("bob", estimate=100.0, base="warm")
    far = line.ask("cat", estimate=60.0 + LOOK_AHEAD + 1.0, base="warm")
    window = [far, near, first]

    assert preferred(window, warm="warm", shuffled=list) == [near, first, far]
    assert preferred(window, warm=None, shuffled=list) == [first, near, far]
    heavy = first.but(priority=Priority.HIGH)
    assert preferred([near, heavy], warm="warm", shuffled=list) == [heavy, near]
    assert preferred([], warm="warm", shuffled=list) == []


def test_who_may_take_what() -> None:
    pool = pool_of(wished("j", "ann", labels=("gpu", "fast"), memory=8000, offering="flux"))
    small = a_hand(labels=("gpu",), memory=4000)
    cut_off = a_hand(labels=("gpu", "fast"), memory=9000, missing={"flux": "no access"})
    able = a_hand(labels=("fast", "gpu", "x"), memory=8000)

    assert lacks(able, pool) == ()
    assert lacks(small, pool) == ("the label fast", "8000 MB of GPU memory")
    assert lacks(able.but(kinds=("intake",)), pool) == ("the kind training",)
    assert wanting([small, cut_off], pool) == ("the base model (no access)",)
    assert wanting([small, able], pool) == wanting([], pool) == ()


@pytest.mark.parametrize("switch", [QUEUE, of_kind("training"), of_claims("flux")])
def test_a_pause_keeps_everybody_from_a_pool(switch: str) -> None:
    pool, worker = pool_of(wished("j", "ann", offering="flux")), a_hand()

    assert serves(worker, pool, {of_kind("intake"), of_claims("sdxl"), of_worker("other")})
    assert paused(pool, {switch, of_worker(worker.id)}) == (switch,)
    assert not serves(worker, pool, {switch})
    assert not serves(worker, pool, {of_worker(worker.id)})


def test_a_forecast_follows_the_order_the_workers_and_the_limits() -> None:
    one, two = a_hand(id="one"), a_hand(id="two", labels=("gpu",))
    line = Line()
    busy = wished("busy", "zoe", estimate=100.0).but(state=JobState.RUNNING, worker="one")
    first = line.ask("ann", estimate=30.0)
    second = line.ask("bob", estimate=50.0)
    mine = line.ask("cat", estimate=70.0)

    def told(*workers: str, running: Sequence[Job] = (busy,)) -> Forecast:
        there = [worker for worker in (one, two) if worker.id in workers]
        return forecast(mine, before=[second, first], running=running, workers=there)

    def starting(seconds: float) -> Forecast:
        return Forecast(ahead=2, soonest=seconds / SPREAD, latest=seconds * SPREAD)

    assert told("one") == starting(180.0)
    assert told("one", "two") == starting(80.0)
    assert told() == Forecast(ahead=2, soonest=None, latest=None)
    nearly = busy.but(progress=Progress(step=9, total=10, eta=10.0))
    assert told("one", "two", running=(nearly,)) == starting(30.0)
    own = [
        busy.but(id=name, owner="cat", worker=name, estimate=estimate) for name, estimate in (("x", 90.0), ("y", 500))
    ]
    assert told("one", "two", running=own) == starting(90.0), "its owner has as many as may go on at a time"


def test_a_forecast_is_stretched_to_those_that_were_not_looked_at() -> None:
    short = Forecast(ahead=10, soonest=100.0, latest=400.0)

    assert short.stretched(30) == Forecast(ahead=30, soonest=300.0, latest=1200.0)
    assert Forecast(ahead=0, soonest=0.0, latest=0.0).stretched(0) == Forecast(ahead=0, soonest=0.0, latest=0.0)


def test_what_waits_is_not_passed_for_ever_by_what_comes_into_a_pool_whose_time_is_behind() -> None:
    first = wished("first", "ann")
    pools = {job.pool: pool_of(job) for job in (first, wished("0", "bob", labels=("rtx4090",)))}
    pools[first.pool] = pools[first.pool].but(clock=600_000.0)  # by workers that have left meanwhile
    waiting, taken = [placed(first, pools[first.pool], None, now=NOON)], list[Job]()

    for number in range(30):
        now = NOON + timedelta(seconds=number + 1)
        late = wished(f"{number}", f"bob {number}", labels=("rtx4090",)).but(created_at=now)
        waiting.append(placed(late, pools[late.pool], None, now=now))
        taken.append(preferred(waiting, warm=None, shuffled=lambda jobs: jobs)[0])
        clock = passed(taken[-1], beside=waiting, now=now)
        pools = {name: pool.but(clock=max(pool.clock, clock)) for name, pool in pools.items()}
        waiting.remove(taken[-1])

    assert first.id in [job.id for job in taken[:3]]
