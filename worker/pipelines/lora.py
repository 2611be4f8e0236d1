"""A low-rank adapter (Hu et al., 2021, arXiv:2106.09685) put onto a base for training, and taken off again."""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers.training_utils import cast_training_params
from diffusers.utils.peft_utils import recurse_remove_peft_layers
from peft import LoraConfig, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError

from core.domain.adaptation import Adaptation, Variant
from worker.pipelines.base import Base, Loaded
from worker.pipelines.tasks import BadAdapter, WeightedAdapter

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
TEXT_ENCODERS = ("text_encoder", "text_encoder_2")
START = "start"
TEXT_ENCODER = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")


def config(wish: Adaptation, targets: Sequence[str]) -> LoraConfig:
    """Return PEFT's own words for what is wished: targets are names of layers."""
    return LoraConfig(
        r=wish.rank,
        lora_alpha=wish.alpha,
        lora_dropout=wish.dropout,
        target_modules=list(targets),
        init_lora_weights="gaussian",
        use_rslora=wish.rank_stabilized,
        use_dora=wish.variant is Variant.DORA,
    )


@contextmanager
def attached(base: Loaded, wish: Adaptation, targets: Mapping[str, Sequence[str]], *, seed: int) -> Iterator[Modules]:
    """Give the named parts of the base a fresh fp32 adapter that changes nothing yet; take it off at the end.

    Args:
        base: Stays frozen and is as before afterwards.
        wish: The adapter's kind and size.
        targets: Names of the layers to adapt, by part.
        seed: Draws the adapter's first matrices; the second ones are zero.

    Yields:
        The adapted modules, by part.
    """
    torch.manual_seed(seed)
    modules: dict[str, Any] = {part: base.part(part) for part in targets}
    try:
        for part, module in modules.items():
            module.add_adapter(config(wish, targets[part]))
            cast_training_params(module, dtype=torch.float32)
        yield modules
    finally:
        for module in modules.values():
            _take_off(module)
            module.requires_grad_(requires_grad=False).eval()


def _take_off(module: Any) -> None:
    recurse_remove_peft_layers(module)
    if hasattr(module, "peft_config"):
        del module.peft_config
        module._hf_peft_config_loaded = False  # noqa: SLF001 - as diffusers does it; transformers has no way of its own


@contextmanager
def learning(modules: Modules, wish: Adaptation) -> Iterator[None]:
    """Let modules learn, saving memory as wished."""
    for module in modules.values():
        if wish.checkpointing:
            _either(module, "enable_gradient_checkpointing", "activation_checkpointing_enable")
        module.train()
    try:
        yield
    finally:
        for module in modules.values():
            if wish.checkpointing:
                _either(module, "disable_gradient_checkpointing", "activation_checkpointing_disable")
            module.eval()


@contextmanager
def resting(modules: Modules) -> Iterator[None]:
    """Look at what has been learnt so far: nothing is left out meanwhile."""
    for module in modules.values():
        module.eval()
    try:
        yield
    finally:
        for module in modules.values():
            module.train()


def _either(module: torch.nn.Module, *names: str) -> None:
    """Call the method that a module has: diffusers and transformers say the same in different words."""
    next(method for name in names if (method := getattr(module, name, None)))()


def trainable(module: torch.nn.Module) -> list[torch.nn.Parameter]:
    """Return the adapter's parameters, in a stable order."""
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


def weights(modules: Modules) -> Weights:
    """Return the adapter's weights (not copied), by part."""
    return {part: get_peft_model_state_dict(module) for part, module in modules.items()}


@contextmanager
def wearing(base: Base, adapters: Sequence[WeightedAdapter]) -> Iterator[None]:
    """Put exported adapters onto a base, and take them off at the end.

    Raises:
        BadAdapter: A file is missing, damaged or made for another family.
    """
    names = [f"adapter_{number}" for number in range(len(adapters))]
    try:
        for name, adapter in zip(names, adapters, strict=True):
            try:
                _put_on(base, adapter.artifact, name=name)
            except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
                raise BadAdapter(f"The model {adapter.name} cannot be loaded onto this base: {error}") from error
        if names:
            base.pipeline.set_adapters(names, [adapter.weight for adapter in adapters])
        yield
    finally:
        base.pipeline.unload_lora_weights()


def _put_on(base: Base, artifact: Path, *, name: str) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Already found a `peft_config`")  # several adapters at once are meant
        base.pipeline.load_lora_weights(
            artifact.parent, weight_name=artifact.name, adapter_name=name, local_files_only=True
        )


def exported(base: Base, artifact: Path) -> Weights:
    """Return the weights of an exported adapter, as strong as they are with its own alpha and rank.

    Raises:
        BadAdapter: It cannot be loaded onto this base.
    """
    pipeline = base.pipeline
    try:
        _put_on(base, artifact, name=START)
        parts = [
            part for part in (*TEXT_ENCODERS, base.denoiser) if hasattr(getattr(pipeline, part, None), "peft_config")
        ]
        found: Weights = {}
        for part in parts:
            module = getattr(pipeline, part)
            share = strength(module.peft_config[START])
            found[part] = {
                name: tensor.detach().clone().float() * (share if ".lora_B" in name else 1.0)
                for name, tensor in get_peft_model_state_dict(module, adapter_name=START).items()
            }
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise BadAdapter(f"The model to go on from cannot be loaded onto this base: {error}") from error
    finally:
        pipeline.unload_lora_weights()
    return found


def begin(modules: Modules, weights: Weights) -> None:
    """Let fresh adapters begin as an exported one; parts that it does not have begin with nothing.

    Raises:
        BadAdapter: It is of another rank, or for other layers.
    """
    for part, module in modules.items():
        own, wanted = weights.get(part, {}), get_peft_model_state_dict(module)
        if own and {name: tensor.shape for name, tensor in own.items()} != {n: t.shape for n, t in wanted.items()}:
            raise BadAdapter(
                "The model to go on from is of another rank, or for other layers; order with its settings."
            )
        share = strength(module.peft_config["default"])
        scaled = {name: tensor / share if ".lora_B" in name else tensor for name, tensor in own.items()}
        set_peft_model_state_dict(module, scaled)


def strength(known: LoraConfig) -> float:
    """Return what a whole adapter is multiplied by."""
    return float(known.lora_alpha / (math.sqrt(known.r) if known.use_rslora else known.r))
