"""What may be chosen whenever a low-rank adapter is trained: the options that recipes have in common.

A recipe's own module adds what only it has, and sets defaults that suit its base.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from pydantic import Field, JsonValue, model_validator

from core.domain.value import Value


class Targets(StrEnum):
    """Which layers the adapter changes."""

    ATTENTION = "attention"
    ALL = "all"


class Variant(StrEnum):
    """Plain LoRA (arXiv:2106.09685), or DoRA, which learns magnitudes apart from directions (arXiv:2402.09353)."""

    LORA = "lora"
    DORA = "dora"


class Optimizer(StrEnum):
    """AdamW; the same with 8-bit state, where the device has it; Prodigy, which finds its own learning rate."""

    ADAMW = "adamw"
    ADAMW_8BIT = "adamw8bit"
    PRODIGY = "prodigy"


class Schedule(StrEnum):
    """How the learning rate goes on after its warm-up."""

    CONSTANT = "constant"
    LINEAR = "linear"
    COSINE = "cosine"


class Precision(StrEnum):
    """How the numbers of an exported adapter are stored."""

    FP16 = "fp16"
    BF16 = "bf16"
    FP32 = "fp32"


class Compute(StrEnum):
    """Number format of the frozen weights and of the computing: `auto` is the best that the device has."""

    AUTO = "auto"
    BF16 = "bf16"
    FP16 = "fp16"
    FP32 = "fp32"


class Compiling(StrEnum):
    """Whether the denoiser is compiled: `auto` where so many steps on a GPU pay for it."""

    AUTO = "auto"
    NEVER = "never"
    ALWAYS = "always"


class Adaptation(Value):
    """Any adapter's training. What one step learns from is `batch` × `accumulation` examples."""

    steps: int = Field(default=1500, ge=1, le=20_000, description="Optimizer steps in all.")
    epochs: int = Field(
        default=5,
        ge=1,
        le=50,
        description="Equal parts the steps are cut into; each ends with samples and an artifact.",
    )
    extra: tuple[int, ...] = Field(default=(), description="Steps that were added while it ran: an epoch each.")
    batch: int = Field(default=1, ge=1, le=64, description="Examples that are computed at once.")
    accumulation: int = Field(default=1, ge=1, le=64, description="Batches of which one step is made.")
    rank: int = Field(default=16, ge=1, le=256, description="Inner width of the adapter.")
    alpha: float = Field(default=16.0, gt=0, le=512, description="Strength of the adapter, divided by its rank.")
    rank_stabilized: bool = Field(
        default=False, description="Divide the strength by the root of the rank instead (rsLoRA, arXiv:2312.03732)."
    )
    dropout: float = Field(default=0.0, ge=0, le=0.5, description="Share of the adapter's inputs that are left out.")
    variant: Variant = Field(default=Variant.LORA, description="Kind of the adapter.")
    optimizer: Optimizer = Field(default=Optimizer.ADAMW, description="Prodigy wants learning rates of 1.")
    lr_ratio: float = Field(
        default=1.0, ge=1, le=64, description="How much faster the second matrices learn (LoRA+, arXiv:2402.12354)."
    )
    schedule: Schedule = Field(default=Schedule.COSINE, description="Course of the learning rate after the warm-up.")
    warmup: float = Field(default=0.05, ge=0, le=0.5, description="Share of the steps spent warming up.")
    weight_decay: float = Field(default=0.01, ge=0, le=1, description="Decay of the adapter's weights.")
    max_grad_norm: float = Field(default=1.0, gt=0, le=100, description="Gradients are clipped to this norm.")
    ema: float = Field(default=0.0, ge=0, lt=1, description="Decay of the averaged weights that are kept; 0 for none.")
    checkpointing: bool = Field(default=False, description="Compute gradients again instead of keeping activations.")
    compiling: Compiling = Field(default=Compiling.AUTO, description="Whether the denoiser is compiled.")
    compute: Compute = Field(default=Compute.AUTO, description="Number format of the computing.")
    validation: float = Field(default=0.0, ge=0, le=0.5, description="Share of the examples kept for the evaluation.")
    precision: Precision = Field(default=Precision.FP16, description="Number format of the exported adapter.")

    @property
    def total(self) -> int:
        """All steps, those that were added later included."""
        return self.steps + sum(self.extra)

    @property
    def rates(self) -> Mapping[str, float]:
        """The full learning rate of each part of the base that learns."""
        return {}

    @property
    def identity(self) -> dict[str, JsonValue]:
        """What must be the same for a training to go on: how memory is saved, and how long it lasts, may change."""
        passing = {"batch", "accumulation", "checkpointing", "compiling", "extra"}
        chosen = self.model_dump(mode="json", exclude=passing)
        return chosen | {"examples": self.batch * self.accumulation}

    @model_validator(mode="after")
    def _every_epoch_has_a_step(self) -> Self:
        if self.epochs > self.steps:
            raise ValueError("there cannot be more epochs than steps")
        return self

    @model_validator(mode="after")
    def _prodigy_has_one_rate(self) -> Self:
        if self.optimizer is Optimizer.PRODIGY and (self.lr_ratio != 1 or len(set(self.rates.values())) > 1):
            raise ValueError(
                "Prodigy takes the same learning rate for all parts, best 1, and a learning rate ratio of 1"
            )
        return self


class PictureAdaptation(Adaptation):
    """The training of an adapter that pictures are made with."""

    resolution: int = Field(
        default=512, ge=64, le=2048, multiple_of=64, description="Side in pixels of a square picture of full size."
    )
    buckets: bool = Field(
        default=True, description="Keep aspect ratios, never enlarging a picture; otherwise crop to a square."
    )
    flip: bool = Field(default=False, description="Show each picture mirrored half of the time.")
    targets: Targets = Field(default=Targets.ATTENTION, description="Layers of the denoiser that the adapter changes.")
    caption_dropout: float = Field(default=0.1, ge=0, le=0.5, description="Share of captions left out, for guidance.")
    shuffle: bool = Field(default=False, description="Shuffle the parts of captions between their commas.")
    keep_tokens: int = Field(default=1, ge=0, le=20, description="Parts of a caption that stay in front of it.")
    noise_offset: float = Field(
        default=0.0, ge=0, le=0.2, description="Noise that a whole channel has in common, for dark and light pictures."
    )
    sample_steps: int = Field(default=25, ge=1, le=100, description="Denoising steps of each sample.")
    sample_guidance: float = Field(default=7.0, ge=0, le=20, description="How strictly samples follow their prompt.")


class DiffusionAdaptation(PictureAdaptation):
    """The same for a UNet that predicts noise or velocity."""

    unet_lr: float = Field(default=5e-4, gt=0, le=2, description="Learning rate of the UNet's part.")
    text_encoder_lr: float = Field(
        default=0.0, ge=0, le=2, description="Learning rate of the text encoders' part; 0 leaves them alone."
    )
    min_snr_gamma: float = Field(
        default=5.0, ge=0, le=20, description="Min-SNR weighting of the loss; 0 weighs all noise levels alike."
    )

    @property
    def rates(self) -> Mapping[str, float]:
        """The UNet's, and the text encoder's where it learns."""
        return {"unet": self.unet_lr} | ({"text_encoder": self.text_encoder_lr} if self.text_encoder_lr else {})
