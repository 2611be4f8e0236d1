"""Exported adapters load back with the same output, pictures repeat, and a studio keeps one base."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file

from core.domain.value import Value
from tests.builders.bases import Line, a_base, a_generation
from worker.pipelines import kohya, lora, sampling
from worker.pipelines.base import Base, load
from worker.pipelines.placement import Placement
from worker.pipelines.studio import Studio, wearing
from worker.pipelines.tasks import BadAdapter, BaseMissing, Generated, GenerationTask, WeightedAdapter

CPU = Placement(device="cpu", dtype=torch.float32)
RANK, ALPHA = 4, 2.0


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return load(str(a_base(tmp_path_factory.mktemp("base"))), CPU)


def drawn(base: Base) -> np.ndarray:
    made = sampling.pictures(base, ["zorp"], seed=1, steps=3, guidance=3.0, width=64, height=64)
    return np.asarray(made[0], dtype=float)


def export_random_adapter(base: Base, path: Path, *, text_encoder: bool, dtype: torch.dtype) -> np.ndarray:
    """Write an adapter that does something, and return what the base draws while it wears it in memory."""
    targets = {"unet": lora.UNET_ALL} | ({"text_encoder": lora.TEXT_ENCODER} if text_encoder else {})
    with lora.attached(base, targets, rank=RANK, alpha=ALPHA, seed=4) as modules, torch.no_grad():
        for module in modules.values():
            for parameter in lora.trainable(module):
                parameter.normal_(std=0.2)
        kohya.write(path, kohya.tensors(lora.weights(modules), alpha=ALPHA, dtype=dtype), {"modelspec.title": "zorp"})
        return drawn(base)


@pytest.mark.parametrize("text_encoder", [True, False])
@pytest.mark.parametrize(("dtype", "levels"), [(torch.float32, 1), (torch.float16, 3)])
def test_an_export_draws_as_the_adapter_did_in_memory(
    base: Base, tmp_path: Path, *, text_encoder: bool, dtype: torch.dtype, levels: int
) -> None:
    path = tmp_path / "zorp.safetensors"
    plain = drawn(base)
    in_memory = export_random_adapter(base, path, text_encoder=text_encoder, dtype=dtype)
    with wearing(base, (WeightedAdapter(artifact=path),)):
        loaded = drawn(base)
    assert np.abs(loaded - in_memory).max() <= levels
    assert np.abs(in_memory - plain).max() > 20
    assert np.array_equal(drawn(base), plain)


def test_keys_and_alphas_are_those_of_kohya(base: Base, tmp_path: Path) -> None:
    path = tmp_path / "zorp.safetensors"
    export_random_adapter(base, path, text_encoder=True, dtype=torch.float32)
    tensors = load_file(path)
    assert {name.split("_")[1] for name in tensors} == {"unet", "te"}
    assert "lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight" in tensors
    assert "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.lora_up.weight" in tensors
    assert {tensor.item() for name, tensor in tensors.items() if name.endswith(".alpha")} == {ALPHA}


def test_the_hash_is_that_of_the_content(base: Base, tmp_path: Path) -> None:
    path = tmp_path / "zorp.safetensors"
    export_random_adapter(base, path, text_encoder=False, dtype=torch.float16)
    content = path.read_bytes()
    expected = hashlib.sha256(content[8 + int.from_bytes(content[:8], "little") :]).hexdigest()
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    assert metadata["modelspec.hash_sha256"] == f"0x{expected}"
    assert metadata["sshs_model_hash"] == expected


def test_weights_scale_adapters_and_two_add_up(base: Base, tmp_path: Path) -> None:
    path = tmp_path / "zorp.safetensors"
    whole = export_random_adapter(base, path, text_encoder=False, dtype=torch.float32)
    half = WeightedAdapter(artifact=path, weight=0.5)
    with wearing(base, (half, half)):
        assert np.abs(drawn(base) - whole).max() <= 1
    with wearing(base, (WeightedAdapter(artifact=path, weight=0.0),)):
        assert np.abs(drawn(base) - whole).max() > 20


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(CPU)


def pixels(studio: Studio, task: GenerationTask) -> list[bytes]:
    made: Value = studio.generate(task, Line())
    assert isinstance(made, Generated)
    found = []
    for path in made.pictures:
        with Image.open(path) as picture:
            found.append(picture.tobytes())
    return found


def test_each_picture_has_its_own_seed_in_any_company(studio: Studio, base: Base, tmp_path: Path) -> None:
    task = a_generation(tmp_path, base=Path(base.name))
    six = pixels(studio, task.but(count=6))
    assert len(set(six)) == 6
    alone = pixels(studio, task.but(count=1, seed=task.seed + 5))
    difference = np.frombuffer(alone[0], np.uint8).astype(int) - np.frombuffer(six[5], np.uint8)
    assert np.abs(difference).max() <= 1


def test_a_studio_changes_its_base_and_back(studio: Studio, base: Base, tmp_path: Path) -> None:
    task = a_generation(tmp_path, base=Path(base.name))
    other = a_base(tmp_path / "other", prediction="v_prediction")
    first = pixels(studio, task)
    assert pixels(studio, task.but(base=str(other))) != first
    assert pixels(studio, task) == first


def test_a_file_that_is_no_adapter_is_refused_and_forgotten(studio: Studio, base: Base, tmp_path: Path) -> None:
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    task = a_generation(tmp_path, base=Path(base.name))
    for name in ("junk.safetensors", "missing.safetensors"):
        adapters = (WeightedAdapter(artifact=tmp_path / name),)
        with pytest.raises(BadAdapter, match=name):
            studio.generate(task.but(adapters=adapters), Line())
    assert len(pixels(studio, task)) == 2


@pytest.mark.parametrize("name", ["package:nothing", "no/such/place", "not a name"])
def test_a_base_that_is_nowhere_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(BaseMissing, match=f"{name!r} cannot be loaded"):
        load(name, CPU)


def test_a_damaged_base_is_refused(tmp_path: Path) -> None:
    weights = a_base(tmp_path) / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(BaseMissing, match="cannot be loaded"):
        load(str(tmp_path), CPU)


def test_a_base_of_another_kind_of_prediction_is_refused(tmp_path: Path) -> None:
    folder = a_base(tmp_path, prediction="sample")
    with pytest.raises(BaseMissing, match="'sample'"):
        load(str(folder), CPU)
