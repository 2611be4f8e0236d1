"""Stable Diffusion 1.5: one text encoder, a UNet that predicts noise or velocity, an autoencoder of eight pixels."""

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers import DiffusionPipeline, StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from PIL.Image import Image
from safetensors import SafetensorError

from worker.bases import base_location
from worker.pipelines.base import Base, folder_hash
from worker.pipelines.placement import Placement, lanes, threads
from worker.pipelines.sampling import Shot
from worker.pipelines.tasks import BadAdapter, BaseMissing, Look, WeightedAdapter

PARTS = ("scheduler", "text_encoder", "tokenizer", "unet", "vae")
SAMPLERS = {
    "DDIMScheduler": "DDIM",
    "DPMSolverMultistepScheduler": "DPM++ 2M",
    "EulerAncestralDiscreteScheduler": "Euler a",
    "EulerDiscreteScheduler": "Euler",
    "LCMScheduler": "LCM",
    "PNDMScheduler": "PLMS",
    "UniPCMultistepScheduler": "UniPC",
}


def load(name: str, placement: Placement) -> Base:
    """Load a base from a folder in diffusers' layout or from a model hub; safetensors only.

    Raises:
        BaseMissing: There is no such base, or it is of another architecture.
    """
    location = base_location(name)
    try:
        folder = Path(location)
        if not folder.is_dir():
            folder = Path(DiffusionPipeline.download(location, use_safetensors=True))
        pipeline = StableDiffusionPipeline.from_pretrained(
            folder, dtype=placement.dtype, local_files_only=True, use_safetensors=True, safety_checker=None
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise BaseMissing(
            f"The base model {name!r} cannot be loaded. Set the `location` of the offering's base to a folder in "
            f"diffusers' layout (model_index.json, unet, vae, …; safetensors) or to a model hub's id this machine can "
            f"reach. The loader says: {error}"
        ) from error
    prediction = pipeline.scheduler.config.get("prediction_type", "epsilon")
    if prediction not in {"epsilon", "v_prediction"}:
        raise BaseMissing(
            f"The base model {name!r} predicts {prediction!r}; this architecture predicts epsilon or v_prediction."
        )
    parameters = _prepared(pipeline, placement)
    return Base(
        name=name,
        hash=folder_hash(folder, parts=PARTS),
        architecture="sd15",
        pipeline=pipeline,
        placement=placement,
        lanes=lanes(parameters, multiprocessors=placement.multiprocessors),
    )


def _prepared(pipeline: StableDiffusionPipeline, placement: Placement) -> int:
    """Freeze all weights, move them to their device and choose the number of threads; return their number."""
    pipeline.set_progress_bar_config(disable=True)
    pipeline.to(placement.device)
    modules: tuple[torch.nn.Module, ...] = (pipeline.unet, pipeline.vae, pipeline.text_encoder)
    for module in modules:
        module.requires_grad_(requires_grad=False).eval()
    parameters = sum(parameter.numel() for module in modules for parameter in module.parameters())
    torch.set_num_threads(threads(parameters, cores=os.cpu_count() or 1))
    return parameters


@contextmanager
def wearing(base: Base, adapters: Sequence[WeightedAdapter]) -> Iterator[None]:
    """Put exported adapters onto the base, and take them off at the end.

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


def pictures(base: Base, shots: Sequence[Shot], look: Look) -> list[Image]:
    """Make one picture per shot in one call; noise is drawn on the CPU, so that it is the same for every device.

    Guidance 1 or less turns guidance off. Variations do as large a part of the steps as they may change, at least one.
    """
    ordered = {
        "prompt": [shot.prompt for shot in shots],
        "negative_prompt": [shot.negative for shot in shots],
        "generator": [torch.Generator().manual_seed(shot.seed) for shot in shots],
        "num_inference_steps": look.steps,
        "guidance_scale": look.guidance,
    }
    if look.strength is None:
        made = base.pipeline(**ordered, width=look.width, height=look.height)
    else:
        steps = max(1, look.steps * look.strength // 100)
        strength = min(1.0, (steps + 0.5) / look.steps)  # which the pipeline rounds down to these steps
        made = _redrawing(base.pipeline)(**ordered, image=[shot.source for shot in shots], strength=strength)
    found: list[Image] = made.images
    return found


def _redrawing(pipeline: DiffusionPipeline) -> StableDiffusionImg2ImgPipeline:
    """Return a pipeline for variations, made of the same parts."""
    redrawing = StableDiffusionImg2ImgPipeline(**pipeline.components, requires_safety_checker=False)
    redrawing.set_progress_bar_config(disable=True)
    return redrawing


def sampler(base: Base) -> str:
    """Name the sampler as other programs do; one that they do not know by its class."""
    scheduler = type(base.pipeline.scheduler).__name__
    return SAMPLERS.get(scheduler, scheduler.removesuffix("Scheduler"))
