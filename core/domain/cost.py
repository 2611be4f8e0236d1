"""Costs: what each job took of devices and what the house made of it, and how long another like it will take."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil
from statistics import median

from core.domain.fleet import Worker
from core.domain.job import Job, JobState
from core.domain.value import Entity, Value

HOUR = 3600  # seconds
EDGE = 10  # a tenth of what was seen lies beyond each end of a range


class Spent(Value):
    """What jobs took and brought.

    `price` is what was paid for them, in points; `paid` is what the house paid, in hundredths of one.
    """

    kind: str
    offering: str | None
    seconds: float
    price: int
    paid: int

    @property
    def margin(self) -> int:
        """What is left to the house, in hundredths of a point."""
        return self.price * 100 - self.paid


class Cost(Spent, Entity):
    """What one job that has ended took and brought; the id is the job's.

    `gpu` is the class that was ordered, `device` and `labels` are those of the worker that had it last; `seconds` count
    all attempts. `steps` are usual ones, 0 where it did not come to its end.
    """

    gpu: str = ""
    device: str = ""
    labels: tuple[str, ...] = ()
    steps: float = 0.0
    at: datetime


class Total(Spent):
    """What all jobs of one kind and offering did together."""

    jobs: int


class Estimate(Value):
    """How many seconds something will take: the usual, and the range that it will hardly leave."""

    low: float
    usual: float
    high: float


def recorded(job: Job, worker: Worker | None, *, now: datetime) -> Cost:
    """What a job that has just ended has cost; `worker` is the one that had it last, where it is known."""
    meter, done = job.meter, job.progress if job.state is JobState.SUCCEEDED else None
    return Cost(
        id=job.id,
        kind=job.kind,
        offering=job.offering,
        gpu=meter.gpu,
        device=worker.gpu if worker else "",
        labels=worker.labels if worker else (),
        seconds=meter.seconds,
        steps=done.step * meter.weight if done else 0,
        price=job.due,
        paid=-(-ceil(meter.seconds) * meter.rate // HOUR),
        at=now,
    )


def estimated(steps: float, *, around: float, pace: float, history: Sequence[Cost] = ()) -> Estimate:
    """How long so many usual steps will take, by what others like it took.

    `around` are the seconds before and after the steps and `pace` those of a step as the offering was measured: they
    stand in where there is no history. The thinner that is, the wider the range.
    """
    paces = sorted(max(one.seconds - around, 0) / one.steps for one in history if one.steps)
    thin = 1 + 1 / max(len(paces), 1)
    known = paces or [pace]
    beyond = len(known) // EDGE
    low, high = known[beyond] / thin, known[-1 - beyond] * thin
    return Estimate(low=around + steps * low, usual=around + steps * median(known), high=around + steps * high)
