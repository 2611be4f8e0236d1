"""Several processes make the steps of one: through accelerate, between two CPU processes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.builders.bases import Line, a_base, a_training
from worker.pipelines.placement import Placement
from worker.pipelines.studio import Studio
from worker.pipelines.tasks import BadHyperparameters, Sampled, SampleNow, Stopped, Trained, TrainingTask

pytestmark = pytest.mark.timeout(600)  # each starts processes that import torch

WISH: dict[str, Any] = {"batch": 4, "unet_lr": 1e-3, "text_encoder_lr": 1e-4}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(Placement(device="cpu", dtype=torch.float32))


def finished(studio: Studio, task: TrainingTask, line: Line | None = None) -> Trained:
    result = studio.train(task, line or Line())
    assert isinstance(result, Trained)
    return result


def test_two_processes_train_what_one_would_and_stop_and_go_on_together_or_alone(
    studio: Studio, base: Path, tmp_path: Path
) -> None:
    alone, begun, rest = Line(), Line(wishes={2: SampleNow()}, stop_after=3), Line()
    task = a_training(tmp_path, base=base, hyperparameters=WISH)
    one = finished(studio, task.but(folder=tmp_path / "one"), alone)
    stopped = studio.train(task.but(processes=2), begun)
    assert isinstance(stopped, Stopped)
    assert stopped.step == 3
    left = task.but(checkpoint=stopped.checkpoint)
    for two in (finished(studio, left), finished(studio, left.but(processes=2), rest)):
        torch.testing.assert_close(load_file(two.artifact), load_file(one.artifact), rtol=1e-3, atol=1e-5)
    losses = [point.loss for point in (*begun.points, *rest.points)]
    assert losses == pytest.approx([point.loss for point in alone.points], rel=1e-4)
    assert [event.step for event in begun.events if isinstance(event, Sampled)] == [2]


def test_examples_that_cannot_be_shared_out_are_refused(studio: Studio, base: Path, tmp_path: Path) -> None:
    task = a_training(tmp_path, base=base, hyperparameters={"batch": 3}).but(processes=2)
    with pytest.raises(BadHyperparameters, match="multiple of 2"):
        studio.train(task, Line())
