"""Optimizers by name, with a group of parameters for each learning rate, and their whole state as tensors and text."""

import json
from collections.abc import Mapping
from contextlib import redirect_stdout
from importlib.util import find_spec
from typing import Any

import torch
from peft.optimizers import create_loraplus_optimizer

from core.domain.adaptation import Adaptation, Optimizer
from worker.pipelines import lora
from worker.pipelines.lora import Modules

NARROW = "state1"  # what only 8-bit state has


def made(modules: Modules, wish: Adaptation, *, device: str) -> torch.optim.Optimizer:
    """Return the optimizer that was wished for; each group knows its full rate as `initial_lr`.

    Where a device has no 8-bit state, plain AdamW does the same with more memory.
    """
    groups = [
        {**group, "initial_lr": group["lr"]}
        for part, module in modules.items()
        for group in _groups(module, rate=wish.rates[part], ratio=wish.lr_ratio)
    ]
    match wish.optimizer:
        case Optimizer.PRODIGY:
            from prodigyopt import Prodigy  # noqa: PLC0415 - seldom wished for

            with redirect_stdout(None):  # it says there what it was told here
                found: torch.optim.Optimizer = Prodigy(
                    groups, weight_decay=wish.weight_decay, use_bias_correction=True, safeguard_warmup=True
                )
            return found
        case Optimizer.ADAMW_8BIT if device == "cuda" and find_spec("bitsandbytes"):
            from bitsandbytes.optim import AdamW8bit  # noqa: PLC0415 - only GPU machines have it

            small: torch.optim.Optimizer = AdamW8bit(groups, weight_decay=wish.weight_decay)
            return small
        case _:
            return torch.optim.AdamW(groups, weight_decay=wish.weight_decay, fused=True)


def name(optimizer: torch.optim.Optimizer) -> str:
    """Return what kohya's metadata call it."""
    kind = type(optimizer)
    return f"{kind.__module__.split('.')[0]}.{kind.__name__}"


def _groups(module: torch.nn.Module, *, rate: float, ratio: float) -> list[dict[str, Any]]:
    if ratio == 1:
        return [{"params": lora.trainable(module), "lr": rate}]
    plus = create_loraplus_optimizer(module, torch.optim.SGD, lr=rate, loraplus_lr_ratio=ratio)
    return [{"params": group["params"], "lr": group["lr"]} for group in plus.param_groups if group["params"]]


def state(optimizer: torch.optim.Optimizer) -> tuple[dict[str, torch.Tensor], str]:
    """Return an optimizer's state: tensors by `parameter.name`, and everything else as JSON."""
    whole = optimizer.state_dict()
    tensors: dict[str, torch.Tensor] = {}
    values: dict[str, Any] = {}
    for parameter, held in whole["state"].items():
        for key, value in held.items():
            nested = value if isinstance(value, dict) else {key: value}  # as bitsandbytes packs what is quantized
            for field, one in nested.items():
                (tensors if isinstance(one, torch.Tensor) else values)[f"{parameter}.{field}"] = one
    return tensors, json.dumps({"state": values, "groups": whole["param_groups"]})


def restore(optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor], rest: str) -> None:
    """Set an optimizer's state; moments of 8 bits, or of 32 where 8 are wished, are begun anew."""
    values, held = json.loads(rest), dict[int, dict[str, Any]]()
    for key, value in (*tensors.items(), *values["state"].items()):
        parameter, _, field = key.partition(".")
        held.setdefault(int(parameter), {})[field] = value
    if any(NARROW in one for one in held.values()) != name(optimizer).startswith("bitsandbytes"):
        return
    optimizer.load_state_dict({"state": held, "param_groups": values["groups"]})
