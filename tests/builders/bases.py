"""Tiny random base models of the Stable Diffusion 1.5 family, and tasks to train and draw with them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from PIL import Image
from pydantic import JsonValue
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from core.domain.run import MetricsPoint
from core.domain.value import Value
from worker.bases import base_location
from worker.pipelines.tasks import (
    Checkpointed,
    Drawing,
    EpochEnded,
    GenerationTask,
    Look,
    Progressed,
    TrainingItem,
    TrainingTask,
)

WIDTH = 16


def a_tokenizer() -> CLIPTokenizer:
    """Return a small vocabulary of CLIP's."""
    return CLIPTokenizer.from_pretrained(Path(base_location("package:tiny-sd")) / "tokenizer")


def clip(tokenizer: CLIPTokenizer, **facts: Any) -> CLIPTextConfig:
    """Describe a text encoder of two layers."""
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=WIDTH * 2,
        num_hidden_layers=2,
        num_attention_heads=2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **facts,
    )


def a_vae(**facts: Any) -> AutoencoderKL:
    """Return an autoencoder of eight pixels."""
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 4, 8, 8),
        norm_num_groups=2,
        sample_size=64,
        **facts,
    )


def a_base(folder: Path, *, prediction: str = "epsilon", broken: bool = False) -> Path:
    """Write a random base of 0.2 M parameters; a broken one answers with NaN."""
    torch.manual_seed(0)
    tokenizer = a_tokenizer()
    unet = UNet2DConditionModel(
        sample_size=8,
        layers_per_block=1,
        block_out_channels=(WIDTH, WIDTH),
        norm_num_groups=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=4,
    )
    if broken:
        with torch.no_grad():
            unet.conv_in.weight.fill_(float("nan"))
    zero_snr: dict[str, Any] = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    StableDiffusionPipeline(
        vae=a_vae(),
        text_encoder=CLIPTextModel(clip(tokenizer)),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=DDIMScheduler(
            steps_offset=1,
            beta_schedule="scaled_linear",
            clip_sample=False,
            prediction_type=prediction,
            **(zero_snr if prediction == "v_prediction" else {}),
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    return folder


def some_items(folder: Path, *, count: int = 3) -> tuple[TrainingItem, ...]:
    """Write plain pictures of odd sizes with a caption each."""
    folder.mkdir(parents=True, exist_ok=True)
    items = []
    for number in range(count):
        picture = folder / f"{number}.png"
        Image.new("RGB", (70 + 5 * number, 64), (80 * number, 40, 200 - 60 * number)).save(picture)
        items.append(TrainingItem(picture=picture, caption=f"zorp number {number}"))
    return tuple(items)


def a_training(folder: Path, *, base: Path, hyperparameters: Mapping[str, JsonValue] | None = None) -> TrainingTask:
    """Describe a training of six steps in two epochs with everything switched on."""
    small: dict[str, JsonValue] = {
        "steps": 6,
        "epochs": 2,
        "batch": 2,
        "resolution": 64,
        "rank": 4,
        "alpha": 2.0,
        "unet_lr": 0.01,
        "text_encoder_lr": 0.005,
        "sample_steps": 2,
        "sample_guidance": 2.0,
        "precision": "fp32",
    }
    return TrainingTask(
        folder=folder,
        architecture="sd15",
        base=str(base),
        recipe="sd15_lora",
        hyperparameters=small | dict(hyperparameters or {}),
        items=some_items(folder / "items"),
        trigger="zorp",
        title="Zorp",
        author="ada",
        seed=5,
        sample_prompts=("zorp on a blue background",),
    )


def a_look(base: Path, **facts: Any) -> Look:
    """Describe how small pictures are made in two steps."""
    usual: dict[str, Any] = {"architecture": "sd15", "steps": 2, "guidance": 2.0, "width": 64, "height": 64}
    return Look(base=str(base), **usual | facts)


def a_drawing(folder: Path, **facts: Any) -> Drawing:
    """Describe two pictures of zorp, in a folder that is there."""
    folder.mkdir(parents=True, exist_ok=True)
    usual: dict[str, Any] = {"prompt": "zorp", "seed": 3, "count": 2}
    return Drawing(folder=folder, **usual | facts)


def a_generation(folder: Path, *, base: Path, **look: Any) -> GenerationTask:
    """Describe one drawing of two pictures."""
    return GenerationTask(look=a_look(base, **look), drawings=(a_drawing(folder),))


class Line:
    """A channel that keeps what was sent, asks to stop after a number of questions, and wishes at the n-th question."""

    def __init__(self, *, stop_after: int | None = None, wishes: Mapping[int, Value] = {}) -> None:
        self.events: list[Value] = []
        self._left = stop_after
        self._wishes = wishes
        self._asked = 0

    def send(self, event: Value) -> None:
        self.events.append(event)

    def stopping(self) -> bool:
        if self._left is None:
            return False
        self._left -= 1
        return self._left <= 0

    def wishes(self) -> tuple[Value, ...]:
        self._asked += 1
        return (self._wishes[self._asked],) if self._asked in self._wishes else ()

    @property
    def points(self) -> list[MetricsPoint]:
        return [point for event in self.events if isinstance(event, Progressed) for point in event.points]

    @property
    def epochs(self) -> list[EpochEnded]:
        return [event for event in self.events if isinstance(event, EpochEnded)]

    @property
    def checkpoints(self) -> list[Checkpointed]:
        return [event for event in self.events if isinstance(event, Checkpointed)]
