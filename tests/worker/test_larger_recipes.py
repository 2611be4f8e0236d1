"""What the recipes of the larger families have in common: they learn, resume, and what they export fits elsewhere."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from diffusers import DiffusionPipeline
from PIL import Image
from pydantic import JsonValue
from safetensors import safe_open
from safetensors.torch import load_file

import core.domain.recipes
from tests.builders.bases import Line, a_base, a_drawing, a_look
from tests.builders.families import a_flux, a_larger_training, an_sdxl
from worker import architectures
from worker.pipelines import kohya, lora
from worker.pipelines.base import Base
from worker.pipelines.placement import Placement
from worker.pipelines.studio import Studio
from worker.pipelines.tasks import (
    BaseMissing,
    Drawing,
    GenerationTask,
    Look,
    Stopped,
    Trained,
    TrainingTask,
    WeightedAdapter,
)

CPU = Placement(device="cpu", dtype=torch.float32)
MAKERS: Mapping[str, Callable[[Path], Path]] = {"sdxl": an_sdxl, "flux": a_flux}
NAMED = {"sdxl": "stable-diffusion-xl-v1-base/lora", "flux": "flux-1-dev/lora"}


class Family(NamedTuple):
    architecture: str
    base: Path

    def training(self, folder: Path, **wish: JsonValue) -> TrainingTask:
        return a_larger_training(folder, base=self.base, architecture=self.architecture, **wish)


@pytest.fixture(scope="module", params=MAKERS)
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Family:
    return Family(request.param, MAKERS[request.param](tmp_path_factory.mktemp("base")))


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(CPU)


@pytest.fixture(scope="module")
def base(family: Family) -> Base:
    loaded = architectures.named(family.architecture).load(str(family.base), CPU)
    assert isinstance(loaded, Base)
    return loaded


def finished(studio: Studio, task: TrainingTask, line: Line | None = None) -> Trained:
    result = studio.train(task, line or Line())
    assert isinstance(result, Trained)
    return result


def size_of(picture: Path) -> tuple[int, int]:
    with Image.open(picture) as opened:
        return opened.size


def test_it_learns_and_says_what_it_made(studio: Studio, family: Family, tmp_path: Path) -> None:
    rate = {"sdxl": "unet_lr", "flux": "transformer_lr"}[family.architecture]
    wish: dict[str, JsonValue] = {"steps": 20, "targets": "all", "alpha": 8.0, rate: 0.02}
    result = finished(studio, family.training(tmp_path, **wish))

    assert result.evaluation_after < 0.9 * result.evaluation_before
    assert [size_of(path) for path in (*result.before, *result.after)] == [(64, 64)] * 2
    with safe_open(result.artifact, "pt") as file:
        said = file.metadata()
    expected = {
        "modelspec.architecture": NAMED[family.architecture],
        "modelspec.title": "Zorp",
        "modelspec.trigger_phrase": "zorp",
        "ss_sd_model_hash": result.base_hash,
        "ss_network_dim": "4",
        "ss_network_alpha": "8.0",
        "ss_steps": "20",
    }
    assert expected.items() <= said.items()
    assert said.keys().isdisjoint({"ss_tag_frequency", "ss_dataset_dirs"})


def test_a_resumed_run_ends_as_an_uninterrupted_one(studio: Studio, family: Family, tmp_path: Path) -> None:
    task = family.training(tmp_path, epochs=2).but(sample_prompts=())
    whole = finished(studio, task.but(folder=tmp_path / "whole"))
    stopped = studio.train(task, Line(stop_after=4))
    assert isinstance(stopped, Stopped)
    resumed = finished(studio, task.but(checkpoint=stopped.checkpoint))

    assert resumed.evaluation_after == whole.evaluation_after
    one, other = load_file(resumed.artifact), load_file(whole.artifact)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_run_begins_where_an_earlier_model_ended(studio: Studio, family: Family, tmp_path: Path) -> None:
    task = family.training(tmp_path / "first", steps=3).but(sample_prompts=())
    first = finished(studio, task)
    second = finished(studio, task.but(folder=tmp_path / "second", start=first.artifact))
    assert second.evaluation_before == pytest.approx(first.evaluation_after, rel=1e-5)


def answer(pipeline: DiffusionPipeline) -> torch.Tensor:
    """Return the latents that a pipeline comes to."""
    luck = torch.Generator().manual_seed(1)
    size = {"width": 64, "height": 64, "num_inference_steps": 2}
    found: torch.Tensor = pipeline("zorp", generator=luck, guidance_scale=2.0, output_type="latent", **size).images
    return found


def export_random_adapter(base: Base, path: Path, wish: Mapping[str, JsonValue]) -> torch.Tensor:
    """Write an adapter that does something, and return what the base answers while it wears it in memory."""
    task = a_larger_training(path.parent, base=Path(base.name), architecture=base.architecture, **wish)
    wished: Any = core.domain.recipes.hyperparameters(task.recipe).model_validate(task.hyperparameters)
    architecture = architectures.named(base.architecture)
    with lora.attached(base, wished, architecture.targets(wished), seed=4) as modules, torch.no_grad():
        for module in modules.values():
            for name, parameter in module.named_parameters():
                if parameter.requires_grad and "magnitude" not in name:
                    parameter.normal_(std=0.3)
        facts = architecture.facts(base, wished)
        kohya.write(path, architecture.exported(lora.weights(modules), wished), facts)
        return answer(base.pipeline)


@pytest.mark.parametrize(
    ("wish", "tolerance"),
    [
        ({}, 1e-4),
        ({"targets": "all"}, 1e-4),
        ({"precision": "fp16"}, 1e-2),
        ({"rank_stabilized": True}, 1e-4),
        ({"variant": "dora"}, 1e-4),
    ],
)
def test_an_export_answers_in_diffusers_as_the_adapter_did_in_memory(
    base: Base, family: Family, tmp_path: Path, wish: dict[str, JsonValue], tolerance: float
) -> None:
    path = tmp_path / "zorp.safetensors"
    in_memory, plain = export_random_adapter(base, path, wish), answer(base.pipeline)
    fresh = DiffusionPipeline.from_pretrained(family.base, local_files_only=True)
    fresh.set_progress_bar_config(disable=True)
    fresh.load_lora_weights(tmp_path, weight_name=path.name)

    effect = (in_memory - plain).abs().max()
    assert effect > 0.1
    assert (answer(fresh) - in_memory).abs().max() <= tolerance * effect


def drawn(studio: Studio, look: Look, drawing: Drawing) -> list[bytes]:
    """Draw, check the size of every picture, and return their pixels."""
    (paths,) = studio.generate(GenerationTask(look=look, drawings=(drawing,)), Line()).pictures
    assert {size_of(path) for path in paths} == {(look.width, look.height)}
    return [Image.open(path).tobytes() for path in paths]


def test_pictures_repeat_in_any_company_and_adapters_change_them(
    studio: Studio, family: Family, base: Base, tmp_path: Path
) -> None:
    adapter = WeightedAdapter(artifact=tmp_path / "zorp.safetensors", name="zorp")
    export_random_adapter(base, adapter.artifact, {})
    look = a_look(family.base, architecture=family.architecture, width=88)
    both = drawn(studio, look, a_drawing(tmp_path / "both"))
    second = a_drawing(tmp_path / "second", seed=4, count=1)

    assert [both[0], *drawn(studio, look, second)] == both
    assert drawn(studio, look.but(adapters=(adapter,)), second) != both[1:]
    assert drawn(studio, look, second) == both[1:]


def test_variations_change_as_much_as_they_may(studio: Studio, family: Family, tmp_path: Path) -> None:
    source = tmp_path / "source.png"
    Image.linear_gradient("L").save(source)
    look = a_look(family.base, architecture=family.architecture, width=88, steps=4)
    drawing = a_drawing(tmp_path, source=source, count=1)
    made = [drawn(studio, look.but(strength=strength), drawing) for strength in (1, 25, 50, 100)]
    assert made[0] == made[1]  # one step at least
    assert made[1] != made[2] != made[3]


@pytest.mark.parametrize("wanted", ["sd15", "sdxl", "flux"])
def test_a_base_of_another_architecture_is_refused(family: Family, tmp_path: Path, wanted: str) -> None:
    other = a_base(tmp_path) if wanted == family.architecture else family.base
    with pytest.raises(BaseMissing, match=r"it is a \w+Pipeline, and this architecture takes a \w+") as refused:
        architectures.named(wanted).load(str(other), CPU)
    assert "Set the `location`" in str(refused.value)
    assert refused.value.code == "base_missing"
