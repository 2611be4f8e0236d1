"""Training a LoRA of the SDXL family: what it is told of sizes, both text encoders, and half precision."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import JsonValue
from safetensors.torch import load_file

from core.domain.recipes.sdxl_lora import Hyperparameters
from tests.builders.bases import Line, a_look
from tests.builders.families import a_larger_training, an_sdxl
from worker.architectures import sdxl
from worker.pipelines import encoding, sampling
from worker.pipelines.base import Base
from worker.pipelines.placement import Placement
from worker.pipelines.sampling import Shot
from worker.pipelines.studio import Studio
from worker.pipelines.tasks import Trained, TrainingItem, TrainingTask

CPU = Placement(device="cpu", dtype=torch.float32)
HALF = Placement(device="cpu", dtype=torch.float16)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return an_sdxl(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(CPU)


def trained(studio: Studio, task: TrainingTask) -> dict[str, torch.Tensor]:
    """Train, and return the adapter that was exported."""
    result = studio.train(task.but(sample_prompts=()), Line())
    assert isinstance(result, Trained)
    return load_file(result.artifact)


def a_plain_picture(path: Path, width: int, height: int) -> tuple[TrainingItem, ...]:
    Image.new("RGB", (width, height), "teal").save(path)
    return (TrainingItem(picture=path, caption="zorp"),)


def test_a_bucket_knows_sizes_in_the_order_that_diffusers_tells_them(base: Path, tmp_path: Path) -> None:
    items = a_plain_picture(tmp_path / "wide.png", 300, 128)
    loaded = sdxl.load(str(base), CPU)
    (bucket,) = encoding.latents(loaded, items, Hyperparameters(resolution=128), cache=None)
    told = loaded.pipeline._get_add_time_ids((128, 300), (1, 0), (80, 192), torch.int64, 16)  # noqa: SLF001 - its order
    assert bucket.mean.shape[-2:] == (80 // 8, 192 // 8)
    assert bucket.sizes.tolist() == told.tolist()


def test_what_is_learnt_depends_on_the_sizes_that_are_told(studio: Studio, base: Path, tmp_path: Path) -> None:
    task = a_larger_training(tmp_path, base=base, architecture="sdxl", steps=2, resolution=64)
    small, again, large = (
        trained(studio, task.but(items=a_plain_picture(tmp_path / f"{number}.png", side, side // 2)))
        for number, side in enumerate((128, 128, 256))
    )
    assert all(torch.equal(small[name], again[name]) for name in small)
    assert any(not torch.equal(small[name], large[name]) for name in small)


@pytest.mark.parametrize(("rate", "parts"), [(0.0, {"unet"}), (0.005, {"unet", "te1", "te2"})])
def test_both_text_encoders_learn_when_that_is_wished(
    studio: Studio, base: Path, tmp_path: Path, rate: float, parts: set[str]
) -> None:
    wish: dict[str, JsonValue] = {"text_encoder_lr": rate, "checkpointing": True, "steps": 2}
    adapter = trained(studio, a_larger_training(tmp_path, base=base, architecture="sdxl", **wish))
    learnt = {name.split("_")[1] for name, tensor in adapter.items() if ".lora_up" in name and tensor.any()}
    assert learnt == {name.split("_")[1] for name in adapter} == parts
    assert {tensor.item() for name, tensor in adapter.items() if name.endswith(".alpha")} == {2.0}
    second = "lora_te2_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight"
    assert (second in adapter) == ("te2" in parts)


def test_half_precision_spares_an_autoencoder_that_overflows(tmp_path: Path) -> None:
    location = an_sdxl(tmp_path / "base", overflowing=True)
    wide, narrow = (sdxl.load(str(location), placement) for placement in (CPU, HALF))
    pixels = torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)
    for latents, expected in zip(narrow.encoded(pixels), wide.encoded(pixels), strict=True):
        assert torch.allclose(latents, expected, rtol=1e-2, atol=1e-3)

    first = Shot(prompt="zorp", seed=1)
    for shot, strength in ((first, None), (replace(first, source=Image.new("RGB", (64, 64), "teal")), 50)):
        assert np.abs(drawn(narrow, shot, strength) - drawn(wide, shot, strength)).mean() < 5


def drawn(base: Base, shot: Shot, strength: int | None) -> np.ndarray:
    (made,) = sampling.pictures(base, [shot], a_look(Path(base.name), architecture="sdxl", strength=strength))
    return np.asarray(made, dtype=float)
