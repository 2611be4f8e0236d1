"""Wishes of running trainings, what one is worth that ends early, and what a failure means."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.adaptation import Adaptation
from core.domain.errors import KeyReused, NotSteerable
from core.domain.failure import REMEDIES, Remedy, remedied, remedy_for
from core.domain.steering import MOST, Steer, Wish, awaited, fulfilled, prorated, wished
from tests.builders.entities import NOON

LATER = NOON + timedelta(minutes=1)
MONEY = st.integers(min_value=0, max_value=10**6)
STEPS = st.integers(min_value=1, max_value=20_000)
WISHED = st.tuples(st.sampled_from([Steer.SAMPLE, Steer.SAVE, Steer.STOP]), st.integers(0, 9))


def a_wish(what: Steer = Steer.SAMPLE, key: str = "k1", number: int | None = None) -> Wish:
    return Wish(key=key, what=what, number=number, by="ann", at=NOON)


@given(MONEY, MONEY, STEPS, STEPS, STEPS)
def test_what_is_due_is_never_more_than_the_price_and_never_falls_with_the_steps(
    price: int, fixed: int, steps: int, one: int, other: int
) -> None:
    fewer, more = sorted((one, other))
    less, due = (prorated(price, fixed=fixed, done=done, steps=steps) for done in (fewer, more))
    assert min(fixed, price) <= less <= due <= price
    assert prorated(price, fixed=fixed, done=steps, steps=steps) == price
    assert prorated(price, fixed=fixed, done=0, steps=steps) == min(fixed, price)


def test_what_is_due_is_the_base_and_the_share_of_the_rest_rounded_up() -> None:
    assert prorated(20, fixed=10, done=101, steps=200) == 16


@given(st.lists(WISHED))
def test_at_most_one_wish_of_a_kind_waits(asked: list[tuple[Steer, int]]) -> None:
    wishes: tuple[Wish, ...] = ()
    for what, number in asked:
        wishes = wished(wishes, a_wish(what, key=f"{what} {number}"))
        waiting = [wish.what for wish in awaited(wishes)]
        assert len(waiting) == len(set(waiting))
        assert what in waiting or f"{what} {number}" in {wish.key for wish in wishes if wish.done_at}
        if number % 2:
            wishes = fulfilled(wishes, what, now=LATER)
            assert what not in {wish.what for wish in awaited(wishes)}


def test_the_same_key_stands_for_one_wish() -> None:
    once = wished((), a_wish())
    done = fulfilled(once, Steer.SAMPLE, now=LATER)
    assert wished(once, a_wish()) == once
    assert wished(done, a_wish()) == done
    with pytest.raises(KeyReused):
        wished(once, a_wish(Steer.SAVE))


def test_a_training_stops_once() -> None:
    once = wished((), a_wish(Steer.STOP, number=1))
    assert wished(once, a_wish(Steer.STOP, key="k2", number=1)) == once
    with pytest.raises(NotSteerable, match="told to stop already"):
        wished(once, a_wish(Steer.STOP, key="k2", number=2))


def test_nobody_wishes_without_end() -> None:
    wishes: tuple[Wish, ...] = ()
    for number in range(MOST):
        wishes = fulfilled(wished(wishes, a_wish(key=str(number))), Steer.SAMPLE, now=LATER)
    with pytest.raises(NotSteerable, match=f"{MOST} times"):
        wished(wishes, a_wish(key="one more"))
    assert len(wished(wishes, a_wish(Steer.SAVE, key="one more"))) == MOST + 1


@given(st.integers(1, 64), st.integers(1, 64), st.booleans())
def test_remedies_end_and_leave_what_a_step_learns_from(batch: int, accumulation: int, checkpointing: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    settings = Adaptation(batch=batch, accumulation=accumulation, checkpointing=checkpointing).model_dump(mode="json")
    taken = []
    while remedy := remedy_for(settings):
        before, settings = settings, remedied(settings, remedy)
        taken.append(remedy)
        after = Adaptation.model_validate(settings)
        assert after.identity == Adaptation.model_validate(before).identity
        assert remedied(settings, remedy) == settings
        assert remedy in REMEDIES
    assert taken == [remedy for remedy in Remedy if remedy in taken]
    assert settings["checkpointing"] is True
    assert settings["batch"] == 1 or batch * accumulation > 64


def test_without_memory_gradients_are_computed_again_first() -> None:
    ordered = Adaptation(batch=4, accumulation=2).model_dump(mode="json")
    first = remedied(ordered, Remedy.CHECKPOINTING)
    assert remedy_for(ordered) is Remedy.CHECKPOINTING
    assert first == ordered | {"checkpointing": True}
    assert remedy_for(first) is Remedy.SMALL_BATCH
    assert remedied(first, Remedy.SMALL_BATCH) == first | {"batch": 1, "accumulation": 8}
