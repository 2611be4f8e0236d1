"""Training a LoRA of the FLUX.1 family: flows, packed latents, grains of sixteen pixels, and PEFT's names."""

import json
from pathlib import Path

import pytest
import torch
from diffusers import FluxPipeline
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import JsonValue
from safetensors import safe_open
from safetensors.torch import load_file

from core.domain.recipes.flux_lora import Hyperparameters
from tests.builders.bases import Line
from tests.builders.families import a_flux, a_larger_training
from worker.architectures import flux
from worker.pipelines import encoding, objective
from worker.pipelines.buckets import bucket, grid
from worker.pipelines.placement import Placement
from worker.pipelines.studio import Studio
from worker.pipelines.tasks import Trained, TrainingItem

CPU = Placement(device="cpu", dtype=torch.float32)
BF16 = Placement(device="cpu", dtype=torch.bfloat16)
SIDES = st.integers(1, 6).map(lambda side: 2 * side)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_flux(tmp_path_factory.mktemp("base"))


@given(high=SIDES, wide=SIDES)
def test_latents_are_packed_as_in_diffusers_and_come_out_again(high: int, wide: int) -> None:
    latents = torch.arange(2 * 16 * high * wide).reshape(2, 16, high, wide)
    tokens = flux.packed(latents)
    assert torch.equal(tokens, FluxPipeline._pack_latents(latents, 2, 16, high, wide))  # noqa: SLF001 - its order
    assert torch.equal(flux.unpacked(tokens, high, wide), latents)
    ids = FluxPipeline._prepare_latent_image_ids(1, high // 2, wide // 2, "cpu", torch.int64)  # noqa: SLF001 - its order
    assert torch.equal(flux.places(high // 2, wide // 2), ids)


@given(mean=st.floats(-2, 2), std=st.floats(0.1, 2))
def test_the_logits_of_noise_levels_are_normal(mean: float, std: float) -> None:
    even = torch.tensor([0.0, 0.158655, 0.5, 0.841345, 1.0], dtype=torch.float64)
    none, low, middle, high, full = objective.logit_normal(even, mean=mean, std=std).logit().tolist()
    assert (none, full) == (-torch.inf, torch.inf)
    assert (low, middle, high) == pytest.approx((mean - std, mean, mean + std), abs=1e-4)


def test_the_error_is_none_where_the_way_is_known() -> None:
    luck = torch.Generator().manual_seed(1)
    latents, noise = (torch.randn((3, 4, 8, 8), generator=luck) for _ in range(2))
    sigmas, seen = torch.tensor([0.0, 0.5, 1.0]), []

    def knowing(noised: torch.Tensor, _sigmas: torch.Tensor) -> torch.Tensor:
        seen.append(noised)
        return noise - latents

    errors = objective.flowing(knowing, latents=latents, noise=noise, sigmas=sigmas)
    assert errors.tolist() == [0, 0, 0]
    assert torch.equal(seen[0], torch.stack([latents[0], (latents[1] + noise[1]) / 2, noise[2]]))


@given(st.integers(16, 3000), st.integers(16, 3000), st.integers(1, 32).map(lambda side: 64 * side))
def test_buckets_are_of_whole_grains(width: int, height: int, resolution: int) -> None:
    wide, high = bucket(width, height, resolution=resolution, grain=16)
    finest = grid(resolution, grain=16)
    assert (finest % 16, wide % finest, high % finest) == (0, 0, 0)
    assert finest <= wide <= max(finest, width)
    assert finest <= high <= max(finest, height)


def test_a_picture_that_is_no_square_is_trained_in_its_own_shape(folder: Path, tmp_path: Path) -> None:
    Image.new("RGB", (200, 72), "teal").save(tmp_path / "wide.png")
    items = (TrainingItem(picture=tmp_path / "wide.png", caption="zorp"),)
    base = flux.load(str(folder), CPU)
    (found,) = encoding.latents(base, items, Hyperparameters(resolution=128), cache=None)
    assert found.mean.shape == (1, 1, 16, 64 // 8, 192 // 8)


@pytest.mark.parametrize(("placement", "guided"), [(BF16, True), (CPU, False)])
def test_it_learns_in_bf16_and_without_guidance(tmp_path: Path, placement: Placement, guided: bool) -> None:  # noqa: FBT001 - a case
    base = a_flux(tmp_path / "base", guided=guided)
    wish: dict[str, JsonValue] = {"steps": 20, "alpha": 8.0, "transformer_lr": 0.02, "sigma_mean": 0.5}
    task = a_larger_training(tmp_path, base=base, architecture="flux", targets="all", checkpointing=True, **wish)
    result = Studio(placement).train(task, Line())
    assert isinstance(result, Trained)
    assert result.evaluation_after < 0.9 * result.evaluation_before


def test_the_export_has_pefts_names_and_as_much_alpha_as_rank(folder: Path, tmp_path: Path) -> None:
    task = a_larger_training(tmp_path, base=folder, architecture="flux", steps=1, targets="all").but(sample_prompts=())
    result = Studio(CPU).train(task, Line())
    assert isinstance(result, Trained)
    names = load_file(result.artifact).keys()
    assert {name.rsplit(".", 2)[1] for name in names} == {"lora_A", "lora_B"}
    assert "transformer.transformer_blocks.0.attn.add_q_proj.lora_A.weight" in names
    assert "transformer.single_transformer_blocks.1.proj_mlp.lora_B.weight" in names
    with safe_open(result.artifact, "pt") as file:
        adapter = json.loads(file.metadata()["lora_adapter_metadata"])
    assert (adapter["transformer.r"], adapter["transformer.lora_alpha"]) == (4, 4)
    assert set(adapter["transformer.target_modules"]) == set(flux.ALL)
