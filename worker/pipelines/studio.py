"""What a torch child keeps between tasks: one warm base model, and the two things it can do with it."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers.utils import logging as diffusers_logging
from safetensors import SafetensorError
from transformers.utils import logging as transformers_logging

from worker.bases import base_location
from worker.channel import Channel, TaskFailed
from worker.pipelines import sampling
from worker.pipelines.base import Base, load
from worker.pipelines.placement import Placement
from worker.pipelines.tasks import (
    BadAdapter,
    Generated,
    GenerationTask,
    OutOfMemory,
    Stopped,
    Trained,
    TrainingTask,
    WeightedAdapter,
)
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
            return training_of(task.recipe)(task, channel, base=self._base(task.base))

    def generate(self, task: GenerationTask, channel: Channel) -> Generated:  # noqa: ARG002 - one shape for all tasks
        """Make pictures with any number of adapters at once.

        Raises:
            TaskFailed: The base or an adapter is unusable, or memory ran out.
        """
        with self._guarded():
            base = self._base(task.base)
            with wearing(base, task.adapters):
                made = sampling.pictures(
                    base,
                    [task.prompt] * task.count,
                    negative=task.negative,
                    seed=task.seed,
                    steps=task.steps,
                    guidance=task.guidance,
                    width=task.width,
                    height=task.height,
                )
            return Generated(pictures=sampling.save(made, task.folder, stem="picture"))

    def _base(self, name: str) -> Base:
        if self._warm is None or base_location(self._warm.name) != base_location(name):
            self._warm = None  # the old one goes before the new one comes: there may be room for one only
            self._warm = load(name, self._placement)
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


@contextmanager
def wearing(base: Base, adapters: tuple[WeightedAdapter, ...]) -> Iterator[None]:
    """Put exported adapters onto the base, and take them off at the end.

    Raises:
        BadAdapter: A file is missing, damaged or made for another family.
    """
    names = [f"adapter_{number}" for number in range(len(adapters))]
    try:
        for name, adapter in zip(names, adapters, strict=True):
            try:
                _load_adapter(base, adapter.artifact, name=name)
            except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
                raise BadAdapter(f"{adapter.artifact.name} cannot be loaded onto this base: {error}") from error
        if names:
            base.pipeline.set_adapters(names, [adapter.weight for adapter in adapters])
        yield
    finally:
        base.pipeline.unload_lora_weights()


def _load_adapter(base: Base, artifact: Path, *, name: str) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Already found a `peft_config`")  # several adapters at once are meant
        base.pipeline.load_lora_weights(
            artifact.parent, weight_name=artifact.name, adapter_name=name, local_files_only=True
        )


def is_out_of_memory(error: Exception) -> bool:
    """Say whether an error means that memory ran out, on any device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
