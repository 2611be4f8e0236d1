"""DreamBooth: the class is drawn once, told of, kept and healed; a subject is learnt and its class is not forgotten."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import JsonValue
from safetensors.torch import load_file

from tests.builders.bases import Line, a_base, a_drawing, a_look, a_training
from worker.architectures.sd15 import embed, load, wearing
from worker.pipelines.base import Base
from worker.pipelines.lesson import SAMPLE_SEED
from worker.pipelines.placement import Placement
from worker.pipelines.prior import with_trigger
from worker.pipelines.studio import Studio
from worker.pipelines.tasks import (
    GenerationTask,
    Preparing,
    Stopped,
    Trained,
    TrainingItem,
    TrainingTask,
    WeightedAdapter,
)

CPU = Placement(device="cpu", dtype=torch.float32)
ZORP = Path(__file__).parents[2] / "loraguild" / "demo" / "pictures"
PICTURES = 5


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(CPU)


def a_task(folder: Path, base: Path, wish: Mapping[str, JsonValue] = {}) -> TrainingTask:
    """Describe a DreamBooth training of six steps whose cache is beside its folder."""
    small: dict[str, JsonValue] = {"class_prompt": "a red circle", "class_pictures": PICTURES}
    task = a_training(folder, base=base, hyperparameters=small | dict(wish))
    return task.but(recipe="dreambooth_lora", cache=folder.parent / "cache", sample_prompts=())


def finished(studio: Studio, task: TrainingTask, line: Line | None = None) -> Trained:
    result = studio.train(task, line or Line())
    assert isinstance(result, Trained)
    return result


@pytest.fixture(scope="module")
def whole(studio: Studio, base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Line, Path]:
    """Train without a break and without a cache, and return where the cache is then."""
    folder, line = tmp_path_factory.mktemp("whole"), Line()
    return finished(studio, a_task(folder / "a", base), line), line, folder / "cache"


def same(one: Path, other: Path) -> bool:
    first, second = load_file(one), load_file(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def made(line: Line) -> list[int]:
    """Return how many pictures of the class there were each time that it was told."""
    told = [event for event in line.events if isinstance(event, Preparing)]
    assert {(event.total, event.doing) for event in told} <= {(PICTURES, "class pictures")}
    return [event.done for event in told]


def contents(cache: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in cache.glob("*.png")}


def test_class_pictures_are_made_once_and_what_is_damaged_or_gone_is_made_again(
    studio: Studio, base: Path, whole: tuple[Trained, Line, Path], tmp_path: Path
) -> None:
    (result, first, cache), second, third = whole, Line(), Line(stop_after=3)
    assert made(first) == [1, 2, 3, 4, 5]
    assert result.seconds["class pictures"] > 0
    kept = contents(cache)
    assert len(set(kept.values())) == PICTURES

    shutil.copytree(cache, tmp_path / "cache")
    assert same(finished(studio, a_task(tmp_path / "b", base), second).artifact, result.artifact)
    damaged, gone, *_ = (tmp_path / "cache" / name for name in kept)
    damaged.write_bytes(damaged.read_bytes()[:60])
    gone.unlink()
    assert isinstance(studio.train(a_task(tmp_path / "c", base), third), Stopped)
    assert (made(second), made(third)) == ([], [4, 5])
    assert contents(tmp_path / "cache") == kept


@pytest.mark.parametrize(
    "wish", [{"class_prompt": "a blue square"}, {"sample_steps": 3}, {"sample_guidance": 1.0}, {"resolution": 128}]
)
def test_pictures_of_another_class_or_made_otherwise_are_others(
    studio: Studio, base: Path, tmp_path: Path, wish: dict[str, JsonValue]
) -> None:
    for number, one in enumerate(({}, wish)):
        stopped = studio.train(a_task(tmp_path / f"{number}", base, one), Line(stop_after=2))
        assert stopped == Stopped(checkpoint=None, step=0)
    assert len(set(contents(tmp_path / "cache").values())) == 2


def test_a_stop_in_the_middle_keeps_the_pictures_that_are_there(
    studio: Studio, base: Path, whole: tuple[Trained, Line, Path], tmp_path: Path
) -> None:
    task, line = a_task(tmp_path / "a", base), Line()
    assert studio.train(task, Line(stop_after=3)) == Stopped(checkpoint=None, step=0)
    assert len(contents(tmp_path / "cache")) == 2
    assert same(finished(studio, task, line).artifact, whole[0].artifact)
    assert made(line) == [3, 4, 5]


def test_a_resumed_run_makes_no_pictures_and_ends_as_an_uninterrupted_one(
    studio: Studio, base: Path, whole: tuple[Trained, Line, Path], tmp_path: Path
) -> None:
    task, line = a_task(tmp_path / "a", base).but(cache=whole[2]), Line()
    stopped = studio.train(task, Line(stop_after=4))
    assert isinstance(stopped, Stopped)
    assert stopped.step == 4
    resumed = finished(studio, task.but(checkpoint=stopped.checkpoint), line)
    assert same(resumed.artifact, whole[0].artifact)
    assert made(line) == []


def test_the_loss_falls_and_the_artifact_draws_as_the_adapter_did_in_memory(
    studio: Studio, base: Path, tmp_path: Path
) -> None:
    wish: dict[str, JsonValue] = {"steps": 30, "epochs": 1, "targets": "all", "unet_lr": 0.02, "alpha": 8.0}
    task = a_task(tmp_path / "a", base, wish).but(sample_prompts=("zorp on a hill",))
    result = finished(studio, task)
    assert result.evaluation_after < 0.97 * result.evaluation_before
    look = a_look(base, adapters=(WeightedAdapter(artifact=result.artifact, name="zorp"),))
    drawing = a_drawing(tmp_path / "drawn", prompt=task.sample_prompts[0], seed=SAMPLE_SEED, count=1)
    ((drawn,),) = studio.generate(GenerationTask(look=look, drawings=(drawing,)), Line()).pictures
    one, other, before = (np.asarray(Image.open(path), dtype=float) for path in (drawn, *result.after, *result.before))
    assert np.abs(one - other).max() <= 1
    assert np.abs(one - before).max() > 1


@pytest.mark.parametrize(
    ("caption", "told"),
    [("", "zorp"), ("on a hill", "zorp, on a hill"), ("zorp on a hill", "zorp on a hill"), ("a Zorp", "a Zorp")],
)
def test_every_caption_calls_the_subject_once(caption: str, told: str) -> None:
    assert with_trigger(caption, "zorp") == told


CLASS = "a triangle"
DEMO: dict[str, JsonValue] = {
    "steps": 24,
    "epochs": 1,
    "batch": 2,
    "rank": 16,
    "alpha": 16.0,
    "unet_lr": 3e-3,
    "text_encoder_lr": 0.0,
    "caption_dropout": 0.0,
    "min_snr_gamma": 0.0,
    "sample_steps": 4,
    "class_prompt": CLASS,
    "class_pictures": 4,
}


@torch.no_grad()
def predicted(base: Base) -> torch.Tensor:
    """Return what the base makes of fixed noise when it is told of the class, at several levels."""
    noise = torch.randn((16, 4, 8, 8), generator=torch.Generator().manual_seed(3))
    text = embed(base, base.tokens([CLASS] * 16))["text"]
    found: torch.Tensor = base.pipeline.unet(noise, torch.linspace(999, 99, 16).long(), text).sample
    return found


@pytest.mark.timeout(600)
def test_with_its_class_beside_it_the_base_forgets_less_of_it(studio: Studio, tmp_path: Path) -> None:
    items = tuple(TrainingItem(picture=path, caption="zorp") for path in sorted(ZORP.glob("*.png"))[:6])
    plain = load("package:tiny-sd", CPU)
    before, drift = predicted(plain), {}
    for weight in (0.0, 1.0):
        task = a_task(tmp_path / f"{weight}", Path("package:tiny-sd"), DEMO | {"prior_weight": weight})
        result = finished(studio, task.but(items=items))
        assert result.evaluation_after < 0.75 * result.evaluation_before
        with wearing(plain, (WeightedAdapter(artifact=result.artifact, name="zorp"),)):
            drift[weight] = float((predicted(plain) - before).square().mean())
    assert drift[1.0] < 0.6 * drift[0.0]
