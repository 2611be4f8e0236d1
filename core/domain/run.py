"""Runs: how one training was done, epoch by epoch, with everything needed to repeat it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self

from pydantic import JsonValue

from core.domain.artifact import Artifact
from core.domain.errors import EpochGone, NotFound
from core.domain.failure import Remedy, remedied
from core.domain.value import Entity, Value


class MetricsPoint(Value):
    """Values at a step: mean loss since the point before, learning rate."""

    step: int
    loss: float
    lr: float


class Epoch(Value):
    """One pass: the step it ended at, its mean loss, its exported LoRA and its sample pictures.

    `evaluation` is the mean loss on fixed held-out noise. A `wished` one was saved between two passes, because its
    owner asked for it. The file of one that is `gone` was let go; its size and its hash stay.
    """

    number: int
    step: int
    loss: float
    evaluation: float | None = None
    wished: bool = False
    gone: bool = False
    artifact: Artifact
    samples: tuple[Artifact, ...] = ()

    @property
    def name(self) -> str:
        """What it is called among those of its run: its number, or the step where it was wished for."""
        return f"step-{self.step}" if self.wished else str(self.number)

    @property
    def files(self) -> tuple[str, ...]:
        """The sha256 of every stored file that it refers to."""
        stored = (*(() if self.gone else (self.artifact,)), *self.samples)
        return tuple(artifact.sha256 for artifact in stored)


class Glimpse(Value):
    """Sample pictures between two ends of epochs, which the owner asked for: after which step they were made."""

    step: int
    samples: tuple[Artifact, ...]


class Run(Entity):
    """One execution of a training; its id is the job's. Evaluations are mean losses on fixed held-out noise.

    `continues` is the earlier run that it goes on from, `start` the sha256 of the adapter of that one. `glimpses` are
    samples that were asked for, `remedies` what was changed since the device's memory did not suffice: the
    hyper-parameters are those that it goes on with.
    `chosen_at` is when its owner last chose an epoch, `swept_at` when the files of the others were let go.
    """

    owner: str
    dataset: str
    snapshot: str
    offering: str
    offering_version: str
    recipe: str
    hyperparameters: Mapping[str, JsonValue]
    seed: int
    base: str
    continues: str | None = None
    start: str | None = None
    base_hash: str | None = None
    code_version: str | None = None
    epochs: tuple[Epoch, ...] = ()
    glimpses: tuple[Glimpse, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    evaluation_before: float | None = None
    evaluation_after: float | None = None
    created_at: datetime
    ended_at: datetime | None = None
    chosen_at: datetime | None = None
    swept_at: datetime | None = None

    @property
    def steps(self) -> int:
        """How many steps were ordered, with those that it was extended by."""
        return _whole(self.hyperparameters["steps"]) + sum(self.extra)

    @property
    def passes(self) -> int:
        """How many epochs it has; each extension adds one."""
        return _whole(self.hyperparameters.get("epochs", 1)) + len(self.extra)

    @property
    def pass_length(self) -> int:
        """How many steps an epoch has, about."""
        return max(1, self.steps // self.passes)

    @property
    def extra(self) -> tuple[int, ...]:
        """By how many steps it was extended, each time."""
        extra = self.hyperparameters.get("extra")
        return tuple(_whole(steps) for steps in extra) if isinstance(extra, list) else ()

    def extended(self, steps: int) -> Self:
        """It goes on for so many steps more."""
        return self.but(hyperparameters={**self.hyperparameters, "extra": [*self.extra, steps]})

    def remedied(self, remedy: Remedy) -> Self:
        """It goes on with less memory; said twice, it does so once."""
        remedies = tuple(dict.fromkeys((*self.remedies, remedy)))
        return self.but(remedies=remedies, hyperparameters=remedied(self.hyperparameters, remedy))

    @property
    def files(self) -> tuple[str, ...]:
        """The sha256 of every stored file that it refers to, of some several times."""
        glimpsed = (sample.sha256 for glimpse in self.glimpses for sample in glimpse.samples)
        begun = (self.start,) if self.start else ()
        return (*begun, *(name for epoch in self.epochs for name in epoch.files), *glimpsed)

    def with_epoch(self, epoch: Epoch) -> Self:
        """The run with an epoch added, or replaced when a resumed attempt passes its step again."""
        others = (known for known in self.epochs if known.step != epoch.step)
        return self.but(epochs=tuple(sorted((*others, epoch), key=lambda known: known.step)))

    def cut(self, step: int) -> tuple[Self, Sequence[str]]:
        """The run as it was after a step, and the files of what came later, each as often as it was referred to.

        An attempt that was lost may have come further than the one after it, which its owner stopped.
        """
        epochs = tuple(epoch for epoch in self.epochs if epoch.step <= step)
        kept = self.but(epochs=epochs, glimpses=tuple(one for one in self.glimpses if one.step <= step))
        return kept, tuple((Counter(self.files) - Counter(kept.files)).elements())

    def epoch_at(self, step: int | None) -> Epoch | None:
        """The epoch that ended at a step, or, where nobody said which, the last."""
        if step is None:
            return self.epochs[-1] if self.epochs else None
        return next((epoch for epoch in self.epochs if epoch.step == step), None)

    def evaluation_at(self, step: int | None) -> float | None:
        """The evaluation of an epoch; where the last has none of its own, that of the end."""
        epoch = self.epoch_at(step)
        if epoch and epoch.evaluation is not None:
            return epoch.evaluation
        return self.evaluation_after if epoch == self.epoch_at(None) else None

    def chosen(self, step: int, *, now: datetime) -> tuple[Self, Epoch]:
        """The run of which an epoch was chosen, and that epoch.

        Raises:
            NotFound: No epoch ended at this step.
            EpochGone: It did, but its file was let go.
        """
        epoch = self.epoch_at(step)
        if epoch is None:
            raise NotFound(noun="epoch", name=f"step {step}", hint="See `model epoch MODEL`.")
        if epoch.gone:
            raise EpochGone(name=epoch.name)
        return self.but(chosen_at=now), epoch

    def is_idle(self, *, chosen_before: datetime, ended_before: datetime) -> bool:
        """Whether the files of epochs that were not chosen have been kept long enough."""
        since, before = (self.chosen_at, chosen_before) if self.chosen_at else (self.ended_at, ended_before)
        return self.swept_at is None and since is not None and since < before

    def swept(self, kept: Epoch | None, *, now: datetime) -> Self:
        """The run without the files of all epochs but one; what is known of them stays, and so do their samples."""
        epochs = tuple(epoch if epoch == kept else epoch.but(gone=True) for epoch in self.epochs)
        return self.but(epochs=epochs, swept_at=now)


def _whole(number: JsonValue) -> int:
    return int(str(number))
