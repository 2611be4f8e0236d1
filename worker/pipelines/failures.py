"""What libraries and the system raise, as the failures that it means: one table for all that a studio does."""

import errno
from collections.abc import Iterator

import torch
from huggingface_hub.errors import GatedRepoError
from pydantic import ValidationError

from worker.channel import TaskFailed
from worker.pipelines.tasks import BadHyperparameters, BaseGated, DiskFull, OutOfMemory

NO_MEMORY = ("can't allocate memory", "out of memory", "ALLOC_FAILED")
SETTINGS = "Hyperparameters"  # what every recipe calls its schema


def foreseen(error: BaseException) -> TaskFailed | None:
    """Return the failure that an error means, or that it was raised from; None where nobody foresaw it."""
    return next((failure for cause in _causes(error) if (failure := _meant(cause))), None)


def _meant(error: BaseException) -> TaskFailed | None:
    match error:
        case MemoryError() | torch.OutOfMemoryError():
            return OutOfMemory("The device has too little memory for this.")
        case RuntimeError() if any(words in str(error) for words in NO_MEMORY):
            return OutOfMemory("The device has too little memory for this.")
        case OSError(errno=errno.ENOSPC):
            return DiskFull(str(error))
        case GatedRepoError():
            return BaseGated(str(error))
        case ValidationError(title=title) if title == SETTINGS:
            faults = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            return BadHyperparameters(f"{'; '.join(faults)}.")
        case _:
            return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
