"""Bases that draw in a few steps: a distillation adapter becomes part of the weights, its scheduler the base's own.

So everything else sees a base like any other: adapters are trained, exported and worn over it, and have nothing of it.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

import torch
from diffusers import EulerDiscreteScheduler, LCMScheduler, TCDScheduler
from huggingface_hub import hf_hub_download
from safetensors import SafetensorError

from core.domain.offering import FewSteps, Scheduler
from worker.adapters.weights import content_hash
from worker.bases import ADAPTER, adapter_file
from worker.pipelines.base import Base
from worker.pipelines.tasks import BaseMissing

SCHEDULERS = {Scheduler.TCD: TCDScheduler, Scheduler.LCM: LCMScheduler, Scheduler.EULER: EulerDiscreteScheduler}


def made_fast(base: Base, how: FewSteps) -> Base:
    """Return the base as one that draws in a few steps; the one that was given is used up.

    Raises:
        BaseMissing: The adapter cannot be had, or does not fit.
    """
    digest = base.hash
    if how.adapter:
        try:
            file = located(how.adapter)
            _fuse(base, file)
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise BaseMissing(
                f"The few-step adapter {how.adapter!r} cannot be put onto {base.name!r}. Set `few_steps` of the "
                f"offering's base to a folder, a file or a model hub's OWNER/NAME/FILE (safetensors) that this machine "
                f"can reach. The loader says: {error}"
            ) from error
        digest = hashlib.sha256(f"{base.hash} {content_hash(file)}".encode()).hexdigest()
    if how.scheduler:
        made = SCHEDULERS[how.scheduler].from_config(base.pipeline.scheduler.config, timestep_spacing="trailing")
        base.pipeline.scheduler = made
    return replace(base, hash=digest, few_steps=how)


def located(adapter: str) -> Path:
    """Return the file of an adapter, from a hub where it is not on this machine.

    Raises:
        OSError, ValueError: The hub does not give it.
    """
    if file := adapter_file(adapter):
        return file
    owner, name, *inside = adapter.split("/")
    return Path(hf_hub_download(f"{owner}/{name}", "/".join(inside) or ADAPTER))


def _fuse(base: Base, file: Path) -> None:
    pipeline = base.pipeline
    pipeline.load_lora_weights(file.parent, weight_name=file.name, local_files_only=True, use_safetensors=True)
    pipeline.fuse_lora()
    pipeline.unload_lora_weights()
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.requires_grad_(requires_grad=False).eval()
