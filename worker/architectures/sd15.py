"""Stable Diffusion 1.5: one text encoder, a UNet that predicts noise or velocity, an autoencoder of eight pixels."""

from collections.abc import Sequence

import torch
from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
from PIL.Image import Image

from core.domain.adaptation import Adaptation, DiffusionAdaptation
from worker.pipelines import diffusion, kohya, lora, objective
from worker.pipelines.base import Base
from worker.pipelines.encoding import Tensors
from worker.pipelines.lora import Weights
from worker.pipelines.placement import Placement
from worker.pipelines.sampling import Shot
from worker.pipelines.tasks import Look

PARTS = ("scheduler", "text_encoder", "tokenizer", "unet", "vae")

wearing = lora.wearing
sampler = diffusion.sampler
targets = diffusion.targets


def load(name: str, placement: Placement) -> Base:
    """Load a base from a folder in diffusers' layout or from a model hub; safetensors only.

    Raises:
        BaseMissing: There is no such base, or it is of another architecture.
    """
    base = diffusion.loaded(
        name, placement, architecture="sd15", kind=StableDiffusionPipeline, parts=PARTS, safety_checker=None
    )
    return diffusion.require_prediction(base)


def pictures(base: Base, shots: Sequence[Shot], look: Look) -> list[Image]:
    """Make one picture per shot in one call."""
    return diffusion.pictures(
        base, shots, look, redrawing=StableDiffusionImg2ImgPipeline, requires_safety_checker=False
    )


def embed(base: Base, tokens: Tensors) -> Tensors:
    """Return the last hidden states of the text encoder, `text` [batch, tokens, width]."""
    return {"text": base.pipeline.text_encoder(tokens["tokenizer"])[0]}


def errors(  # all that a denoiser is told
    base: Base,
    *,
    latents: torch.Tensor,
    noise: torch.Tensor,
    chance: torch.Tensor,
    text: Tensors,
    sizes: torch.Tensor,  # noqa: ARG001 - this architecture is not told
    wish: DiffusionAdaptation | None = None,
) -> torch.Tensor:
    """Return the error of denoising each picture, [batch]; Min-SNR weighs it as wished."""

    def predict(noised: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = base.pipeline.unet(noised, timesteps, text["text"]).sample
        return found

    gamma = wish.min_snr_gamma if wish else 0.0
    return objective.denoising(base, predict, latents=latents, noise=noise, chance=chance, gamma=gamma)


def exported(weights: Weights, wish: Adaptation) -> Tensors:
    """Return an adapter's weights under kohya's names."""
    return kohya.tensors(weights, wish, only_encoder="lora_te")


def facts(base: Base, wish: DiffusionAdaptation) -> dict[str, object]:
    """Return what the metadata of an adapter say of its architecture."""
    common = diffusion.facts(base, wish)
    return common | {
        "modelspec.architecture": "stable-diffusion-v1/lora",
        "ss_base_model_version": "sd_v1_v" if common["modelspec.prediction_type"] == "v" else "sd_v1",
    }
