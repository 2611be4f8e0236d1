"""What may be chosen for any adapter: each option trains, goes on after a stop as if there had been none, and works."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from tests.builders.bases import Line, a_base, a_training
from worker.pipelines import lesson
from worker.pipelines.placement import Placement
from worker.pipelines.studio import Studio
from worker.pipelines.tasks import (
    BadAdapter,
    Extend,
    Sampled,
    SampleNow,
    Saved,
    SaveNow,
    StopEarly,
    Stopped,
    Trained,
    TrainingItem,
    TrainingTask,
)

OPTIONS: dict[str, dict[str, Any]] = {
    "dora": {"variant": "dora", "targets": "all"},
    "rank-stabilized": {"rank_stabilized": True},
    "lora+": {"lr_ratio": 16.0},
    "dropout": {"dropout": 0.3},
    "8 bit": {"optimizer": "adamw8bit"},
    "prodigy": {"optimizer": "prodigy", "unet_lr": 1.0, "text_encoder_lr": 1.0},
    "average": {"ema": 0.5},
    "accumulation": {"batch": 1, "accumulation": 2},
    "checkpointing": {"checkpointing": True},
    "words": {"shuffle": True, "keep_tokens": 0, "caption_dropout": 0.5},
    "pictures": {"flip": True, "buckets": True, "noise_offset": 0.1},
    "held out": {"validation": 0.3},
    "half": {"compute": "bf16"},
}
ONLY_MEMORY = {"8 bit", "accumulation", "checkpointing"}  # without a GPU the first is plain AdamW
USUAL: dict[str, Any] = {"batch": 4, "unet_lr": 1e-3, "text_encoder_lr": 1e-4}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(Placement(device="cpu", dtype=torch.float32))


def a_task(folder: Path, base: Path, **wish: Any) -> TrainingTask:
    task = a_training(folder, base=base, hyperparameters=wish)
    items = tuple(item.but(caption=f"{item.caption}, red, left, large") for item in task.items)
    return task.but(items=items, sample_prompts=())


def finished(studio: Studio, task: TrainingTask, line: Line | None = None) -> Trained:
    result = studio.train(task, line or Line())
    assert isinstance(result, Trained)
    return result


def followed(studio: Studio, task: TrainingTask) -> tuple[Trained, Path]:
    """Train, and return the checkpoint after four of the six steps too."""
    line = Line()
    result = finished(studio, task.but(checkpoint_every=1e-9), line)
    return result, line.checkpoints[3].path


@pytest.fixture(scope="module")
def plain(studio: Studio, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train without any option."""
    return finished(studio, a_task(tmp_path_factory.mktemp("plain"), base))


@pytest.fixture(scope="module")
def usual(studio: Studio, base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Path]:
    """Train at the usual rates."""
    return followed(studio, a_task(tmp_path_factory.mktemp("usual"), base, **USUAL))


def same(one: Path, other: Path) -> bool:
    first, second = load_file(one), load_file(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def nearly(one: Path, other: Path) -> None:
    torch.testing.assert_close(load_file(one), load_file(other), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_learns_and_goes_on_as_if_it_had_not_been_stopped(
    studio: Studio, base: Path, plain: Trained, tmp_path: Path, option: str
) -> None:
    task = a_task(tmp_path, base, **OPTIONS[option])
    whole, checkpoint = followed(studio, task.but(folder=tmp_path / "whole"))
    assert same(finished(studio, task.but(checkpoint=checkpoint)).artifact, whole.artifact)
    assert whole.evaluation_after < whole.evaluation_before
    assert (
        option in ONLY_MEMORY
        or load_file(whole.artifact).keys() != load_file(plain.artifact).keys()
        or not same(whole.artifact, plain.artifact)
    )


@pytest.mark.parametrize("saved", [{"batch": 1, "accumulation": 4}, {"checkpointing": True}])
def test_saving_memory_changes_no_weights_to_speak_of_even_in_the_middle(
    studio: Studio, base: Path, usual: tuple[Trained, Path], tmp_path: Path, saved: dict[str, Any]
) -> None:
    task, (whole, checkpoint) = a_task(tmp_path, base, **USUAL | saved), usual
    for begun in (None, checkpoint):
        nearly(finished(studio, task.but(checkpoint=begun)).artifact, whole.artifact)


def test_what_is_held_out_is_not_learnt(tmp_path: Path) -> None:
    items = []
    for number in range(10):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / f"{number}.png")
        items.append(TrainingItem(picture=tmp_path / f"{number}.png", caption=""))
    taught, held = lesson.split(items, share=0.3)
    assert (len(taught), len(held)) == (7, 3)
    assert {*taught, *held} == {*items}
    assert {*lesson.split(items[::-1], share=0.3)[1]} == {*held}
    assert lesson.split(items[:1], share=0.5) == ((items[0],), ())


def test_a_training_goes_on_from_an_earlier_model(studio: Studio, base: Path, plain: Trained, tmp_path: Path) -> None:
    second = finished(studio, a_task(tmp_path / "second", base).but(start=plain.artifact))
    assert second.evaluation_before == pytest.approx(plain.evaluation_after, rel=1e-5)
    assert second.evaluation_after < second.evaluation_before
    with pytest.raises(BadAdapter, match="another rank"):
        studio.train(a_task(tmp_path / "third", base, rank=8).but(start=plain.artifact), Line())
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    with pytest.raises(BadAdapter, match="cannot be loaded"):
        studio.train(a_task(tmp_path / "third", base).but(start=tmp_path / "junk.safetensors"), Line())


def test_samples_and_the_adapter_come_when_they_are_wished_and_change_nothing(
    studio: Studio, base: Path, plain: Trained, tmp_path: Path
) -> None:
    line = Line(wishes={2: SampleNow(), 4: SaveNow()})
    result = finished(studio, a_task(tmp_path, base).but(sample_prompts=("zorp",)), line)
    (sampled,) = [event for event in line.events if isinstance(event, Sampled)]
    (saved,) = [event for event in line.events if isinstance(event, Saved)]
    assert (sampled.step, saved.step, len(sampled.samples)) == (2, 4, 1)
    assert saved.loss == line.points[3].loss
    assert not same(saved.artifact, result.artifact)
    assert same(result.artifact, plain.artifact)


def test_a_training_that_is_stopped_early_ends_with_what_it_has_learnt(
    studio: Studio, base: Path, tmp_path: Path
) -> None:
    line = Line(wishes={2: StopEarly()})
    result = finished(studio, a_task(tmp_path, base), line)
    assert result.step == 2
    assert [(epoch.number, epoch.step) for epoch in line.epochs] == [(1, 2)]
    assert line.epochs[0].loss == pytest.approx(sum(point.loss for point in line.points) / 2)
    assert result.evaluation_after < result.evaluation_before


def test_a_training_that_is_extended_goes_on_and_can_be_resumed_then(
    studio: Studio, base: Path, tmp_path: Path
) -> None:
    line = Line(wishes={4: Extend(steps=3)}, stop_after=8)
    task = a_task(tmp_path, base)
    stopped = studio.train(task, line)
    assert isinstance(stopped, Stopped)
    assert [(epoch.number, epoch.step) for epoch in line.epochs] == [(1, 3), (2, 6)]
    longer = task.but(checkpoint=stopped.checkpoint, hyperparameters={**task.hyperparameters, "extra": [3]})
    rest = Line()
    assert finished(studio, longer, rest).step == 9
    assert [(epoch.number, epoch.step) for epoch in rest.epochs] == [(3, 9)]
    assert [point.step for point in (*line.points, *rest.points)] == [*range(1, 10)]
