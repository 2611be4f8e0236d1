"""Exports an adapter as the community reads it: kohya's key names in safetensors, with `ss_*` and ModelSpec metadata.

Sources: kohya-ss/sd-scripts (`networks/lora.py`, `library/train_util.py`) and Stability-AI/ModelSpec 1.0.1. Captions
and folder names (`ss_tag_frequency`, `ss_dataset_dirs`) are private and never written.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from diffusers.loaders.lora_base import LORA_ADAPTER_METADATA_KEY
from diffusers.utils import convert_state_dict_to_kohya
from safetensors.torch import save_file

from core.domain.adaptation import Adaptation, Precision, Variant
from worker.adapters.weights import rewritten
from worker.pipelines import lora
from worker.pipelines.lora import Weights

DTYPES = {Precision.FP16: torch.float16, Precision.BF16: torch.bfloat16, Precision.FP32: torch.float32}


def tensors(weights: Weights, wish: Adaptation, *, only_encoder: str = "lora_te1") -> dict[str, torch.Tensor]:
    """Return an adapter's weights under kohya's names, each layer with the alpha that, divided by the rank, scales it.

    A DoRA keeps PEFT's names: diffusers reads it under no others.

    Args:
        weights: PEFT's weights, by part of the pipeline.
        wish: The adapter's rank and strength, and the number format of the result.
        only_encoder: What the first text encoder's layers begin with; families that have no other say `lora_te`.
    """
    if wish.variant is Variant.DORA:
        return plain(weights, wish)
    flat = {f"{part}.{name}": tensor for part, layers in weights.items() for name, tensor in layers.items()}
    found: dict[str, torch.Tensor] = convert_state_dict_to_kohya(flat)
    dtype = DTYPES[wish.precision]
    alpha = wish.alpha * math.sqrt(wish.rank) if wish.rank_stabilized else wish.alpha
    # the converter writes the rank, as an integer, where the alpha belongs
    return {
        _name(name, only_encoder): torch.tensor(alpha, dtype=dtype)
        if name.endswith(".alpha")
        else tensor.detach().to("cpu", dtype).contiguous()
        for name, tensor in found.items()
    }


def plain(weights: Weights, wish: Adaptation) -> dict[str, torch.Tensor]:
    """Return an adapter's weights under PEFT's names: what kohya's have no way to say. Its config must go with them."""
    dtype = DTYPES[wish.precision]
    return {
        f"{part}.{name}": tensor.detach().to("cpu", dtype).contiguous()
        for part, layers in weights.items()
        for name, tensor in layers.items()
    }


def config(wish: Adaptation, targets: Mapping[str, Sequence[str]]) -> dict[str, object]:
    """Return the metadata from which diffusers takes rank, alpha and kind of an adapter with PEFT's names."""
    said = {
        f"{part}.{name}": sorted(value) if isinstance(value, set) else value
        for part, layers in targets.items()
        for name, value in lora.config(wish, layers).to_dict().items()
    }
    return {LORA_ADAPTER_METADATA_KEY: json.dumps(said, sort_keys=True)}


def _name(name: str, only_encoder: str) -> str:
    """Return kohya's name of a layer: newer transformers leave a level out."""
    for encoder in ("lora_te1_", "lora_te2_"):
        if name.startswith(encoder):
            rest = name.removeprefix(encoder).removeprefix("text_model_")
            return f"{encoder.replace('lora_te1_', f'{only_encoder}_')}text_model_{rest}"
    return name


def write(path: Path, adapter: dict[str, torch.Tensor], metadata: Mapping[str, object]) -> None:
    """Write the file, whole or not at all, with the hashes of its content added to the metadata.

    Metadata without a value is left out; everything else is stored as text.
    """
    texts = {key: str(value) for key, value in metadata.items() if value not in (None, "")}
    path.parent.mkdir(parents=True, exist_ok=True)
    bare = path.with_suffix(".bare")
    save_file(adapter, bare)
    rewritten(bare, path, texts)
    bare.unlink()
