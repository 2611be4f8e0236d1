"""Censuses: the whole house counted, for whoever watches over it. Nothing in them says whose anything is."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Self

from core.domain.account import Platform
from core.domain.fleet import Worker
from core.domain.job import JobState
from core.domain.ledger import Lot
from core.domain.scheduling import Pool, paused, takers, wanting
from core.domain.value import Value


class Crowd(Value):
    """Jobs of one kind and pool in one state: how many, since when the oldest is there, what is held for them."""

    kind: str
    pool: str
    state: JobState
    count: int
    oldest: datetime
    held: int


class Line(Value):
    """What waits and runs of one pool, since when the first one waits, and who takes it.

    Where nobody does, `pauses` are the switches that say so, and `wanting` is what the worker lacks that comes closest.
    """

    pool: Pool
    waiting: int
    running: int
    oldest: datetime | None
    takers: tuple[Worker, ...]
    wanting: tuple[str, ...]
    pauses: tuple[str, ...]

    @classmethod
    def of(cls, pool: Pool, crowds: Iterable[Crowd], workers: Collection[Worker], off: Collection[str]) -> Self:
        """The line of a pool, given everybody's jobs, the workers that live and the switches that are off."""
        here = {crowd.state: crowd for crowd in crowds if crowd.pool == pool.id}
        waiting, running = here.get(JobState.QUEUED), here.get(JobState.RUNNING)
        able = takers(pool, workers, off)
        return cls(
            pool=pool,
            waiting=waiting.count if waiting else 0,
            running=running.count if running else 0,
            oldest=waiting.oldest if waiting else None,
            takers=tuple(able),
            wanting=() if able else wanting(workers, pool),
            pauses=paused(pool, off),
        )


class Census(Value):
    """What goes on: jobs that have not ended, the workers of the last day, notices that wait for a chat."""

    at: datetime
    crowds: tuple[Crowd, ...]
    workers: tuple[Worker, ...]
    backlog: Mapping[Platform, int]


class Totals(Value):
    """What the house has come to: its revenue by lot, stored files and their bytes."""

    revenue: Mapping[Lot, int]
    files: int
    bytes: int
