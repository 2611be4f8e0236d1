"""What the steps of a training measure, kept on the device and read rarely: each reading waits for the device."""

import math
import time
from collections.abc import Callable

import torch

from core.domain.run import MetricsPoint
from worker.channel import Channel
from worker.pipelines.tasks import NanLoss, Progressed

EVERY = 0.5  # seconds between two readings


class Journal:
    """Collects losses and reports them to the parent, about twice a second."""

    def __init__(self, channel: Channel, *, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Report to this channel; `total` is the number of steps of the whole training, as far as is known."""
        self._channel = channel
        self.total = total
        self._clock = clock
        self._read_at = clock()
        self._waiting: list[tuple[int, float, torch.Tensor]] = []
        self.loss_sum = 0.0  # of the running epoch
        self.last = 0.0  # loss that was read

    def note(self, step: int, loss: torch.Tensor, *, lr: float) -> None:
        """Take a step's loss (a scalar on any device), and report when it is time.

        Raises:
            NanLoss: A loss is not a finite number.
        """
        self._waiting.append((step, lr, loss.detach()))
        if self._clock() - self._read_at >= EVERY:
            self.flush()

    def flush(self) -> None:
        """Report everything noted.

        Raises:
            NanLoss: A loss is not a finite number.
        """
        self._read_at = self._clock()
        if not self._waiting:
            return
        losses: list[float] = torch.stack([loss for _, _, loss in self._waiting]).tolist()
        points = []
        for (step, lr, _), loss in zip(self._waiting, losses, strict=True):
            if not math.isfinite(loss):
                raise NanLoss(f"The loss is no longer a number at step {step}.")
            points.append(MetricsPoint(step=step, loss=loss, lr=lr))
            self.loss_sum += loss
        self.last = points[-1].loss
        self._waiting.clear()
        self._channel.send(Progressed(step=points[-1].step, total=self.total, points=tuple(points)))

    def mean_of(self, steps: int) -> float:
        """Return the mean loss of an epoch of this many steps, and begin the next."""
        self.flush()
        mean, self.loss_sum = self.loss_sum / steps, 0.0
        return mean
