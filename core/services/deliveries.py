"""Deliveries: the outbox of notices and the cards of jobs, claimed by whichever front end comes first."""

from dataclasses import dataclass

from core.ports.clock import Clock, Ids
from core.ports.store import Store


@dataclass(frozen=True, kw_only=True)
class Deliveries:
    """What front ends bring to people."""

    store: Store
    clock: Clock
    ids: Ids
