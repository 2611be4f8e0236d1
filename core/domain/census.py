"""Censuses: the whole house counted, for whoever watches over it. Nothing in them says whose anything is."""

from collections.abc import Mapping
from datetime import datetime

from core.domain.account import Platform
from core.domain.fleet import Worker
from core.domain.job import JobState
from core.domain.ledger import Lot
from core.domain.value import Value


class Crowd(Value):
    """Jobs of one kind and pool in one state: how many, since when the oldest is there, what is held for them."""

    kind: str
    pool: str
    state: JobState
    count: int
    oldest: datetime
    held: int


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
