from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.domain.price import Price

COUNTS = st.integers(0, 10_000)
PRICES = st.builds(
    Price,
    base=COUNTS,
    per_thousand_steps=COUNTS,
    per_sample=COUNTS,
    usual=st.dictionaries(st.sampled_from(["resolution", "batch", "accumulation"]), st.integers(1, 2048)),
)
SETTINGS = st.fixed_dictionaries(
    {
        "steps": st.integers(1, 20_000),
        "resolution": st.integers(64, 2048),
        "batch": st.integers(1, 64),
        "accumulation": st.integers(1, 64),
    }
)


@given(PRICES, SETTINGS, COUNTS, st.integers(1, 1000))
def test_the_parts_are_whole_and_sum_to_what_is_due_rounded_up(
    price: Price, settings: dict[str, Any], samples: int, percent: int
) -> None:
    parts = price.parts(settings, samples=samples, percent=percent)

    steps = Fraction(settings["steps"]) * price.weight(settings) * price.per_thousand_steps / 1000
    exact = (price.base + steps + samples * price.per_sample) * percent / 100
    assert all(type(amount) is int for amount in parts.values())
    assert exact <= sum(parts.values()) < exact + Fraction(percent, 100) + 1
    assert parts["base"] == price.base


@given(PRICES, SETTINGS, COUNTS, st.integers(1, 1000), st.data())
def test_more_of_anything_never_costs_less(
    price: Price, settings: dict[str, Any], samples: int, percent: int, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([*settings, "samples", "percent"]))
    before = {**settings, "samples": samples, "percent": percent}
    after = {**before, name: before[name] + data.draw(st.integers(0, 10_000))}

    amounts = [
        sum(price.parts(chosen, samples=chosen["samples"], percent=chosen["percent"]).values())
        for chosen in (before, after)
    ]

    assert amounts == sorted(amounts)


def test_a_step_counts_by_the_area_of_its_pictures_and_by_how_many_there_are() -> None:
    price = Price(base=5, per_thousand_steps=100, usual={"resolution": 512, "batch": 2})

    usual, less, more = (
        price.parts({"steps": 1000, "resolution": side, "batch": batch}, samples=3)
        for side, batch in ((512, 2), (256, 2), (768, 4))
    )

    assert usual == {"base": 5, "1000 steps": 100}
    assert less == {"base": 5, "1000 steps × 0.25": 25}
    assert more == {"base": 5, "1000 steps × 4.5": 450}
