"""The whole state of a training loop as one safetensors file, without pickle.

Randomness and data order are functions of seed and step, and so is the learning rate; what remains is the adapter, its
average, the optimizer's state, the loss scale and the step.
"""

from pathlib import Path

import torch
from pydantic import JsonValue, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from core.domain.value import Value
from worker.pipelines.tasks import BadCheckpoint

KEPT = 2  # files on disk: the newest, and the one that the parent may still be reading
NOTES = "loraguild.checkpoint"


class RunIdentity(Value):
    """What must be the same for a run to go on; the hyper-parameters are those that shape it."""

    recipe: str
    base_hash: str
    seed: int
    items: int
    hyperparameters: dict[str, JsonValue]


class LoopState(Value):
    """Where a loop stands, beside its tensors; `loss_sum` is that of the running epoch."""

    identity: RunIdentity
    step: int
    loss_sum: float
    scale: dict[str, JsonValue]
    optimizer: str
    averaged: int = 0


def write(folder: Path, state: LoopState, tensors: dict[str, torch.Tensor]) -> Path:
    """Write a checkpoint, read it back, and only then let it take its name.

    Raises:
        OSError: What was read back is not what was written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{state.step:06}.safetensors"
    part = path.with_suffix(".part")
    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(kept, part, metadata={NOTES: state.model_dump_json()})
    again = load_file(part)
    if again.keys() != kept.keys() or not all(torch.equal(again[name], kept[name]) for name in kept):
        raise OSError(f"the checkpoint {path} was not written as it should be")
    part.replace(path)
    for old in sorted(folder.glob("step-*.safetensors"), key=lambda file: file.stat().st_mtime_ns)[:-KEPT]:
        old.unlink()
    return path


def read(path: Path, identity: RunIdentity) -> tuple[LoopState, dict[str, torch.Tensor]]:
    """Read a checkpoint of this very run.

    Raises:
        BadCheckpoint: The file is missing, damaged, or of another run.
    """
    try:
        with safe_open(path, "pt") as file:
            state = LoopState.model_validate_json((file.metadata() or {}).get(NOTES, ""))
        tensors = load_file(path)
    except (OSError, SafetensorError, ValidationError) as error:
        raise BadCheckpoint(f"The checkpoint {path.name} cannot be read: {error}") from error
    if state.identity != identity:
        raise BadCheckpoint(f"The checkpoint {path.name} belongs to another run.")
    return state, tensors
