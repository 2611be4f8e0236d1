"""What may be chosen when a LoRA is trained on a model of the FLUX.1 family."""

from collections.abc import Mapping

from pydantic import Field

from core.domain.adaptation import PictureAdaptation


class Hyperparameters(PictureAdaptation):
    """The defaults suit 15-50 pictures of one character on a full-size base at 1024 px, with 48 GB of memory."""

    steps: int = Field(default=2000, ge=1, le=20_000, description="Optimizer steps in all.")
    resolution: int = Field(
        default=1024, ge=64, le=2048, multiple_of=64, description="Side in pixels of a square picture of full size."
    )
    transformer_lr: float = Field(default=1e-4, gt=0, le=2, description="Learning rate of the transformer's part.")
    sigma_mean: float = Field(
        default=0.0, ge=-3, le=3, description="Middle of the logits of the noise levels; above 0 is more noise."
    )
    sigma_std: float = Field(default=1.0, gt=0, le=3, description="Spread of the logits of the noise levels.")
    caption_dropout: float = Field(default=0.0, ge=0, le=0.5, description="Share of captions left out.")
    checkpointing: bool = Field(default=True, description="Compute gradients again instead of keeping activations.")
    sample_steps: int = Field(default=28, ge=1, le=100, description="Denoising steps of each sample.")
    sample_guidance: float = Field(default=3.5, ge=0, le=20, description="How strictly samples follow their prompt.")

    @property
    def rates(self) -> Mapping[str, float]:
        """The transformer's: its text encoders stay as they are."""
        return {"transformer": self.transformer_lr}
