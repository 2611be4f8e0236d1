"""What a torch child keeps between tasks: one warm base model, and the two things it can do with it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from diffusers.utils import logging as diffusers_logging
from transformers.utils import logging as transformers_logging

from worker import architectures
from worker.bases import base_location
from worker.channel import Channel, TaskFailed
from worker.pipelines import sampling
from worker.pipelines.base import Base
from worker.pipelines.placement import Placement
from worker.pipelines.tasks import Generated, GenerationTask, OutOfMemory, Stopped, Trained, TrainingTask
from worker.recipes import training_of


class Studio:
    """Trains adapters and makes pictures; the last base stays loaded, and only that one."""

    def __init__(self, placement: Placement | None = None) -> None:
        """Place all work on the best device of this machine, unless told where."""
        for logging in (diffusers_logging, transformers_logging):
            logging.set_verbosity_error()
            logging.disable_progress_bar()
        self._placement = placement or Placement.of_this_machine()
        self._warm: Base | None = None

    def train(self, task: TrainingTask, channel: Channel) -> Trained | Stopped:
        """Train one adapter, or stop early at a checkpoint.

        Raises:
            TaskFailed: The base, an item or the checkpoint is unusable, the loss is no number, or memory ran out.
        """
        with self._guarded():
            return training_of(task.recipe)(task, channel, base=self._base(task.architecture, task.base))

    def generate(self, task: GenerationTask, channel: Channel) -> Generated:
        """Make pictures with any number of adapters at once.

        Raises:
            TaskFailed: The base, an adapter or a picture to start from is unusable, or memory ran out.
        """
        with self._guarded():
            base = self._base(task.look.architecture, task.look.base)
            with architectures.named(base.architecture).wearing(base, task.look.adapters):
                return sampling.draw(base, task, channel)

    def _base(self, architecture: str, name: str) -> Base:
        warm = self._warm
        if warm and (warm.architecture, base_location(warm.name)) == (architecture, base_location(name)):
            return warm
        warm = self._warm = None  # the old one goes before the new one comes: there may be room for one only
        self._warm = architectures.named(architecture).load(name, self._placement)
        return self._warm

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Word what torch says about memory; a base that saw anything unforeseen is not kept."""
        try:
            yield
        except TaskFailed:
            raise
        except Exception as error:
            self._warm = None
            if is_out_of_memory(error):
                raise OutOfMemory(
                    "The device has too little memory for this; try a smaller batch or resolution."
                ) from error
            raise


def is_out_of_memory(error: Exception) -> bool:
    """Say whether an error means that memory ran out, on any device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
