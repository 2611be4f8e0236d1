"""The bucket of the rate limit: what it lets through in any stretch of time, and that its word on waiting holds."""

from dataclasses import dataclass

from hypothesis import example, given
from hypothesis import strategies as st

from core.domain.errors import TooOften
from web.limiting import KNOWN, Limiter

WAITS = st.lists(st.integers(min_value=0, max_value=3000), min_size=1, max_size=60)  # milliseconds


@dataclass
class Hand:
    """A clock that is moved by hand, in seconds."""

    at: float = 0.0

    def __call__(self) -> float:
        return self.at


def drawn(limiter: Limiter, who: str = "ann") -> int:
    """How many seconds somebody has to wait; 0 where they may go on."""
    try:
        limiter.draw(who)
    except TooOften as error:
        return error.seconds
    return 0


@given(WAITS, st.integers(min_value=1, max_value=5), st.integers(min_value=1, max_value=10))
def test_no_stretch_of_time_lets_more_through_than_the_bucket_and_what_flows_in(
    waits: list[int], rate: int, burst: int
) -> None:
    hand = Hand()
    limiter, through = Limiter(rate=rate, burst=burst, now=hand), []
    for wait in waits:
        hand.at += wait / 1000
        if not drawn(limiter):
            through.append(hand.at)

    assert through[:1] == [waits[0] / 1000]
    for first, start in enumerate(through):
        for last, end in enumerate(through[first:], start=first):
            assert last - first + 1 <= burst + (end - start) * rate + 1e-6


@given(WAITS, st.integers(min_value=1, max_value=5), st.integers(min_value=1, max_value=10))
@example([1, 0], 1, 1)  # 1.001 - 0.001 is a little less than 1
def test_who_waits_as_long_as_they_are_told_may_go_on(waits: list[int], rate: int, burst: int) -> None:
    hand = Hand()
    limiter = Limiter(rate=rate, burst=burst, now=hand)
    for wait in waits:
        hand.at += wait / 1000
        if seconds := drawn(limiter):
            hand.at += seconds
            assert drawn(limiter) == 0


def test_everybody_has_a_bucket_of_their_own_and_the_idle_ones_are_forgotten() -> None:
    limiter = Limiter(rate=1, burst=1, now=Hand())
    first = [drawn(limiter, "ann"), drawn(limiter, "ann"), drawn(limiter, "bob")]
    for number in range(KNOWN):
        drawn(limiter, str(number))

    assert first == [0, 1, 0]
    assert len(limiter.buckets) == KNOWN
    assert "ann" not in limiter.buckets
