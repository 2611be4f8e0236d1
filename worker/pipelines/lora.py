"""A low-rank adapter (Hu et al., 2021, arXiv:2106.09685) put onto a base for training, and taken off again."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from diffusers.training_utils import cast_training_params
from peft import LoraConfig, get_peft_model_state_dict, set_peft_model_state_dict

from worker.pipelines.base import Base

Modules = Mapping[
    str, Any
]  # torch modules that take adapters, by the name of the pipeline's part: "unet", "text_encoder"
Weights = dict[str, dict[str, torch.Tensor]]  # by part, then by PEFT's name

UNET_ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
UNET_ALL = (
    *UNET_ATTENTION,
    *("proj_in", "proj_out", "ff.net.0.proj", "ff.net.2"),
    *("conv1", "conv2", "conv_shortcut", "time_emb_proj"),
)
TEXT_ENCODER = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")


@contextmanager
def attached(
    base: Base, targets: Mapping[str, Sequence[str]], *, rank: int, alpha: float, seed: int
) -> Iterator[Modules]:
    """Give the named parts of the base a fresh fp32 adapter that changes nothing yet; take it off at the end.

    Args:
        base: Stays frozen and is as before afterwards.
        targets: Names of the layers to adapt, by part.
        rank: Inner width.
        alpha: Strength, divided by the rank.
        seed: Draws the adapter's first matrices; the second ones are zero.

    Yields:
        The adapted modules, by part.
    """
    torch.manual_seed(seed)
    modules: dict[str, Any] = {part: getattr(base.pipeline, part) for part in targets}
    try:
        for part, module in modules.items():
            config = LoraConfig(
                r=rank, lora_alpha=alpha, target_modules=list(targets[part]), init_lora_weights="gaussian"
            )
            module.add_adapter(config)
            cast_training_params(module, dtype=torch.float32)
        yield modules
    finally:
        base.pipeline.unload_lora_weights()
        for module in modules.values():
            module.requires_grad_(requires_grad=False).eval()


def trainable(module: torch.nn.Module) -> list[torch.nn.Parameter]:
    """Return the adapter's parameters, in a stable order."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


def weights(modules: Modules) -> Weights:
    """Return the adapter's weights (not copied), by part."""
    return {part: get_peft_model_state_dict(module) for part, module in modules.items()}


def restore(modules: Modules, saved: Weights) -> None:
    """Set the adapter's weights."""
    for part, module in modules.items():
        set_peft_model_state_dict(module, saved[part])
