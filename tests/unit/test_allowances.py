"""Fixed windows: how often something may be done."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.allowance import Limit, counted, window
from core.domain.errors import TooOften
from tests.builders.entities import NOON

limits = st.builds(Limit, times=st.integers(1, 10), per=st.integers(1, 10**6).map(lambda one: timedelta(seconds=one)))
moments = st.integers(0, 10**9).map(lambda one: NOON + timedelta(milliseconds=one))


@given(limits, moments)
def test_a_moment_lies_in_its_window_and_the_next_window_is_another(limit: Limit, now: datetime) -> None:
    found = window("link:ann", limit, now=now)

    assert found.expires_at - limit.per <= now < found.expires_at
    assert window("link:ann", limit, now=found.expires_at - timedelta(milliseconds=1)) == found
    assert window("link:ann", limit, now=found.expires_at).id != found.id
    assert window("link:bob", limit, now=now).id != found.id


@given(limits, moments)
def test_a_window_takes_so_many_and_says_how_long_to_wait(limit: Limit, now: datetime) -> None:
    found = window("link:ann", limit, now=now)
    for _ in range(limit.times):
        found = counted(found, limit, now=now)

    with pytest.raises(TooOften) as refused:
        counted(found, limit, now=now)

    assert found.count == limit.times
    assert now + timedelta(seconds=refused.value.seconds) >= found.expires_at
