"""Watching jobs: what is known of one at a moment, and what of it is news to somebody who has seen an earlier one."""

import re
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from enum import StrEnum
from typing import Self

from core.domain.artifact import Artifact
from core.domain.job import Job, JobState
from core.domain.run import MetricsPoint, Run
from core.domain.value import Value

CURSOR = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})\.([0-9a-f]{8})")


class Sample(Value):
    """Pictures, or texts, that a training made on its way: after which step, and which epoch if one ended there."""

    step: int
    epoch: str | None
    made: tuple[Artifact, ...]


class Sight(Value):
    """A job as it was seen; `ahead` is how many go before it while it waits.

    A training that is looked at `closely` comes with its run, where it has one, and the points of its chart.
    """

    job: Job
    ahead: int | None = None
    closely: bool = False
    run: Run | None = None
    points: tuple[MetricsPoint, ...] = ()

    @property
    def step(self) -> int:
        """The last step that there is a point of."""
        return self.points[-1].step if self.points else 0

    @property
    def samples(self) -> tuple[Sample, ...]:
        """What its training has shown so far, by step."""
        if self.run is None:
            return ()
        epochs = [Sample(step=one.step, epoch=one.name, made=one.samples) for one in self.run.epochs if one.samples]
        glimpses = [Sample(step=one.step, epoch=None, made=one.samples) for one in self.run.glimpses]
        return tuple(sorted((*epochs, *glimpses), key=lambda sample: sample.step))

    @property
    def digest(self) -> str:
        """The same while nothing changes that its owner would want to be told of."""
        job = self.job
        told = (job.state, job.progress, job.wishes, job.failure, job.price, job.due, job.title, self.ahead)
        return f"{zlib.crc32(repr(told).encode()):08x}"

    def now(self, job: Job, *, run: Run | None = None, points: tuple[MetricsPoint, ...] = ()) -> Self:
        """The same as it is now, with the points that have come; what is left out has not changed."""
        ahead = self.ahead if job.state is JobState.QUEUED else None
        return self.but(job=job, ahead=ahead, run=run or self.run, points=(*self.points, *points))

    def placed(self, ahead: int | None) -> Self:
        """The same at its place in the queue."""
        return self if ahead == self.ahead else self.but(ahead=ahead)


class Cursor(Value):
    """How much somebody has seen of a job: up to which step of the chart, how many samples, and in what state."""

    step: int = 0
    samples: int = 0
    digest: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        """What was once written as a cursor; anything else is the beginning."""
        found = CURSOR.fullmatch(text)
        return cls(step=int(found[1]), samples=int(found[2]), digest=found[3]) if found else cls()

    def __str__(self) -> str:
        return f"{self.step}.{self.samples}.{self.digest or '0' * 8}"


class What(StrEnum):
    """What is new: points of the chart, a sample, the job's state or progress, and that nothing more will come."""

    METRICS = "metrics"
    SAMPLE = "sample"
    JOB = "job"
    END = "end"


class News(Value):
    """Something new about a job; the id says how much somebody has seen with that."""

    id: str
    what: What
    sight: Sight
    points: tuple[MetricsPoint, ...] = ()
    sample: Sample | None = None


def news(sight: Sight, cursor: Cursor) -> Iterator[News]:
    """What somebody has not seen yet, in order; the end comes last, and again to whoever asks again."""
    if points := sight.points[bisect_right(sight.points, cursor.step, key=lambda point: point.step) :]:
        cursor = cursor.but(step=points[-1].step)
        yield News(id=str(cursor), what=What.METRICS, sight=sight, points=points)
    for sample in sight.samples[cursor.samples :]:
        cursor = cursor.but(samples=cursor.samples + 1)
        yield News(id=str(cursor), what=What.SAMPLE, sight=sight, sample=sample)
    if cursor.digest != sight.digest:
        cursor = cursor.but(digest=sight.digest)
        yield News(id=str(cursor), what=What.JOB, sight=sight)
    if sight.job.state.ended:
        yield News(id=str(cursor), what=What.END, sight=sight)
