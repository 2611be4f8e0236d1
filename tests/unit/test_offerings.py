from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from config.catalogue import OfferingBroken, offerings
from core.domain.dataset import Kind
from core.domain.errors import BadValue, DatasetUnfit, OfferingClosed, OutOfBounds, QuoteExpired, UnknownParameter
from core.domain.offering import FewSteps, Scheduler
from core.domain.quote import OPEN_FOR, QuoteState
from core.domain.recipes import hyperparameters, names
from tests.builders.entities import NOON, a_quote, an_offering

DRAWING = {"price": 1, "size": 64, "steps": 4, "guidance": 3.0, "most": 4}
OFFERING = """
title = "Mine"
description = "My own."
recipe = "sd15_lora"
samples = ["{trigger}"]
seconds_per_step = 0.1
seconds_around = 1.0
[base]
id = "mine"
title = "Mine"
family = "sd15"
architecture = "sd15"
location = "somewhere"
[presets.fast]
steps = 100
[bounds]
steps = [10, 2000]
[price]
base = 1
per_thousand_steps = 1
[generation]
price = 1
size = 64
steps = 4
guidance = 3.0
most = 4
"""


@given(st.integers(-5000, 5000))
def test_an_override_within_bounds_is_taken_and_any_other_refused(steps: int) -> None:
    offering = an_offering(presets={"fast": {"steps": 10, "epochs": 1}})
    if 10 <= steps <= 2000:
        assert offering.settled("fast", {"steps": str(steps)})["steps"] == steps
        return

    with pytest.raises(OutOfBounds) as refused:
        offering.settled("fast", {"steps": str(steps)})
    assert (refused.value.low, refused.value.high) == ("10", "2000")


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_no_float_outside_the_bounds_gets_through(rate: float) -> None:
    offering = an_offering()
    if 1e-5 <= rate <= 1e-2:
        assert offering.settled("fast", {"unet_lr": repr(rate)})["unet_lr"] == rate
        return

    with pytest.raises(OutOfBounds):
        offering.settled("fast", {"unet_lr": repr(rate)})


@given(st.text(max_size=10))
def test_any_text_gives_a_number_or_a_refusal(text: str) -> None:
    try:
        settings = an_offering().settled("fast", {"steps": text, "epochs": "1"})
    except (BadValue, OutOfBounds):
        return
    assert settings["steps"] == int(text)


def test_settings_have_all_the_recipes_parameters_with_the_presets_on_top() -> None:
    settings = an_offering().settled("fast", {"epochs": "5"})

    assert set(settings) == set(hyperparameters("sd15_lora").model_fields)
    assert (settings["steps"], settings["epochs"]) == (10, 5)


def test_what_has_no_bounds_cannot_be_set_and_the_words_say_what_can() -> None:
    with pytest.raises(UnknownParameter) as refused:
        an_offering().settled("fast", {"precision": "fp32"})

    assert str(refused.value) == "tiny has no setting «precision». It has: steps, epochs, unet_lr."


def test_an_unknown_preset_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadValue, match="tiny has fast, slow"):
        an_offering().settled("medium", {})


def test_settings_that_do_not_go_together_are_refused_in_one_line() -> None:
    with pytest.raises(BadValue) as refused:
        an_offering().settled("fast", {"steps": "10", "epochs": "20"})

    assert "there cannot be more epochs than steps" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "pydantic" not in str(refused.value)


def test_a_training_costs_its_steps_the_samples_of_its_epochs_and_its_class_of_gpu() -> None:
    gpus = {"any": {"label": "gpu"}, "large": {"label": "a100", "price": 150, "speed": 2.0, "hour": 90}}
    price = {"base": 10, "per_thousand_steps": 50, "per_sample": 2, "usual": {"resolution": 512, "batch": 3}}
    offering = an_offering(gpus=gpus, price=price, labels=("gpu",))
    settings = offering.settled("fast", {"steps": "200"})
    large = {"steps": 200, "epochs": 3, "resolution": 1024, "batch": 6}

    assert offering.cost(settings, gpu="any") == {"base": 10, "200 steps": 10, "2 samples": 4}
    assert offering.cost(large, gpu="large") == {"base": 10, "200 steps × 8": 80, "3 samples": 6, "GPU at 150 %": 48}
    assert (offering.gpu(), offering.gpu("large"), an_offering().gpu()) == ("any", "large", "")
    assert [offering.needs(gpu) for gpu in ("", "any", "large")] == [("gpu",), ("gpu",), ("gpu", "a100")]
    assert (offering.pace("any"), offering.pace("large"), offering.usual_steps(large)) == (0.1, 0.05, 1600)
    assert (offering.rate("any"), offering.rate("large"), an_offering(hour=7).rate("")) == (0, 90, 7)
    with pytest.raises(BadValue, match="tiny has any, large"):
        offering.gpu("huge")
    with pytest.raises(BadValue, match="tiny has none to choose from"):
        an_offering().gpu("large")


def test_a_model_that_is_continued_keeps_the_shape_of_its_adapter() -> None:
    offering = an_offering(bounds={"rank": (1, 64), "steps": (10, 2000)})

    assert offering.settled("fast", {}, kept={"rank": 4, "alpha": 2.0})["rank"] == 4
    assert offering.settled("fast", {"rank": "4"}, kept={"rank": 4, "alpha": 2.0})["alpha"] == 2.0
    with pytest.raises(BadValue, match="the model to continue from has 4"):
        offering.settled("fast", {"rank": "8"}, kept={"rank": 4})


def test_a_dataset_must_be_of_the_kind_that_the_offering_takes() -> None:
    an_offering().require_items("zorp", 2, kind=Kind.IMAGES)
    an_offering(takes="conversations").require_items("zorp", 2, kind=Kind.CONVERSATIONS)

    with pytest.raises(DatasetUnfit, match=r"Tiny needs pictures; «zorp» has conversations\."):
        an_offering().require_items("zorp", 2, kind=Kind.CONVERSATIONS)
    with pytest.raises(DatasetUnfit, match=r"Tiny needs 2 to 50 conversations; «zorp» has 1\."):
        an_offering(takes="conversations").require_items("zorp", 1, kind=Kind.CONVERSATIONS)


@pytest.mark.parametrize("count", [0, 1, 51])
def test_a_dataset_must_have_the_size_that_the_offering_needs(count: int) -> None:
    with pytest.raises(DatasetUnfit) as refused:
        an_offering().require_items("zorp", count)

    assert str(refused.value) == f"Tiny needs 2 to 50 pictures; «zorp» has {count}."


def test_the_version_changes_with_anything_that_is_promised() -> None:
    variants = [
        an_offering(),
        an_offering(price={"base": 11, "per_thousand_steps": 50}),
        an_offering(presets={"fast": {"steps": 11, "epochs": 2}}),
        an_offering(bounds={"steps": (10, 2001)}),
    ]

    assert len({offering.version for offering in variants}) == len(variants)
    assert an_offering().version == an_offering().version


@pytest.mark.parametrize(
    "facts",
    [
        {"presets": {}},
        {"presets": {"fast": {"steps": 0}}},
        {"presets": {"fast": {"stepz": 10}}},
        {"bounds": {"stepz": (1, 2)}},
        {"bounds": {"steps": (20, 10)}},
        {"price": {"base": -1, "per_thousand_steps": 0}},
        {"price": {"base": 1, "per_thousand_steps": 0, "usual": {"stepz": 1}}},
        {"price": {"base": 1, "per_thousand_steps": 0, "usual": {"batch": 0}}},
        {"gpus": {"large": {"label": "", "price": 100}}},
        {"gpus": {"large": {"label": "a100", "price": 0}}},
        {"gpus": {"large": {"label": "a100", "speed": 0}}},
        {"generation": {**DRAWING, "sides": (72, 128)}},
        {"generation": {**DRAWING, "step_range": (5, 50)}},
        {"generation": {**DRAWING, "step_range": (0, 50)}},
        {"generation": {**DRAWING, "guidance_range": (4, 5)}},
        {"generation": {**DRAWING, "size": 68}},
        {"generation": {**DRAWING, "royalty": 101}},
    ],
)
def test_an_offering_that_could_not_be_sold_cannot_be_made(facts: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        an_offering(**facts)


@given(st.integers(0, 200), st.integers(0, 200), st.integers(-1, 60), st.floats(allow_nan=True), st.integers(-1, 6))
def test_a_picture_is_within_its_ranges_or_refused(
    width: int, height: int, steps: int, guidance: float, count: int
) -> None:
    drawing = an_offering().drawing
    wished = {"width": width, "height": height, "steps": steps, "guidance": guidance, "count": count}
    sound = 64 <= width <= 128 and 64 <= height <= 128 and width % 8 == height % 8 == 0
    if sound and 1 <= steps <= 50 and 0 <= guidance <= 10 and 1 <= count <= 4:
        assert drawing.settled(wished) == wished
        return

    with pytest.raises(BadValue):
        drawing.settled(wished)


def test_what_is_not_wished_is_usual_and_where_no_ranges_are_named_nothing_else_can_be_had() -> None:
    usual = {"width": 64, "height": 64, "steps": 4, "guidance": 3.0, "count": 1}
    fixed = an_offering(generation=DRAWING).drawing

    assert an_offering().drawing.settled({"width": None}) == usual
    assert fixed.settled({"count": 4}) == {**usual, "count": 4}
    assert (fixed.sides, fixed.step_range, fixed.guidance_range) == ((64, 64), (4, 4), (3.0, 3.0))


@pytest.mark.parametrize(
    ("width", "height", "cost"), [(64, 64, 3), (32, 32, 3), (64, 72, 6), (128, 64, 6), (128, 128, 12)]
)
def test_pictures_cost_by_their_area_and_never_less_than_usual_ones(width: int, height: int, cost: int) -> None:
    assert an_offering().drawing.cost(width, height, 3) == cost


def test_an_offering_whose_models_write_draws_nothing() -> None:
    with pytest.raises(OfferingClosed, match="tiny is not on offer here: its models make no pictures"):
        _ = an_offering(generation=None).drawing


def test_a_quote_is_accepted_once_before_it_expires_at_its_own_price() -> None:
    quote = a_quote()

    accepted = quote.accepted(job="j1", offering_version="v1", now=NOON + OPEN_FOR - timedelta(milliseconds=1))

    assert (accepted.state, accepted.job, accepted.price) == (QuoteState.ACCEPTED, "j1", 11)
    for asked, version, moment in ((quote, "v1", NOON + OPEN_FOR), (quote, "v2", NOON), (accepted, "v1", NOON)):
        with pytest.raises(QuoteExpired):
            asked.accepted(job="j2", offering_version=version, now=moment)


def test_words_are_taken_as_they_are_where_they_are_neither_too_long_nor_too_short() -> None:
    bounds = {"class_prompt": (3, 20)}
    offering = an_offering(recipe="dreambooth_lora", bounds=bounds)

    assert offering.settled("fast", {"class_prompt": "a photo of a dog"})["class_prompt"] == "a photo of a dog"
    for words in ("it", "a" * 21):
        with pytest.raises(BadValue, match="it takes 3 to 20 characters"):
            offering.settled("fast", {"class_prompt": words})


def test_a_base_says_what_makes_it_fast() -> None:
    few = offerings()["demo-hyper"].base.few_steps

    assert few == FewSteps(adapter="package:tiny-sd-4-steps", scheduler=Scheduler.EULER)
    with pytest.raises(ValidationError):
        FewSteps(scheduler="karras")


def test_the_shipped_offerings_are_sound_and_recipes_are_found_by_name() -> None:
    shipped = offerings()

    assert {"demo-tiny", "sd15-lora"} <= set(shipped)
    assert {offering.recipe for offering in shipped.values()} <= set(names())
    with pytest.raises(LookupError, match="sd15_lora"):
        hyperparameters("sd16_lora")


def test_ones_own_offerings_come_after_those_that_ship_with_bases_where_settings_put_them(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(OFFERING)

    found = offerings(folder=tmp_path, bases={"mine": "/models/mine", "sd15": "/models/sd15"})

    located = {name: found[name].base.location for name in ("demo-tiny", "sd15-lora", "mine")}
    assert located == {"demo-tiny": "package:tiny-sd", "sd15-lora": "/models/sd15", "mine": "/models/mine"}
    assert set(found) == {*offerings(), "mine"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("title =", "title = = "),
        ('title = "Mine"\n', ""),
        ("steps = 100", "steps = 1000000"),
        ("steps = 100", "stepz = 100"),
        ("sd15_lora", "no_such_recipe"),
        ("steps = [10, 2000]", "stepz = [10, 2000]"),
        ("seconds_per_step = 0.1", "seconds_per_step = 0"),
        ('title = "Mine"', 'id = "other"\ntitle = "Mine"'),
    ],
)
def test_a_broken_offering_is_named_with_what_is_wrong(tmp_path: Path, before: str, after: str) -> None:
    (tmp_path / "mine.toml").write_text(OFFERING.replace(before, after, 1))

    with pytest.raises(OfferingBroken, match=r"^mine\.toml: ."):
        offerings(folder=tmp_path)


def test_an_offering_that_is_no_text_is_broken_too(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(OfferingBroken, match=r"^mine\.toml"):
        offerings(folder=tmp_path)
