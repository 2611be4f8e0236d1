"""What may be chosen when a LoRA is trained on a base that draws in a few steps and without guidance."""

from pydantic import Field

from core.domain.adaptation import DiffusionAdaptation


class Hyperparameters(DiffusionAdaptation):
    """The defaults suit 15-50 pictures of one character on a full-size base at 512 px."""

    unet_lr: float = Field(default=1e-4, gt=0, le=2, description="Learning rate of the UNet's part.")
    levels: int = Field(
        default=4, ge=0, le=8, description="Learn at the noise levels of so many sampling steps alone; 0 for all."
    )
    caption_dropout: float = Field(default=0.0, ge=0, le=0.5, description="Share of captions left out, for guidance.")
    sample_steps: int = Field(default=4, ge=1, le=8, description="Denoising steps of each sample.")
    sample_guidance: float = Field(default=1.0, ge=0, le=1, description="Guidance of samples: 1 or less is none.")
