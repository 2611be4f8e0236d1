"""Exports an adapter as the community reads it: kohya's key names in safetensors, with `ss_*` and ModelSpec metadata.

Sources: kohya-ss/sd-scripts (`networks/lora.py`, `library/train_util.py`) and Stability-AI/ModelSpec 1.0.1. Captions
and folder names (`ss_tag_frequency`, `ss_dataset_dirs`) are private and never written.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers.utils import convert_state_dict_to_kohya
from safetensors.torch import save

from worker.pipelines.lora import Weights

TEXT = "lora_te1_"  # how diffusers names the only text encoder; kohya says lora_te_ for this family
LEGACY_WINDOW = slice(0x100000, 0x110000)  # the bytes of a file that the oldest hash looks at


def tensors(weights: Weights, *, alpha: float, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Return an adapter's weights under kohya's names, each layer with its alpha.

    Args:
        weights: PEFT's weights, by part of the pipeline.
        alpha: The adapter's strength before it is divided by the rank.
        dtype: Number format of the result.
    """
    flat = {f"{part}.{name}": tensor for part, layers in weights.items() for name, tensor in layers.items()}
    found: dict[str, torch.Tensor] = convert_state_dict_to_kohya(flat)
    # the converter writes the rank, as an integer, where the alpha belongs
    return {
        _name(name): torch.tensor(alpha, dtype=dtype)
        if name.endswith(".alpha")
        else tensor.detach().to("cpu", dtype).contiguous()
        for name, tensor in found.items()
    }


def _name(name: str) -> str:
    if not name.startswith(TEXT):
        return name
    layer = name.removeprefix(TEXT).removeprefix("text_model_")  # newer transformers leave this level out
    return f"lora_te_text_model_{layer}"


def write(path: Path, adapter: dict[str, torch.Tensor], metadata: Mapping[str, object]) -> None:
    """Write the file, whole or not at all, with the hashes of its content added to the metadata.

    Metadata without a value is left out; everything else is stored as text.
    """
    texts = {key: str(value) for key, value in metadata.items() if value not in (None, "")}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(save(adapter, texts | _hashes(adapter, texts)))
    part.replace(path)


def content_hash(path: Path) -> str:
    """Return the sha256, in hex, of a file's tensors: all behind the header, whatever the metadata (AutoV3)."""
    with path.open("rb") as file:
        file.seek(8 + int.from_bytes(file.read(8), "little"))
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hashes(adapter: dict[str, torch.Tensor], metadata: Mapping[str, str]) -> dict[str, str]:
    """Return ModelSpec's and kohya's hashes: of all behind the header, and of a window of the file (legacy)."""
    content = save(adapter, {key: value for key, value in metadata.items() if key.startswith("ss_")})
    header = 8 + int.from_bytes(content[:8], "little")
    whole = hashlib.sha256(content[header:]).hexdigest()
    return {
        "modelspec.hash_sha256": f"0x{whole}",
        "sshs_model_hash": whole,
        "sshs_legacy_hash": hashlib.sha256(content[LEGACY_WINDOW]).hexdigest()[:8],
    }
