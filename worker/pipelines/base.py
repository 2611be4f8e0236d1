"""A base model of the Stable Diffusion 1.5 family, loaded and ready: its pipeline, its identity, its place."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import DDPMScheduler, DiffusionPipeline, StableDiffusionPipeline
from safetensors import SafetensorError

from worker.bases import base_location
from worker.pipelines.placement import Placement, threads
from worker.pipelines.tasks import BaseMissing

PARTS = ("scheduler", "text_encoder", "tokenizer", "unet", "vae")
HASHED = frozenset({".json", ".safetensors", ".txt"})


@dataclass(frozen=True, kw_only=True)
class Base:
    """A frozen base model; `hash` names its files' content, whatever folder they lie in."""

    name: str
    hash: str
    pipeline: StableDiffusionPipeline
    placement: Placement

    def noise_scheduler(self) -> DDPMScheduler:
        """Return the schedule of noise levels that the base was trained with."""
        scheduler: DDPMScheduler = DDPMScheduler.from_config(self.pipeline.scheduler.config)
        return scheduler


def load(name: str, placement: Placement) -> Base:
    """Load a base from a folder in diffusers' layout or from a model hub; safetensors only.

    Raises:
        BaseMissing: There is no such base, or it is of another family.
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
            f"The base model {name!r} predicts {prediction!r}; this family predicts epsilon or v_prediction."
        )
    return Base(name=name, hash=folder_hash(folder), pipeline=_prepared(pipeline, placement), placement=placement)


def _prepared(pipeline: StableDiffusionPipeline, placement: Placement) -> StableDiffusionPipeline:
    """Freeze all weights, move them to their device and choose the number of threads."""
    pipeline.set_progress_bar_config(disable=True)
    pipeline.to(placement.device)
    modules: tuple[torch.nn.Module, ...] = (pipeline.unet, pipeline.vae, pipeline.text_encoder)
    for module in modules:
        module.requires_grad_(requires_grad=False).eval()
    parameters = sum(parameter.numel() for module in modules for parameter in module.parameters())
    torch.set_num_threads(threads(parameters, cores=os.cpu_count() or 1))
    return pipeline


def folder_hash(folder: Path) -> str:
    """Return the sha256, in hex, of the names and contents of a base's files, in the order of their names."""
    digest = hashlib.sha256()
    files = (path for part in PARTS for path in (folder / part).rglob("*") if path.suffix in HASHED)
    for path in sorted(files, key=lambda path: path.relative_to(folder).as_posix()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()
