"""What may be chosen when a LoRA is trained on a model of the Stable Diffusion XL family."""

from collections.abc import Mapping

from pydantic import Field

from core.domain.adaptation import DiffusionAdaptation


class Hyperparameters(DiffusionAdaptation):
    """The defaults suit 15-50 pictures of one character on a full-size base at 1024 px, with 16 GB of memory."""

    resolution: int = Field(
        default=1024, ge=64, le=2048, multiple_of=64, description="Side in pixels of a square picture of full size."
    )
    rank: int = Field(default=32, ge=1, le=256, description="Inner width of the adapter.")
    unet_lr: float = Field(default=1e-4, gt=0, le=2, description="Learning rate of the UNet's part.")
    checkpointing: bool = Field(default=True, description="Compute gradients again instead of keeping activations.")

    @property
    def rates(self) -> Mapping[str, float]:
        """The UNet's, and that of both text encoders where they learn."""
        both = {"text_encoder_2": self.text_encoder_lr} if self.text_encoder_lr else {}
        return {**super().rates, **both}
