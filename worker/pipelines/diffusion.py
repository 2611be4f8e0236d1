"""What architectures have in common whose bases are pipelines of diffusers: loading, drawing, and a UNet's layers."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline
from PIL.Image import Image
from safetensors import SafetensorError

from core.domain.adaptation import DiffusionAdaptation, Targets, Variant
from worker.bases import base_location
from worker.pipelines import kohya, lora
from worker.pipelines.base import Base, folder_hash
from worker.pipelines.placement import Placement, lanes, threads
from worker.pipelines.sampling import Shot
from worker.pipelines.tasks import BaseMissing, Look

PREDICTIONS = ("epsilon", "v_prediction")
SAMPLERS = {
    "DDIMScheduler": "DDIM",
    "DPMSolverMultistepScheduler": "DPM++ 2M",
    "EulerAncestralDiscreteScheduler": "Euler a",
    "EulerDiscreteScheduler": "Euler",
    "FlowMatchEulerDiscreteScheduler": "Euler",
    "LCMScheduler": "LCM",
    "PNDMScheduler": "PLMS",
    "UniPCMultistepScheduler": "UniPC",
}


def loaded(
    name: str,
    placement: Placement,
    *,
    architecture: str,
    kind: type[DiffusionPipeline],
    parts: Sequence[str],
    **how: Any,
) -> Base:
    """Load a base from a folder in diffusers' layout or from a model hub; safetensors only.

    Args:
        name: A folder, a hub's id, or `package:<name>`.
        placement: Where it computes.
        architecture: The module of `worker.architectures` that asks.
        kind: The pipeline that the base must be one of.
        parts: The folders whose content makes the base what it is.
        how: What the pipeline is told besides.

    Raises:
        BaseMissing: There is no such base, or it is of another architecture.
    """
    try:
        folder = _folder(base_location(name))
        _require_kind(folder, kind)
        pipeline = kind.from_pretrained(
            folder, dtype=placement.dtype, local_files_only=True, use_safetensors=True, **how
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise BaseMissing(
            f"The base model {name!r} cannot be loaded. Set the `location` of the offering's base to a folder in "
            f"diffusers' layout (model_index.json, vae, …; safetensors) or to a model hub's id this machine can "
            f"reach. The loader says: {error}"
        ) from error
    parameters = _prepared(pipeline, placement)
    return Base(
        name=name,
        hash=folder_hash(folder, parts=parts),
        architecture=architecture,
        pipeline=pipeline,
        placement=placement,
        lanes=lanes(parameters, multiprocessors=placement.multiprocessors),
    )


def _folder(location: str) -> Path:
    """Return the folder that a base lies in, if need be once it has come from its hub."""
    folder = Path(location)
    return folder if folder.is_dir() else Path(DiffusionPipeline.download(location, use_safetensors=True))


def _require_kind(folder: Path, kind: type[DiffusionPipeline]) -> None:
    """Let a base of one kind pass: parts of another might fit, and would then be trained wrongly.

    Raises:
        ValueError: It is of another kind.
    """
    found = kind.load_config(folder).get("_class_name")
    if found != kind.__name__:
        raise ValueError(f"it is a {found}, and this architecture takes a {kind.__name__}")


def _prepared(pipeline: DiffusionPipeline, placement: Placement) -> int:
    """Freeze all weights, move them to their device and choose the number of threads; return their number."""
    pipeline.set_progress_bar_config(disable=True)
    pipeline.to(placement.device)
    modules: list[Any] = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    for module in modules:
        module.requires_grad_(requires_grad=False).eval()
        if placement.device == "cuda":
            module.to(memory_format=torch.channels_last)  # where convolutions are faster so; a CPU gains nothing
    parameters: int = sum(parameter.numel() for module in modules for parameter in module.parameters())
    torch.set_num_threads(threads(parameters, cores=os.cpu_count() or 1))
    return parameters


def require_prediction(base: Base) -> Base:
    """Let a base pass whose UNet predicts what can be trained.

    Raises:
        BaseMissing: It predicts something else.
    """
    prediction = base.pipeline.scheduler.config.get("prediction_type", PREDICTIONS[0])
    if prediction not in PREDICTIONS:
        raise BaseMissing(
            f"The base model {base.name!r} predicts {prediction!r}; this architecture predicts epsilon or v_prediction."
        )
    return base


def pictures(
    base: Base, shots: Sequence[Shot], look: Look, *, redrawing: type[DiffusionPipeline], **how: Any
) -> list[Image]:
    """Make one picture per shot in one call; noise is drawn on the CPU, so that it is the same for every device.

    Guidance 1 or less turns guidance off. Variations do as large a part of the steps as they may change, at least one;
    `redrawing` is the pipeline that makes them, of the same parts and what it is told besides.
    """
    ordered = {
        "prompt": [shot.prompt for shot in shots],
        "negative_prompt": [shot.negative for shot in shots],
        "generator": generators(shots),
        "num_inference_steps": look.steps,
        "guidance_scale": look.guidance,
    }
    if look.strength is None:
        made = base.pipeline(**ordered, width=look.width, height=look.height)
    else:
        strength = min(1.0, (steps_of(look) + 0.5) / look.steps)  # which the pipeline rounds down to these steps
        again = variant(base, redrawing, **how)
        made = again(**ordered, image=[shot.source for shot in shots], strength=strength)
    found: list[Image] = made.images
    return found


def generators(shots: Sequence[Shot]) -> list[torch.Generator]:
    """Return the chance of each shot."""
    return [torch.Generator().manual_seed(shot.seed) for shot in shots]


def steps_of(look: Look) -> int:
    """Return how many of the steps are done: of variations only those that change as much as they may."""
    return look.steps if look.strength is None else max(1, look.steps * look.strength // 100)


def variant(base: Base, kind: type[DiffusionPipeline], **how: Any) -> DiffusionPipeline:
    """Return another pipeline, made of the base's parts."""
    made = kind(**base.pipeline.components, **how)
    made.set_progress_bar_config(disable=True)
    return made


def sampler(base: Base) -> str:
    """Name the sampler as other programs do; one that they do not know by its class."""
    scheduler = type(base.pipeline.scheduler).__name__
    return SAMPLERS.get(scheduler, scheduler.removesuffix("Scheduler"))


def targets(wish: DiffusionAdaptation) -> Mapping[str, Sequence[str]]:
    """Name the layers of a UNet, and of the text encoders that learn, that an adapter changes."""
    unet = lora.UNET_ALL if wish.targets is Targets.ALL else lora.UNET_ATTENTION
    return {part: unet if part == "unet" else lora.TEXT_ENCODER for part in wish.rates}


def facts(base: Base, wish: DiffusionAdaptation) -> dict[str, object]:
    """Return what the metadata of all adapters for UNets say of their training."""
    velocity = base.levels.config.prediction_type == "v_prediction"
    config = kohya.config(wish, targets(wish)) if wish.variant is Variant.DORA else {}
    return config | {
        "modelspec.prediction_type": "v" if velocity else "epsilon",
        "ss_v2": False,
        "ss_unet_lr": wish.unet_lr,
        "ss_min_snr_gamma": wish.min_snr_gamma or None,
    }
