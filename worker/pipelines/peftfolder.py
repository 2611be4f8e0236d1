"""Adapters as PEFT keeps them, a folder of two files, in one zip: unpacked, `PeftModel.from_pretrained` loads it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import torch
from peft import LoraConfig, get_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load

from core.domain.adaptation import Precision
from worker.bases import base_location
from worker.pipelines import kohya, lora
from worker.pipelines.base import TextBase
from worker.pipelines.tasks import BadAdapter

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
PREFIX = "base_model.model."  # what PEFT calls the model within its own


def write(path: Path, module: Any, *, base: TextBase, precision: Precision, said: Mapping[str, str]) -> Path:
    """Write the adapter of a module, whole or not at all: the same one gives the same bytes.

    Args:
        path: The file to write.
        module: What wears it.
        base: What it is called by the adapter: by its id where it is from a hub, else by its title.
        precision: The number format of the weights.
        said: What the weights' file says of itself.

    Returns:
        `path`.
    """
    dtype = kohya.DTYPES[precision]
    tensors = {
        f"{PREFIX}{name}": tensor.detach().to("cpu", dtype).contiguous()
        for name, tensor in get_peft_model_state_dict(module).items()
    }
    own = Path(base_location(base.name)).is_dir()
    facts = module.peft_config["default"].to_dict() | {
        "base_model_name_or_path": base.title if own else base.name,
        "inference_mode": True,
        "task_type": "CAUSAL_LM",
    }
    config = json.dumps(facts, indent=2, sort_keys=True, default=sorted)  # what else PEFT has in it are sets
    bare, part = path.with_suffix(".safetensors"), path.with_suffix(".part")
    kohya.write(bare, tensors, {"format": "pt", **said})
    with ZipFile(part, "w") as folder:
        folder.writestr(ZipInfo(CONFIG), config)
        folder.writestr(ZipInfo(WEIGHTS), bare.read_bytes())
    bare.unlink()
    return part.replace(path)


def read(path: Path) -> dict[str, torch.Tensor]:
    """Return the weights of such an adapter by PEFT's names, as strong as they are with its own alpha and rank.

    Raises:
        BadAdapter: The file is none.
    """
    try:
        with ZipFile(path) as folder:
            config = LoraConfig.from_peft_type(**json.loads(folder.read(CONFIG)))
            tensors = load(folder.read(WEIGHTS))
    except (OSError, KeyError, TypeError, ValueError, BadZipFile, SafetensorError) as error:
        raise BadAdapter(f"The model to go on from cannot be read: {error}") from error
    strength = lora.strength(config)
    return {
        name.removeprefix(PREFIX): tensor.float() * (strength if ".lora_B" in name else 1.0)
        for name, tensor in tensors.items()
    }
