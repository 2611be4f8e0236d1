"""Runs: how one training was done, epoch by epoch, with everything needed to repeat it."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue

from core.domain.artifact import Artifact
from core.domain.value import Entity, Value


class MetricsPoint(Value):
    """Values at a step: mean loss since the point before, learning rate."""

    step: int
    loss: float
    lr: float


class Epoch(Value):
    """One pass: the step it ended at, its mean loss, its exported LoRA and its sample pictures."""

    number: int
    step: int
    loss: float
    artifact: Artifact
    samples: tuple[Artifact, ...] = ()


class Run(Entity):
    """One execution of a training; its id is the job's. Evaluations are mean losses on fixed held-out noise."""

    owner: str
    dataset: str
    snapshot: str
    offering: str
    offering_version: str
    recipe: str
    hyperparameters: Mapping[str, JsonValue]
    seed: int
    base: str
    base_hash: str | None = None
    code_version: str | None = None
    epochs: tuple[Epoch, ...] = ()
    evaluation_before: float | None = None
    evaluation_after: float | None = None
    created_at: datetime

    def with_epoch(self, epoch: Epoch) -> "Run":
        """The run with an epoch added, or replaced when a resumed attempt passes it again."""
        others = (known for known in self.epochs if known.number != epoch.number)
        return self.but(epochs=tuple(sorted((*others, epoch), key=lambda known: known.number)))
