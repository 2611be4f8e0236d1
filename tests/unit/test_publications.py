"""What a published file says of itself, which epoch a model is, and when the others go."""

import base64
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.errors import EpochGone, NotFound
from core.domain.model import Licence, Model
from core.domain.modelspec import PRIVATE, told
from core.domain.rating import Rating
from core.domain.run import Run
from tests.builders.entities import NOON, a_model, a_run, an_artifact, an_epoch

DAY = timedelta(days=1)
TRAINED = {"ss_seed": "7", "ss_output_name": "my private dataset", "modelspec.architecture": "stable-diffusion-v1/lora"}


def idle(run: Run, *, days: int) -> bool:
    """Say whether its epochs are due so many days from noon, 30 after a choice and 90 after its end."""
    now = NOON + days * DAY
    return run.is_idle(chosen_before=now - 30 * DAY, ended_before=now - 90 * DAY)


def test_a_file_says_what_the_model_is() -> None:
    model = a_model(description="A tin robot.", licence=Licence.CC0, tags=("tin", "toy"), slug="hero")

    assert told(TRAINED, model, thumbnail=b"jpeg") == {
        "ss_seed": "7",
        "ss_output_name": "hero",
        "modelspec.architecture": "stable-diffusion-v1/lora",
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.title": "hero",
        "modelspec.author": "ann",
        "modelspec.description": "A tin robot.",
        "modelspec.date": "2026-03-01T12:00:00+00:00",
        "modelspec.license": "cc0-1.0",
        "modelspec.tags": "tin, toy",
        "modelspec.usage_hint": "Use zorp in the prompt.",
        "modelspec.trigger_phrase": "zorp",
        "modelspec.thumbnail": f"data:image/jpeg;base64,{base64.b64encode(b'jpeg').decode()}",
    }


def test_what_is_not_said_any_more_is_gone_from_the_file() -> None:
    before = told(TRAINED, a_model(description="A tin robot.", tags=("tin",)), thumbnail=b"jpeg")

    assert told(before, a_model(), thumbnail=None) == told(TRAINED, a_model(), thumbnail=None)


@given(known=st.dictionaries(st.sampled_from([*sorted(PRIVATE), "ss_seed", "modelspec.title"]), st.text()))
def test_said_twice_is_said_once_and_nothing_of_the_dataset_is_told(known: dict[str, str]) -> None:
    once = told(known, a_model(), thumbnail=b"jpeg")

    assert told(once, a_model(), thumbnail=b"jpeg") == once
    assert not PRIVATE & once.keys()
    assert all(once.values())


@pytest.mark.parametrize(
    "changed",
    [
        a_model(slug="hero"),
        a_model(description="Other words."),
        a_model(licence=Licence.CC0),
        a_model(tags=("tin",)),
        a_model(samples=(an_artifact(),)),
        a_model(step=3),
        a_model(owner_name="bob"),
        a_model(rating=Rating.NSFW),
    ],
)
def test_a_model_that_presents_itself_otherwise_has_another_imprint(changed: Model) -> None:
    assert changed.imprint != a_model().imprint


def test_what_publication_adds_and_who_may_use_it_leave_the_imprint() -> None:
    stored = {"artifact": an_artifact("b"), "weights": "c", "card": an_artifact("d"), "thumbnail": an_artifact("e")}

    assert a_model(**stored, shared=("bob",), downloads=3).imprint == a_model().imprint


def test_the_file_of_a_model_has_its_name_and_is_of_its_kind() -> None:
    names = [a_model(slug="hero", artifact=an_artifact(name)).file.name for name in ("a.b.safetensors", "a.zip")]

    assert names == ["hero.safetensors", "hero.zip"]


def test_an_epoch_that_is_passed_again_is_replaced_and_one_saved_between_is_not() -> None:
    first, second = an_epoch(1, step=10), an_epoch(2, step=20)
    saved = an_epoch(2, step=15, wished=True)
    run = a_run()
    for epoch in (second, first, saved, second.but(loss=0.1)):
        run = run.with_epoch(epoch)

    assert run.epochs == (first, saved, second.but(loss=0.1))
    assert [epoch.name for epoch in run.epochs] == ["1", "step-15", "2"]
    assert (run.epoch_at(None), run.epoch_at(15), run.epoch_at(16)) == (run.epochs[-1], saved, None)
    assert a_run().epoch_at(None) is None


def test_epochs_go_some_time_after_a_choice_and_later_where_there_was_none() -> None:
    running = a_run(epochs=(an_epoch(1), an_epoch(2)))
    ended = running.but(ended_at=NOON)
    chosen, _ = ended.chosen(1, now=NOON + 80 * DAY)

    assert [idle(running, days=999), idle(ended, days=90), idle(ended, days=91)] == [False, False, True]
    assert [idle(chosen, days=110), idle(chosen, days=111)] == [False, True]
    assert not idle(chosen.swept(None, now=NOON), days=999)


def test_what_was_let_go_is_known_still_and_cannot_be_chosen() -> None:
    first, second = an_epoch(1, samples=(an_artifact(),)), an_epoch(2)
    swept = a_run(epochs=(first, second)).swept(second, now=NOON)

    assert swept.epochs == (first.but(gone=True), second)
    assert swept.files == (an_artifact().sha256, second.artifact.sha256)
    assert swept.chosen(2, now=NOON)[1] == second
    with pytest.raises(EpochGone, match="epoch 1 is gone"):
        swept.chosen(1, now=NOON)
    with pytest.raises(NotFound):
        swept.chosen(3, now=NOON)
