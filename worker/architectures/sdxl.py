"""Stable Diffusion XL: two text encoders, and a UNet that is told of sizes and crops (Podell et al., 2023)."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import torch
from diffusers import AutoencoderKL, StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline
from PIL.Image import Image

from core.domain.adaptation import Adaptation, DiffusionAdaptation
from worker.pipelines import diffusion, kohya, lora, objective
from worker.pipelines.base import Base
from worker.pipelines.encoding import Tensors
from worker.pipelines.lora import Weights
from worker.pipelines.placement import Placement
from worker.pipelines.sampling import Shot
from worker.pipelines.tasks import Look

PARTS = ("scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet", "vae")
ENCODERS = {"tokenizer": "text_encoder", "tokenizer_2": "text_encoder_2"}

wearing = lora.wearing
sampler = diffusion.sampler
targets = diffusion.targets


def load(name: str, placement: Placement) -> Base:
    """Load a base from a folder in diffusers' layout or from a model hub; safetensors only.

    Where all else computes in fp16, an autoencoder that says it cannot computes in fp32.

    Raises:
        BaseMissing: There is no such base, or it is of another architecture.
    """
    base = diffusion.loaded(
        name, placement, architecture="sdxl", kind=StableDiffusionXLPipeline, parts=PARTS, add_watermarker=False
    )
    base.pipeline.vae.enable_slicing()  # several large pictures at once would outweigh all else
    if placement.dtype is torch.float16 and base.pipeline.vae.config.force_upcast:
        _widen(base.pipeline.vae, placement.device)
    return diffusion.require_prediction(base)


def _widen(vae: AutoencoderKL, device: str) -> None:
    """Let an autoencoder compute in fp32, whatever surrounds it."""

    def wide(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def called(values: torch.Tensor, *args: Any, **options: Any) -> Any:
            with torch.autocast(device, enabled=False):
                return method(values.float(), *args, **options)

        return called

    vae.float()
    vae.register_to_config(force_upcast=False)  # or pipelines would narrow it again
    vae.encode, vae.decode = wide(vae.encode), wide(vae.decode)


def pictures(base: Base, shots: Sequence[Shot], look: Look) -> list[Image]:
    """Make one picture per shot in one call."""
    return diffusion.pictures(base, shots, look, redrawing=StableDiffusionXLImg2ImgPipeline, add_watermarker=False)


def embed(base: Base, tokens: Tensors) -> Tensors:
    """Return what both text encoders say.

    `text` [batch, tokens, widths] are their last hidden states but one, side by side; `pooled` [batch, width] is the
    second one's summary.
    """
    first, second = (
        getattr(base.pipeline, encoder)(tokens[tokenizer], output_hidden_states=True)
        for tokenizer, encoder in ENCODERS.items()
    )
    return {"text": torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=-1), "pooled": second[0]}


def errors(  # all that a denoiser is told
    base: Base,
    *,
    latents: torch.Tensor,
    noise: torch.Tensor,
    chance: torch.Tensor,
    text: Tensors,
    sizes: torch.Tensor,
    wish: DiffusionAdaptation | None = None,
) -> torch.Tensor:
    """Return the error of denoising each picture, [batch]; Min-SNR weighs it as wished."""
    told = {"text_embeds": text["pooled"], "time_ids": sizes}

    def predict(noised: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = base.pipeline.unet(noised, timesteps, text["text"], added_cond_kwargs=told).sample
        return found

    gamma = wish.min_snr_gamma if wish else 0.0
    return objective.denoising(base, predict, latents=latents, noise=noise, chance=chance, gamma=gamma)


def exported(weights: Weights, wish: Adaptation) -> Tensors:
    """Return an adapter's weights under kohya's names."""
    return kohya.tensors(weights, wish)


def facts(base: Base, wish: DiffusionAdaptation) -> dict[str, object]:
    """Return what the metadata of an adapter say of its architecture."""
    return diffusion.facts(base, wish) | {
        "modelspec.architecture": "stable-diffusion-xl-v1-base/lora",
        "ss_base_model_version": "sdxl_base_v1-0",
    }
