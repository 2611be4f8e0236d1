"""Hyper-LoRA: a base with a few-step adapter in it draws, trains, resumes and exports as any other, only faster."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from PIL import Image
from pydantic import JsonValue
from safetensors.torch import load_file

from core.domain.adaptation import Targets
from core.domain.offering import FewSteps, Scheduler
from core.domain.recipes.sd15_lora import Hyperparameters
from tests.builders.bases import Line, a_base, a_drawing, a_look, a_training
from worker.architectures.sd15 import exported, load, sampler, targets
from worker.bases import ADAPTER
from worker.pipelines import kohya, lora, sampling
from worker.pipelines.course import stepped
from worker.pipelines.few_steps import made_fast
from worker.pipelines.lesson import SAMPLE_SEED
from worker.pipelines.placement import Placement
from worker.pipelines.sampling import Shot
from worker.pipelines.studio import Studio
from worker.pipelines.tasks import (
    BaseMissing,
    GenerationTask,
    Look,
    Stopped,
    Trained,
    TrainingTask,
    WeightedAdapter,
)

CPU = Placement(device="cpu", dtype=torch.float32)
RANK = 2


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a random adapter for the base as a few-step adapter lies: in a folder, under diffusers' name."""
    wish = Hyperparameters(rank=RANK, alpha=RANK, targets=Targets.ALL, precision="fp32")
    folder = tmp_path_factory.mktemp("few-steps")
    loaded = load(str(base), CPU)
    with lora.attached(loaded, wish, targets(wish), seed=7) as modules, torch.no_grad():
        for parameter in lora.trainable(modules["unet"]):
            parameter.normal_(std=0.2)
        kohya.write(folder / ADAPTER, exported(lora.weights(modules), wish), {})
    return folder


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(CPU)


def a_task(folder: Path, base: Path, adapter: Path, wish: Mapping[str, JsonValue] = {}) -> TrainingTask:
    """Describe a Hyper-LoRA training of six steps whose samples take two."""
    task = a_training(folder, base=base, hyperparameters={"sample_guidance": 1.0} | dict(wish))
    return task.but(recipe="hyper_lora", few_steps=FewSteps(adapter=str(adapter), scheduler=Scheduler.EULER))


def finished(studio: Studio, task: TrainingTask) -> Trained:
    result = studio.train(task, Line())
    assert isinstance(result, Trained)
    return result


def same(one: Path, other: Path) -> bool:
    first, second = load_file(one), load_file(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def drawn(studio: Studio, look: Look, folder: Path, *, prompt: str = "zorp") -> np.ndarray:
    """Draw one picture with the seed of the first sample."""
    drawing = a_drawing(folder, prompt=prompt, seed=SAMPLE_SEED, count=1)
    ((picture,),) = studio.generate(GenerationTask(look=look, drawings=(drawing,)), Line()).pictures
    return opened(picture)


def opened(picture: Path) -> np.ndarray:
    with Image.open(picture) as found:
        return np.asarray(found, dtype=float)


def test_the_adapter_becomes_part_of_the_base_once_and_only_where_it_is_named(
    studio: Studio, base: Path, adapter: Path, tmp_path: Path
) -> None:
    plain = drawn(studio, a_look(base), tmp_path)
    worn = drawn(studio, a_look(base, adapters=(WeightedAdapter(artifact=adapter / ADAPTER, name="few"),)), tmp_path)
    fused = drawn(studio, a_look(base, few_steps=FewSteps(adapter=str(adapter))), tmp_path)
    named = drawn(studio, a_look(base, few_steps=FewSteps(adapter=str(adapter / ADAPTER))), tmp_path)
    assert np.abs(fused - worn).max() <= 1
    assert np.array_equal(named, fused)
    assert np.abs(fused - plain).max() > 10
    assert np.array_equal(drawn(studio, a_look(base), tmp_path), plain)


@pytest.mark.parametrize(
    ("scheduler", "name"), [(Scheduler.TCD, "TCD"), (Scheduler.LCM, "LCM"), (Scheduler.EULER, "Euler")]
)
def test_a_distilled_base_draws_with_the_scheduler_it_was_made_for(
    studio: Studio, base: Path, tmp_path: Path, scheduler: Scheduler, name: str
) -> None:
    distilled = FewSteps(scheduler=scheduler)
    made = made_fast(load(str(base), CPU), distilled)
    assert (sampler(made), made.hash) == (name, load(str(base), CPU).hash)
    for steps in (1, 4, 8):
        look = a_look(base, few_steps=distilled, steps=steps, guidance=0.0)
        picture = drawn(studio, look, tmp_path)
        assert picture.std() > 0
        assert np.array_equal(drawn(studio, look, tmp_path), picture)


@pytest.mark.parametrize("levels", [1, 2, 4, 8])
def test_it_learns_where_the_steps_of_few_begin(levels: int) -> None:
    scheduler = DDIMScheduler(timestep_spacing="trailing")
    scheduler.set_timesteps(levels)
    chance = torch.rand(1000, generator=torch.Generator().manual_seed(levels))
    found = (stepped(chance, levels) * scheduler.config.num_train_timesteps).long()
    assert set(found.tolist()) == set(scheduler.timesteps.tolist())
    assert torch.equal(stepped(chance, 0), chance)


def test_a_run_resumes_as_if_it_had_never_stopped_and_its_adapter_has_nothing_of_the_other(
    studio: Studio, base: Path, adapter: Path, tmp_path: Path
) -> None:
    whole = finished(studio, a_task(tmp_path / "whole", base, adapter))
    task = a_task(tmp_path / "broken", base, adapter)
    stopped = studio.train(task, Line(stop_after=4))
    assert isinstance(stopped, Stopped)
    assert same(finished(studio, task.but(checkpoint=stopped.checkpoint)).artifact, whole.artifact)
    assert whole.base_hash not in {load(str(base), CPU).hash, ""}
    ranks = {len(tensor) for name, tensor in load_file(whole.artifact).items() if name.endswith("lora_down.weight")}
    assert ranks == {4}


def test_the_loss_falls_and_the_artifact_draws_over_the_fast_base_as_in_memory(
    studio: Studio, base: Path, adapter: Path, tmp_path: Path
) -> None:
    wish: dict[str, JsonValue] = {
        "steps": 30,
        "epochs": 1,
        "targets": "all",
        "unet_lr": 0.02,
        "alpha": 8.0,
        "min_snr_gamma": 0.0,
    }
    task = a_task(tmp_path, base, adapter, wish)
    result = finished(studio, task)
    assert result.evaluation_after < 0.97 * result.evaluation_before
    worn = (WeightedAdapter(artifact=result.artifact, name="zorp"),)
    look = a_look(base, few_steps=task.few_steps, adapters=worn, guidance=1.0)
    picture = drawn(studio, look, tmp_path / "drawn", prompt=task.sample_prompts[0])
    (sample,), (before,) = result.after, result.before
    assert np.abs(picture - opened(sample)).max() <= 1
    assert np.abs(picture - opened(before)).max() > 1
    plain = drawn(studio, a_look(base, adapters=worn), tmp_path / "plain")
    assert np.abs(plain - drawn(studio, a_look(base), tmp_path / "plain")).max() > 1


@pytest.mark.parametrize("broken", ["nothing", "junk", "strange"])
def test_an_adapter_that_cannot_be_put_on_says_what_to_set(
    studio: Studio, base: Path, adapter: Path, tmp_path: Path, broken: str
) -> None:
    location = {"nothing": tmp_path / "nothing", "junk": tmp_path / "junk", "strange": adapter}[broken]
    if broken == "junk":
        location.write_bytes(b"junk")
    other = "package:tiny-sd" if broken == "strange" else str(base)
    with pytest.raises(BaseMissing, match="Set `few_steps`") as caught:
        studio.generate(
            GenerationTask(
                look=a_look(Path(other), few_steps=FewSteps(adapter=str(location))), drawings=(a_drawing(tmp_path),)
            ),
            Line(),
        )
    assert caught.value.code == "base_missing"


TINY = "package:tiny-sd"
SHIPPED = FewSteps(adapter="package:tiny-sd-4-steps", scheduler=Scheduler.EULER)
ASKED = (
    "a purple diamond on a orange background",
    "a pink cross on a red background",
    "a yellow star on a red background",
    "a green square on a orange background",
    "a yellow star on a white background",
    "a green diamond on a yellow background",
    "a yellow circle on a white background",
    "a blue triangle on a white background",
    "a green square on a blue background",
    "a gray diamond on a black background",
    "a blue square on a red background",
    "a yellow circle on a gray background",
)


def shown(base: Path | str, few: FewSteps | None, *, steps: int, guidance: float) -> np.ndarray:
    loaded = load(str(base), CPU)
    shots: Sequence[Shot] = [Shot(prompt=prompt, seed=seed) for seed, prompt in enumerate(ASKED)]
    look = a_look(Path(base), steps=steps, guidance=guidance)
    made = sampling.pictures(made_fast(loaded, few) if few else loaded, shots, look)
    return np.stack([np.asarray(picture, dtype=float) for picture in made])


@pytest.mark.timeout(600)
def test_four_steps_with_the_shipped_adapter_are_nearer_to_twenty_than_four_without() -> None:
    twenty = shown(TINY, None, steps=20, guidance=3.0)
    fast = shown(TINY, SHIPPED, steps=4, guidance=1.0)
    without = shown(TINY, None, steps=4, guidance=1.0)
    apart = [np.sqrt(np.square(pictures - twenty).mean(axis=(1, 2, 3))) for pictures in (fast, without)]
    assert apart[0].mean() < 0.8 * apart[1].mean()
    assert (apart[0] < apart[1]).mean() > 0.7
