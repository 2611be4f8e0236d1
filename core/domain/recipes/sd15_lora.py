"""What may be chosen when a LoRA is trained on a model of the Stable Diffusion 1.5 family."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from core.domain.value import Value


class Targets(StrEnum):
    """Which layers of the UNet the adapter changes."""

    ATTENTION = "attention"
    ALL = "all"


class Schedule(StrEnum):
    """How the learning rate goes on after its warm-up."""

    CONSTANT = "constant"
    LINEAR = "linear"
    COSINE = "cosine"


class Precision(StrEnum):
    """How the numbers of an exported adapter are stored."""

    FP16 = "fp16"
    FP32 = "fp32"


class Hyperparameters(Value):
    """The defaults suit 15-50 pictures of one character on a full-size base at 512 px."""

    steps: int = Field(default=1500, ge=1, le=20_000, description="Optimizer steps in all.")
    epochs: int = Field(
        default=5,
        ge=1,
        le=50,
        description="Equal parts the steps are cut into; each ends with samples and an artifact.",
    )
    batch: int = Field(default=3, ge=1, le=16, description="Pictures per step.")
    resolution: int = Field(
        default=512, ge=64, le=1024, multiple_of=64, description="Side in pixels; pictures are cropped to a square."
    )
    rank: int = Field(default=16, ge=1, le=128, description="Inner width of the adapter.")
    alpha: float = Field(default=8.0, gt=0, le=256, description="Strength of the adapter, divided by its rank.")
    targets: Targets = Field(default=Targets.ATTENTION, description="Layers of the UNet that the adapter changes.")
    unet_lr: float = Field(default=5e-4, gt=0, le=0.05, description="Learning rate of the UNet's part.")
    text_encoder_lr: float = Field(
        default=0.0, ge=0, le=0.01, description="Learning rate of the text encoder's part; 0 leaves the encoder alone."
    )
    schedule: Schedule = Field(default=Schedule.COSINE, description="Course of the learning rate after the warm-up.")
    warmup: float = Field(default=0.05, ge=0, le=0.5, description="Share of the steps spent warming up.")
    weight_decay: float = Field(default=0.01, ge=0, le=1, description="Decay of the adapter's weights.")
    max_grad_norm: float = Field(default=1.0, gt=0, le=100, description="Gradients are clipped to this norm.")
    min_snr_gamma: float = Field(
        default=5.0, ge=0, le=20, description="Min-SNR weighting of the loss; 0 weighs all noise levels alike."
    )
    caption_dropout: float = Field(default=0.1, ge=0, le=0.5, description="Share of captions left out, for guidance.")
    sample_steps: int = Field(default=25, ge=1, le=100, description="Denoising steps of each sample.")
    sample_guidance: float = Field(default=7.0, ge=1, le=20, description="How strictly samples follow their prompt.")
    precision: Precision = Field(default=Precision.FP16, description="Number format of the exported adapter.")

    @model_validator(mode="after")
    def _every_epoch_has_a_step(self) -> Self:
        if self.epochs > self.steps:
            raise ValueError("there cannot be more epochs than steps")
        return self
