"""What a torch child keeps between tasks: one warm base model, and the two things it can do with it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from core.domain.adaptation import Compute
from worker import architectures
from worker.bases import base_location
from worker.channel import Channel, TaskFailed
from worker.pipelines import few_steps, sampling
from worker.pipelines.base import Base, Loaded
from worker.pipelines.crew import Alone, Crew, Shared, assembled
from worker.pipelines.failures import foreseen
from worker.pipelines.placement import Placement
from worker.pipelines.tasks import BaseMissing, Generated, GenerationTask, Look, Stopped, Trained, TrainingTask
from worker.recipes import training_of


class Studio:
    """Trains adapters and makes pictures; the last base stays loaded, and only that one."""

    def __init__(self, placement: Placement | None = None) -> None:
        """Place all work on the best device of this machine, unless told where."""
        for logging in (diffusers_logging, transformers_logging):
            logging.set_verbosity_error()
            logging.disable_progress_bar()
        self._placement = placement or Placement.of_this_machine()
        self._warm: Loaded | None = None

    def train(self, task: TrainingTask, channel: Channel) -> Trained | Stopped:
        """Train one adapter, or stop early at a checkpoint.

        Raises:
            TaskFailed: The base, an item or the checkpoint is unusable, the loss is no number, or memory ran out.
        """
        if task.processes == 1:
            return self.join(task, channel, Alone())
        with self._guarded(), assembled(task, self._placement) as crew:
            return self.join(task, Shared(channel), crew)

    def join(self, task: TrainingTask, channel: Channel, crew: Crew) -> Trained | Stopped:
        """Train as one of a crew; who leads it knows what comes out.

        Raises:
            TaskFailed: As `train`.
        """
        with self._guarded():
            place = self._placement.computing(Compute(str(task.hyperparameters.get("compute", Compute.AUTO))))
            return training_of(task.recipe)(task, channel, base=self._base(task, place), crew=crew)

    def generate(self, task: GenerationTask, channel: Channel) -> Generated:
        """Make pictures with any number of adapters at once.

        Raises:
            TaskFailed: The base, an adapter or a picture to start from is unusable, or memory ran out.
        """
        with self._guarded():
            base = self._base(task.look, self._placement)
            if not isinstance(base, Base):
                raise BaseMissing(f"The base model {base.title} writes, and draws no pictures.")
            with architectures.named(base.architecture).wearing(base, task.look.adapters):
                return sampling.draw(base, task, channel)

    def _base(self, wanted: TrainingTask | Look, place: Placement) -> Loaded:
        warm, same = self._warm, (wanted.architecture, base_location(wanted.base), wanted.few_steps, place)
        if warm and (warm.architecture, base_location(warm.name), warm.few_steps, warm.placement) == same:
            return warm
        warm = self._warm = None  # the old one goes before the new one comes: there may be room for one only
        loaded = architectures.named(wanted.architecture).load(wanted.base, place)
        if isinstance(loaded, Base) and wanted.few_steps:
            loaded = few_steps.made_fast(loaded, wanted.few_steps)
        self._warm = loaded
        return self._warm

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Name what others raise, also where a failure was made of it; a base that saw such a thing is not kept."""
        try:
            yield
        except Exception as error:
            failure = foreseen(error)
            if failure is None and isinstance(error, torch.AcceleratorError):
                os._exit(1)  # nothing computes on the device any more in this process; the next one is sound
            if failure or not isinstance(error, TaskFailed):
                self._warm = None
            if failure:
                raise failure from error
            raise
