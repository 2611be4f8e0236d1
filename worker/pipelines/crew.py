"""The processes that share a training: each computes its part of every batch, and all make the same step.

The leader is the process that was asked to train; it reports, and hears wishes. It starts the others, gives them the
same task, and takes them with it when it ends. They agree through accelerate, by NCCL between GPUs and by gloo else.
"""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import broadcast_object_list
from torch.distributed import TCPStore  # type: ignore[attr-defined] # documented there, yet not declared

from core.domain.value import Value
from worker.channel import Channel
from worker.pipelines.placement import Placement
from worker.pipelines.tasks import BadHyperparameters, TrainingTask

HERE = "127.0.0.1"
NEVER = 1e9  # seconds


class Crew(Protocol):
    """One process among those that train together."""

    rank: int
    size: int

    def average(self, parameters: Sequence[torch.nn.Parameter], loss: torch.Tensor) -> torch.Tensor:
        """Replace gradients by their mean over all processes, and return that of the loss."""
        ...


class Alone:
    """A training without company."""

    rank, size = 0, 1

    def average(self, _parameters: Sequence[torch.nn.Parameter], loss: torch.Tensor) -> torch.Tensor:
        """Return the loss; the gradients are as they are."""
        return loss


class Together:
    """One process of several; each has as many examples of a step."""

    def __init__(self, placement: Placement) -> None:
        """Wait until all are there, as the environment says."""
        if placement.device == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        self._accelerator = Accelerator(cpu=placement.device == "cpu")
        self.rank = self._accelerator.process_index
        self.size = self._accelerator.num_processes

    def average(self, parameters: Sequence[torch.nn.Parameter], loss: torch.Tensor) -> torch.Tensor:
        """Replace gradients by their mean over all processes, and return that of the loss."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([loss.float().reshape(1), *(gradient.flatten() for gradient in gradients)])
        mean: torch.Tensor = self._accelerator.reduce(flat, reduction="mean")
        sizes = [1, *(gradient.numel() for gradient in gradients)]
        found: torch.Tensor
        found, *averaged = mean.split(sizes)
        for gradient, part in zip(gradients, averaged, strict=True):
            gradient.copy_(part.view_as(gradient))
        return found[0]


class Shared:
    """What all processes hear at the same step: what the leader hears. Only the leader's reports are heard."""

    def __init__(self, leaders: Channel | None) -> None:
        """Be the leader's, with the channel that it has, or another's."""
        self._leaders = leaders
        self._stopping = False

    def send(self, event: Value) -> None:
        """Report an event."""
        if self._leaders:
            self._leaders.send(event)

    def wishes(self) -> tuple[Value, ...]:
        """Return what the leader was told since the last step; everybody must ask."""
        heard = [(self._leaders.wishes(), self._leaders.stopping()) if self._leaders else None]
        ((wishes, self._stopping),) = broadcast_object_list(heard)
        told: tuple[Value, ...] = wishes
        return told

    def stopping(self) -> bool:
        """Say what the leader heard when wishes were asked for."""
        return self._stopping


@contextmanager
def assembled(task: TrainingTask, placement: Placement) -> Iterator[Crew]:
    """A crew of as many processes as the task wants, led by this one.

    Raises:
        BadHyperparameters: A step's examples cannot be shared out evenly.
    """
    examples = [int(str(task.hyperparameters.get(name, 1))) for name in ("batch", "accumulation")]
    if examples[0] * examples[1] % task.processes:
        raise BadHyperparameters(f"batch × accumulation must be a multiple of {task.processes}, the number of devices.")
    meeting = TCPStore(HERE, 0, is_master=True, wait_for_workers=False)
    members = [_begun(task, placement, rank, meeting.port) for rank in range(1, task.processes)]
    usual, disbanding = os.environ.copy(), threading.Event()
    os.environ.update(_place(0, task.processes, meeting.port))
    for member in members:
        threading.Thread(target=_watched, args=(member, disbanding), daemon=True).start()
    try:
        yield Together(placement)
    finally:
        disbanding.set()
        for member in members:
            member.kill()
            member.communicate()
        _disbanded()
        os.environ.clear()
        os.environ.update(usual)


def _watched(member: subprocess.Popen[bytes], disbanding: threading.Event) -> None:
    """End this process when a member died: those that wait for each other between GPUs would wait for minutes."""
    if member.wait() and not disbanding.is_set():
        os._exit(1)


def _disbanded() -> None:
    """Let this process train alone again."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    AcceleratorState._reset_state(reset_partial_state=True)  # noqa: SLF001 - there is no other way back


def _place(rank: int, size: int, port: int) -> dict[str, str]:
    """Return what a process reads from its environment."""
    cores = max(1, (os.cpu_count() or 1) // size)
    numbers = {
        "RANK": rank,
        "LOCAL_RANK": rank,
        "WORLD_SIZE": size,
        "MASTER_PORT": port,
        "OMP_NUM_THREADS": cores,
    }
    met = {"MASTER_ADDR": HERE, "TORCHELASTIC_USE_AGENT_STORE": "True"}  # the leader's store is there already
    return {name: str(number) for name, number in numbers.items()} | met


def _begun(task: TrainingTask, placement: Placement, rank: int, port: int) -> subprocess.Popen[bytes]:
    """Start another process; it lives as long as its standard input is open."""
    member = subprocess.Popen(
        [sys.executable, "-m", "worker.pipelines.member"],
        stdin=subprocess.PIPE,
        env=os.environ | _place(rank, task.processes, port),
    )
    if member.stdin is None:
        raise BrokenPipeError
    pickle.dump((task, placement), member.stdin)
    member.stdin.flush()
    return member


def leave_with_the_leader() -> None:
    """End this process when the one that started it does, whatever it waits for."""

    def wait() -> None:
        sys.stdin.buffer.read()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def quietly(task: TrainingTask) -> Iterator[TrainingTask]:
    """The same task for a process that shows and keeps nothing."""
    with TemporaryDirectory() as folder:
        yield task.but(folder=Path(folder), sample_prompts=(), checkpoint_every=NEVER)
