"""FLUX.1: a transformer, told by CLIP and T5, that flows from noise to latents in squares of two."""

import json
from collections.abc import Mapping, Sequence

import torch
from diffusers import FluxImg2ImgPipeline, FluxPipeline
from PIL.Image import Image

from core.domain.adaptation import Targets
from core.domain.recipes.flux_lora import Hyperparameters
from worker.pipelines import diffusion, kohya, lora, objective
from worker.pipelines.base import Base
from worker.pipelines.encoding import Tensors
from worker.pipelines.lora import Weights
from worker.pipelines.placement import Placement
from worker.pipelines.sampling import Shot
from worker.pipelines.tasks import Look

PARTS = ("scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "transformer", "vae")
DENOISER = "transformer"
ATTENTION = ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")
ALL = (
    *ATTENTION,
    *("ff.net.0.proj", "ff.net.2", "ff_context.net.0.proj", "ff_context.net.2"),
    *("proj_mlp", "proj_out"),
)
TRAINED_AT = 1.0  # guidance: what a distilled model is told while it learns

wearing = lora.wearing
sampler = diffusion.sampler


def load(name: str, placement: Placement) -> Base:
    """Load a base from a folder in diffusers' layout or from a model hub; safetensors only.

    Raises:
        BaseMissing: There is no such base, or it is of another architecture.
    """
    base = diffusion.loaded(name, placement, architecture="flux", kind=FluxPipeline, parts=PARTS)
    base.pipeline.vae.enable_slicing()  # several large pictures at once would outweigh all else
    return base


def pictures(base: Base, shots: Sequence[Shot], look: Look) -> list[Image]:
    """Make one picture per shot in one call; noise is drawn on the CPU, so that it is the same for every device.

    Guidance is told to the model, which knows no negative prompts. Sides between two grains are cut to size.
    """
    wide, high = (-(-side // base.grain) * base.grain for side in (look.width, look.height))
    ordered = {
        "prompt": [shot.prompt for shot in shots],
        "generator": diffusion.generators(shots),
        "num_inference_steps": look.steps,
        "guidance_scale": look.guidance,
        "width": wide,
        "height": high,
        "max_sequence_length": base.pipeline.tokenizer_2.model_max_length,
    }
    if look.strength is None:
        made = base.pipeline(**ordered)
    else:
        strength = (diffusion.steps_of(look) - 0.5) / look.steps  # which the pipeline rounds up to these steps
        again = diffusion.variant(base, FluxImg2ImgPipeline)
        made = again(**ordered, image=[shot.source for shot in shots], strength=strength)
    return [picture.crop((0, 0, look.width, look.height)) for picture in made.images]


def targets(wish: Hyperparameters) -> Mapping[str, Sequence[str]]:
    """Name the layers of the transformer that an adapter changes."""
    return {DENOISER: ALL if wish.targets is Targets.ALL else ATTENTION}


def embed(base: Base, tokens: Tensors) -> Tensors:
    """Return what T5 says, `text` [batch, tokens, width], and CLIP's summary, `pooled` [batch, width]."""
    return {
        "text": base.pipeline.text_encoder_2(tokens["tokenizer_2"])[0],
        "pooled": base.pipeline.text_encoder(tokens["tokenizer"]).pooler_output,
    }


def errors(  # all that a denoiser is told
    base: Base,
    *,
    latents: torch.Tensor,
    noise: torch.Tensor,
    chance: torch.Tensor,
    text: Tensors,
    sizes: torch.Tensor,  # noqa: ARG001 - this architecture is not told
    wish: Hyperparameters | None = None,
) -> torch.Tensor:
    """Return the error of flowing to each picture, [batch]; noise levels are even, or as wished."""
    transformer = base.pipeline.transformer
    count, _, high, wide = latents.shape
    guidance = latents.new_full((count,), TRAINED_AT) if transformer.config.guidance_embeds else None
    words = latents.new_zeros((text["text"].shape[1], 3))

    def predict(noised: torch.Tensor, sigmas: torch.Tensor) -> torch.Tensor:
        found = transformer(
            hidden_states=packed(noised),
            timestep=sigmas,
            guidance=guidance,
            pooled_projections=text["pooled"],
            encoder_hidden_states=text["text"],
            txt_ids=words,
            img_ids=places(high // 2, wide // 2).to(latents),
        ).sample
        return unpacked(found, high, wide)

    sigmas = objective.logit_normal(chance, mean=wish.sigma_mean, std=wish.sigma_std) if wish else chance
    return objective.flowing(predict, latents=latents, noise=noise, sigmas=sigmas)


def packed(latents: torch.Tensor) -> torch.Tensor:
    """Return latents, [n, channels, height, width], as tokens of two by two: [n, height/2 · width/2, channels · 4]."""
    count, channels, high, wide = latents.shape
    squares = latents.reshape(count, channels, high // 2, 2, wide // 2, 2)
    return squares.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


def unpacked(tokens: torch.Tensor, high: int, wide: int) -> torch.Tensor:
    """Return tokens as the latents that they were packed from."""
    squares = tokens.reshape(len(tokens), high // 2, wide // 2, -1, 2, 2)
    return squares.permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)


def places(high: int, wide: int) -> torch.Tensor:
    """Return the places of tokens, [high · wide, 3]: nothing, row, column."""
    rows, columns = torch.meshgrid(torch.arange(high), torch.arange(wide), indexing="ij")
    return torch.stack([torch.zeros_like(rows), rows, columns], dim=-1).flatten(0, 1)


def exported(weights: Weights, wish: Hyperparameters) -> Tensors:
    """Return an adapter's weights under PEFT's names, as strong as they are: their alpha is their rank.

    Not all programs read an alpha beside these names, and kohya's names have no converter for this architecture.
    """
    dtype, strength = kohya.DTYPES[wish.precision], lora.strength(lora.config(wish, ALL))
    return {
        f"{part}.{name}": (tensor * (strength if ".lora_B" in name else 1)).detach().to("cpu", dtype).contiguous()
        for part, layers in weights.items()
        for name, tensor in layers.items()
    }


def facts(base: Base, wish: Hyperparameters) -> dict[str, object]:  # noqa: ARG001 - all bases are alike
    """Return what the metadata of an adapter say of its architecture, for diffusers as well."""
    stored = wish.but(alpha=wish.rank, rank_stabilized=False)
    config = lora.config(stored, targets(wish)[DENOISER]).to_dict()
    return {
        "modelspec.architecture": "flux-1-dev/lora",
        "ss_base_model_version": "flux1",
        "ss_unet_lr": wish.transformer_lr,
        "ss_guidance_scale": TRAINED_AT,
        "ss_weighting_scheme": "logit_normal",
        "ss_logit_mean": wish.sigma_mean,
        "ss_logit_std": wish.sigma_std,
        "lora_adapter_metadata": json.dumps(
            {f"{DENOISER}.{name}": value for name, value in config.items()}, default=sorted
        ),
    }
