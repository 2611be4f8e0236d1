"""Exported adapters load back with the same output, several at once too, and what does not fit is refused."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save

from core.domain.recipes.sd15_lora import Hyperparameters
from tests.builders.bases import a_base, a_look
from worker.adapters.weights import content_hash
from worker.architectures.sd15 import exported, facts, load, targets, wearing
from worker.pipelines import kohya, lora, sampling
from worker.pipelines.base import Base
from worker.pipelines.placement import Placement
from worker.pipelines.sampling import Shot
from worker.pipelines.tasks import BadAdapter, BaseMissing, WeightedAdapter

CPU = Placement(device="cpu", dtype=torch.float32)
RANK, ALPHA = 4, 2.0


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return load(str(a_base(tmp_path_factory.mktemp("base"))), CPU)


def drawn(base: Base) -> np.ndarray:
    (made,) = sampling.pictures(base, [Shot(prompt="zorp", seed=1)], a_look(Path(base.name), steps=3, guidance=3.0))
    return np.asarray(made, dtype=float)


def an_adapter(path: Path, *, weight: float = 1.0) -> WeightedAdapter:
    return WeightedAdapter(artifact=path, name="zorp", weight=weight)


def a_wish(**facts: Any) -> Hyperparameters:
    usual: dict[str, Any] = {"rank": RANK, "alpha": ALPHA, "targets": "all", "precision": "fp32", "text_encoder_lr": 1}
    return Hyperparameters(**usual | facts)


def export_random_adapter(base: Base, path: Path, wish: Hyperparameters) -> np.ndarray:
    """Write an adapter that does something, and return what the base draws while it wears it in memory."""
    with lora.attached(base, wish, targets(wish), seed=4) as modules, torch.no_grad():
        for module in modules.values():
            for name, parameter in module.named_parameters():
                if parameter.requires_grad and "magnitude" not in name:
                    parameter.normal_(std=0.2)
        kohya.write(path, exported(lora.weights(modules), wish), facts(base, wish))
        return drawn(base)


@pytest.mark.parametrize(
    ("wish", "levels"),
    [
        ({}, 1),
        ({"text_encoder_lr": 0}, 1),
        ({"precision": "fp16"}, 3),
        ({"rank_stabilized": True}, 1),
        ({"variant": "dora"}, 1),
        ({"targets": "attention"}, 1),
    ],
)
def test_an_export_draws_as_the_adapter_did_in_memory(
    base: Base, tmp_path: Path, wish: dict[str, Any], levels: int
) -> None:
    path = tmp_path / "zorp.safetensors"
    plain = drawn(base)
    in_memory = export_random_adapter(base, path, a_wish(**wish))
    with wearing(base, (an_adapter(path),)):
        loaded = drawn(base)
    assert np.abs(loaded - in_memory).max() <= levels
    assert np.abs(in_memory - plain).max() > 10
    assert np.array_equal(drawn(base), plain)


def test_keys_and_alphas_are_those_of_kohya(base: Base, tmp_path: Path) -> None:
    path = tmp_path / "zorp.safetensors"
    export_random_adapter(base, path, a_wish())
    tensors = load_file(path)
    assert {name.split("_")[1] for name in tensors} == {"unet", "te"}
    assert "lora_te_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight" in tensors
    assert "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.lora_up.weight" in tensors
    assert {tensor.item() for name, tensor in tensors.items() if name.endswith(".alpha")} == {ALPHA}


def test_the_hash_is_that_of_the_content(base: Base, tmp_path: Path) -> None:
    path = tmp_path / "zorp.safetensors"
    export_random_adapter(base, path, a_wish(text_encoder_lr=0, precision="fp16"))
    content = path.read_bytes()
    expected = hashlib.sha256(content[8 + int.from_bytes(content[:8], "little") :]).hexdigest()
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    assert metadata["modelspec.hash_sha256"] == f"0x{expected}"
    assert metadata["sshs_model_hash"] == expected
    assert content_hash(path) == expected


def test_weights_scale_adapters_and_two_add_up(base: Base, tmp_path: Path) -> None:
    path = tmp_path / "zorp.safetensors"
    whole = export_random_adapter(base, path, a_wish(text_encoder_lr=0))
    half = an_adapter(path, weight=0.5)
    with wearing(base, (half, half)):
        assert np.abs(drawn(base) - whole).max() <= 1
    with wearing(base, (an_adapter(path, weight=0.0),)):
        assert np.abs(drawn(base) - whole).max() > 20


def test_an_adapter_with_text_encoder_goes_beside_one_without(base: Base, tmp_path: Path) -> None:
    paths = [tmp_path / "with.safetensors", tmp_path / "without.safetensors"]
    for path, text_encoder in zip(paths, (True, False), strict=True):
        export_random_adapter(base, path, a_wish(text_encoder_lr=text_encoder))
    one, other = (an_adapter(path) for path in paths)
    pictures = []
    for worn in ((one,), (other,), (one, other), (one, other.but(weight=-0.5))):
        with wearing(base, worn):
            pictures.append(drawn(base).tobytes())
    assert len(set(pictures)) == 4


@pytest.mark.parametrize("content", [b"junk", save({"some.weight": torch.zeros(2)})])
def test_a_file_that_is_no_adapter_is_refused_by_the_models_name(base: Base, tmp_path: Path, content: bytes) -> None:
    plain = drawn(base)
    path = tmp_path / "junk.safetensors"
    path.write_bytes(content)
    with pytest.raises(BadAdapter, match="The model zorp cannot be loaded"), wearing(base, (an_adapter(path),)):
        pass
    assert np.array_equal(drawn(base), plain)


def test_an_adapter_of_another_family_is_refused(base: Base, tmp_path: Path) -> None:
    path = tmp_path / "zorp.safetensors"
    export_random_adapter(load("package:tiny-sd", CPU), path, a_wish(text_encoder_lr=0, precision="fp16"))
    with pytest.raises(BadAdapter, match="The model zorp cannot be loaded"), wearing(base, (an_adapter(path),)):
        pass


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
