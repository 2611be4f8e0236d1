"""Training a LoRA of the SD1.5 family: it repeats, resumes, learns, and says what is wrong."""

import importlib
import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import JsonValue
from safetensors.torch import load_file

import core.domain.recipes
import worker.recipes
from core.domain.recipes.sd15_lora import Hyperparameters
from tests.builders.bases import Line, a_base, a_generation, a_training
from worker.pipelines.placement import Placement
from worker.pipelines.studio import Studio
from worker.pipelines.tasks import (
    BadCheckpoint,
    BadItem,
    BaseMissing,
    NanLoss,
    Stopped,
    Trained,
    TrainingItem,
    TrainingTask,
)

ZORP = Path(__file__).parents[2] / "loraguild" / "demo" / "pictures"


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


@pytest.fixture(scope="module")
def whole(studio: Studio, base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, Line]:
    """Train without a break, with a checkpoint after every step."""
    line = Line()
    return finished(
        studio, a_training(tmp_path_factory.mktemp("whole"), base=base).but(checkpoint_every=1e-9), line
    ), line


def same(one: Path, other: Path) -> bool:
    first, second = load_file(one), load_file(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def size_of(picture: Path) -> tuple[int, int]:
    with Image.open(picture) as opened:
        return opened.size


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    studio: Studio, base: Path, whole: tuple[Trained, Line], tmp_path: Path
) -> None:
    task = a_training(tmp_path, base=base).but(sample_prompts=())
    assert same(finished(studio, task).artifact, whole[0].artifact)
    assert not same(finished(studio, task.but(seed=6)).artifact, whole[0].artifact)


@pytest.mark.parametrize("stop_after", [1, 3, 4])
def test_a_resumed_run_ends_as_an_uninterrupted_one(
    studio: Studio, base: Path, whole: tuple[Trained, Line], tmp_path: Path, stop_after: int
) -> None:
    (uninterrupted, line), first, second = whole, Line(stop_after=stop_after), Line()
    task = a_training(tmp_path, base=base).but(sample_prompts=())
    stopped = studio.train(task, first)
    assert stopped == Stopped(checkpoint=first.checkpoints[-1].path, step=stop_after)
    resumed = finished(studio, task.but(checkpoint=stopped.checkpoint), second)
    assert same(resumed.artifact, uninterrupted.artifact)
    assert first.points + second.points == line.points
    assert [epoch.loss for epoch in first.epochs + second.epochs] == [epoch.loss for epoch in line.epochs]
    assert (resumed.evaluation_before, resumed.evaluation_after) == (
        uninterrupted.evaluation_before,
        uninterrupted.evaluation_after,
    )


def test_events_tell_every_step_once_and_every_epoch_with_its_files(whole: tuple[Trained, Line]) -> None:
    result, line = whole
    assert [point.step for point in line.points] == [1, 2, 3, 4, 5, 6]
    assert [(epoch.number, epoch.step) for epoch in line.epochs] == [(1, 3), (2, 6)]
    assert line.epochs[0].loss == pytest.approx(sum(point.loss for point in line.points[:3]) / 3)
    assert (result.artifact, result.after, result.step) == (line.epochs[-1].artifact, line.epochs[-1].samples, 6)
    assert [size_of(path) for path in (*result.before, *result.after)] == [(64, 64)] * 2
    assert [checkpoint.step for checkpoint in line.checkpoints] == [1, 2, 3, 4, 5]
    assert not list(result.artifact.parent.rglob("*.part"))


def test_a_checkpoint_of_another_run_is_refused(
    studio: Studio, base: Path, whole: tuple[Trained, Line], tmp_path: Path
) -> None:
    task = a_training(tmp_path, base=base).but(sample_prompts=(), checkpoint=whole[1].checkpoints[-1].path)
    with pytest.raises(BadCheckpoint, match="another run"):
        studio.train(task.but(seed=99), Line())


@pytest.mark.parametrize("kept", [0, 7, 200, 5_000])
def test_a_damaged_checkpoint_is_refused(
    studio: Studio, base: Path, whole: tuple[Trained, Line], tmp_path: Path, kept: int
) -> None:
    damaged = tmp_path / "damaged"
    damaged.write_bytes(whole[1].checkpoints[-1].path.read_bytes()[:kept])
    with pytest.raises(BadCheckpoint, match="cannot be read"):
        studio.train(a_training(tmp_path, base=base).but(sample_prompts=(), checkpoint=damaged), Line())


def test_training_leaves_the_warm_base_as_it_was(studio: Studio, base: Path, tmp_path: Path) -> None:
    def drawn(folder: str) -> list[bytes]:
        (made,) = studio.generate(a_generation(tmp_path / folder, base=base), Line()).pictures
        return [path.read_bytes() for path in made]

    untouched = drawn("before")
    studio.train(a_training(tmp_path, base=base, hyperparameters={"targets": "all"}), Line(stop_after=2))
    assert drawn("after") == untouched


@pytest.mark.parametrize(("prediction", "gamma"), [("epsilon", 0.0), ("v_prediction", 5.0)])
def test_both_predictions_learn(studio: Studio, tmp_path: Path, prediction: str, gamma: float) -> None:
    base = a_base(tmp_path / "base", prediction=prediction)
    wish: dict[str, JsonValue] = {
        "steps": 30,
        "epochs": 1,
        "min_snr_gamma": gamma,
        "targets": "all",
        "unet_lr": 0.02,
        "alpha": 8.0,
    }
    result = finished(studio, a_training(tmp_path, base=base, hyperparameters=wish).but(sample_prompts=()))
    assert result.evaluation_after < 0.97 * result.evaluation_before
    assert (result.before, result.after) == ((), ())


def test_half_precision_learns_resumes_and_repeats(tmp_path: Path, base: Path) -> None:
    studio, line = Studio(Placement(device="cpu", dtype=torch.float16)), Line()
    task = a_training(tmp_path, base=base).but(sample_prompts=())
    whole = finished(studio, task.but(folder=tmp_path / "whole", checkpoint_every=1e-9), line)
    assert same(finished(studio, task.but(checkpoint=line.checkpoints[3].path)).artifact, whole.artifact)
    assert whole.evaluation_after < whole.evaluation_before


def test_a_loss_that_is_no_number_is_a_failure(studio: Studio, tmp_path: Path) -> None:
    base = a_base(tmp_path / "base", broken=True)
    line = Line()
    with pytest.raises(NanLoss, match="no longer a number at step") as caught:
        studio.train(a_training(tmp_path, base=base).but(sample_prompts=()), line)
    assert caught.value.code == "nan_loss"
    assert line.epochs == []


def test_a_missing_base_says_what_to_set(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(BaseMissing, match=r"Set the `location`") as caught:
        studio.train(a_training(tmp_path, base=tmp_path), Line())
    assert caught.value.code == "base_missing"


def test_an_unreadable_picture_is_named(studio: Studio, base: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.png").write_bytes((ZORP / "01.png").read_bytes()[:500])
    items = (TrainingItem(picture=tmp_path / "cut.png", caption="zorp"),)
    with pytest.raises(BadItem, match=r"cut\.png") as caught:
        studio.train(a_training(tmp_path, base=base).but(items=items), Line())
    assert caught.value.code == "bad_item"


def test_the_artifact_says_how_it_was_made_and_keeps_captions_private(
    whole: tuple[Trained, Line],
) -> None:
    result, _ = whole
    content = result.artifact.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    expected = {
        "modelspec.architecture": "stable-diffusion-v1/lora",
        "modelspec.title": "Zorp",
        "modelspec.author": "ada",
        "modelspec.trigger_phrase": "zorp",
        "modelspec.resolution": "64x64",
        "ss_network_dim": "4",
        "ss_network_alpha": "2.0",
        "ss_sd_model_hash": result.base_hash,
        "ss_steps": "6",
        "ss_epoch": "2",
        "ss_seed": "5",
    }
    assert expected.items() <= metadata.items()
    assert metadata.keys().isdisjoint({"ss_tag_frequency", "ss_dataset_dirs"})
    assert b"zorp number" not in content


def test_both_registries_know_the_same_recipes() -> None:
    assert core.domain.recipes.names() == worker.recipes.names()
    assert core.domain.recipes.hyperparameters("sd15_lora") is Hyperparameters
    assert worker.recipes.training_of("sd15_lora") is importlib.import_module("worker.recipes.sd15_lora").train
    for find in (core.domain.recipes.hyperparameters, worker.recipes.training_of):
        with pytest.raises(LookupError, match="no recipe 'os'"):
            find("os")


def test_the_contract_and_the_registries_need_no_torch() -> None:
    code = (
        "import sys, core.domain.recipes, worker.pipelines.tasks, worker.recipes, worker.bases;"
        "core.domain.recipes.hyperparameters('sd15_lora'); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


DEMO: dict[str, JsonValue] = {
    "steps": 60,
    "epochs": 1,
    "batch": 4,
    "rank": 16,
    "alpha": 16.0,
    "unet_lr": 3e-3,
    "text_encoder_lr": 5e-3,
    "caption_dropout": 0.0,
    "min_snr_gamma": 0.0,
    "sample_steps": 8,
    "sample_guidance": 2.0,
}


def unlikeness(picture: Path) -> float:
    """Return how purple, yellow, purple the thirds of a picture's middle are: 0 is as in the data set."""
    with Image.open(picture) as opened:
        column = np.asarray(opened.convert("RGB"), dtype=float)[:, 27:37].mean(axis=1) / 255
    bands = np.stack([column[10:20].mean(axis=0), column[26:34].mean(axis=0), column[42:50].mean(axis=0)])
    wanted = np.array([(140, 60, 180), (240, 210, 50), (140, 60, 180)]) / 255
    return float(np.linalg.norm(bands - wanted, axis=1).mean())


def test_the_demo_base_learns_zorp(studio: Studio, tmp_path: Path) -> None:
    backgrounds = ("white", "red", "blue", "green", "pink", "black") * 2
    items = tuple(
        TrainingItem(picture=ZORP / f"{n:02}.png", caption=f"zorp on a {background} background")
        for n, background in enumerate(backgrounds, start=1)
    )
    task = a_training(
        tmp_path,
        base=Path("package:tiny-sd"),
        hyperparameters=DEMO,
    )
    prompts = tuple(f"zorp on a {background} background" for background in ("white", "blue", "green", "pink"))
    result = finished(studio, task.but(items=items, sample_prompts=prompts))
    assert result.evaluation_after < 0.5 * result.evaluation_before
    before, after = (np.mean([unlikeness(path) for path in paths]) for paths in (result.before, result.after))
    assert after < 0.75 * before
