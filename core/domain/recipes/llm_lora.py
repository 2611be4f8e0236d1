"""What may be chosen when a LoRA is trained on a language model."""

from collections.abc import Mapping
from math import ceil
from typing import Literal, Self

from pydantic import Field

from core.domain.adaptation import Adaptation, Compiling, Targets


class Hyperparameters(Adaptation):
    """The defaults suit some hundred to some ten thousand conversations on a base of up to ten billion parameters.

    An example is a block of `length` tokens, into which as many conversations are put as fit. The training ends after
    `steps`, or before that, when it has seen everything so many times as there are `passes`.
    """

    epochs: int = Field(
        default=2,
        ge=1,
        le=50,
        description="Equal parts the steps are cut into; each ends with samples and an artifact.",
    )
    batch: int = Field(default=4, ge=1, le=64, description="Blocks that are computed at once.")
    length: int = Field(default=1024, ge=16, le=32_768, description="Tokens of a block, and of one conversation.")
    passes: int = Field(default=2, ge=0, le=50, description="How often everything is seen, at most; 0 for no end.")
    targets: Targets = Field(default=Targets.ALL, description="Linear layers that the adapter changes.")
    alpha: float = Field(default=32.0, gt=0, le=512, description="Strength of the adapter, divided by its rank.")
    lr: float = Field(default=2e-4, gt=0, le=2, description="Learning rate.")
    validation: float = Field(
        default=0.1, ge=0, le=0.5, description="Share of the conversations kept for the evaluation."
    )
    compiling: Literal[Compiling.NEVER] = Field(default=Compiling.NEVER, description="Blocks have too many lengths.")
    answer: int = Field(default=200, ge=1, le=2000, description="Tokens of a sample's answer, at most.")

    @property
    def rates(self) -> Mapping[str, float]:
        """The model's."""
        return {"model": self.lr}

    def fitted(self, blocks: int, *, processes: int = 1) -> Self:
        """Return what is to be done with so many blocks: no step has one twice if it can be, nor is a pass too many."""
        examples, batch = self.batch * self.accumulation, self.batch
        if examples > blocks:
            examples = max(1, blocks // processes) * processes
            batch = next(size for size in range(batch, 0, -1) if examples % size == 0)
        steps = min(self.steps, ceil(self.passes * blocks / examples)) if self.passes else self.steps
        return self.but(batch=batch, accumulation=examples // batch, steps=steps, epochs=min(self.epochs, steps))
