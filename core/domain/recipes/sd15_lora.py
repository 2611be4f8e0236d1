"""What may be chosen when a LoRA is trained on a model of the Stable Diffusion 1.5 family."""

from pydantic import Field

from core.domain.adaptation import DiffusionAdaptation


class Hyperparameters(DiffusionAdaptation):
    """The defaults suit 15-50 pictures of one character on a full-size base at 512 px."""

    batch: int = Field(default=3, ge=1, le=64, description="Pictures that are computed at once.")
    alpha: float = Field(default=8.0, gt=0, le=512, description="Strength of the adapter, divided by its rank.")
