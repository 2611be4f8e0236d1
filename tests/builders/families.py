"""Tiny random base models of the larger families, SDXL and FLUX.1, and trainings on them."""

from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import (
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from pydantic import JsonValue
from transformers import CLIPTextModel, CLIPTextModelWithProjection, T5Config, T5EncoderModel, T5Tokenizer

from tests.builders.bases import WIDTH, a_tokenizer, a_training, a_vae, clip
from worker.pipelines.tasks import TrainingTask

TIMES = 8  # width of each number that a UNet is told
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789,."
OVERFLOWING = 3e5  # times as large: just stored in fp16, and never summed


def an_sdxl(folder: Path, *, prediction: str = "epsilon", overflowing: bool = False) -> Path:
    """Write a random base with both encoders; an overflowing one has an autoencoder that cannot compute in fp16."""
    torch.manual_seed(0)
    tokenizer = a_tokenizer()
    vae = a_vae(force_upcast=overflowing)
    if overflowing:
        with torch.no_grad():
            vae.encoder.conv_in.weight *= OVERFLOWING
            vae.decoder.conv_in.weight *= OVERFLOWING
    StableDiffusionXLPipeline(
        vae=vae,
        text_encoder=CLIPTextModel(clip(tokenizer)),
        text_encoder_2=CLIPTextModelWithProjection(clip(tokenizer, projection_dim=WIDTH, hidden_act="gelu")),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=UNet2DConditionModel(
            sample_size=8,
            layers_per_block=1,
            block_out_channels=(WIDTH, WIDTH),
            norm_num_groups=4,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            attention_head_dim=4,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=TIMES,
            projection_class_embeddings_input_dim=6 * TIMES + WIDTH,
            cross_attention_dim=2 * WIDTH,
        ),
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            steps_offset=1,
            timestep_spacing="leading",
            prediction_type=prediction,
        ),
    ).save_pretrained(folder)
    return folder


def a_flux(folder: Path, *, guided: bool = True) -> Path:
    """Write a random base; one that is not guided is like the distilled models that are told no guidance."""
    torch.manual_seed(0)
    tokenizer, pieces = a_tokenizer(), [(piece, -1.0) for piece in ("▁", *LETTERS)]
    words = T5Tokenizer(
        vocab=[("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *pieces], extra_ids=0, model_max_length=32
    )
    FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        vae=a_vae(
            latent_channels=16,
            use_quant_conv=False,
            use_post_quant_conv=False,
            shift_factor=0.1159,
            scaling_factor=0.3611,
        ),
        text_encoder=CLIPTextModel(clip(tokenizer)),
        tokenizer=tokenizer,
        text_encoder_2=T5EncoderModel(
            T5Config(
                vocab_size=len(words),
                d_model=WIDTH,
                d_kv=8,
                d_ff=32,
                num_layers=2,
                num_heads=2,
                feed_forward_proj="gated-gelu",
            )
        ),
        tokenizer_2=words,
        transformer=FluxTransformer2DModel(
            in_channels=64,
            num_layers=1,
            num_single_layers=2,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=WIDTH,
            pooled_projection_dim=WIDTH,
            axes_dims_rope=(4, 6, 6),
            guidance_embeds=guided,
        ),
    ).save_pretrained(folder)
    return folder


def a_larger_training(folder: Path, *, base: Path, architecture: str, **wish: JsonValue) -> TrainingTask:
    """Describe a training of six steps on two pictures."""
    rates: Mapping[str, Mapping[str, JsonValue]] = {
        "sdxl": {"unet_lr": 0.01, "text_encoder_lr": 0.005},
        "flux": {"transformer_lr": 0.01},
    }
    small: dict[str, JsonValue] = {
        "steps": 6,
        "epochs": 1,
        "batch": 2,
        "resolution": 64,
        "rank": 4,
        "alpha": 2.0,
        "checkpointing": False,
        "sample_steps": 2,
        "precision": "fp32",
    }
    hyperparameters = {**small, **rates[architecture], **wish}
    task = a_training(folder, base=base)
    return task.but(
        architecture=architecture,
        recipe=f"{architecture}_lora",
        hyperparameters=hyperparameters,
        items=task.items[:2],
    )
