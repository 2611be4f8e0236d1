"""What may be chosen when a LoRA learns one subject of a class, and is to keep what its base knows of that class."""

from pydantic import Field

from core.domain.adaptation import DiffusionAdaptation


class Hyperparameters(DiffusionAdaptation):
    """The defaults suit 5-20 pictures of one subject on a full-size base at 512 px."""

    steps: int = Field(default=800, ge=1, le=20_000, description="Optimizer steps in all.")
    unet_lr: float = Field(default=1e-4, gt=0, le=2, description="Learning rate of the UNet's part.")
    class_prompt: str = Field(
        default="a photo of a person",
        min_length=1,
        max_length=200,
        description="A prompt for pictures of the class that the subject is one of, without its trigger word.",
    )
    class_pictures: int = Field(default=200, ge=1, le=1000, description="Pictures of the class that the base makes.")
    prior_weight: float = Field(default=1.0, ge=0, le=10, description="How much they count beside the subject's own.")
