"""The inbox: what a platform sent is kept until it is dealt with, by one process at a time."""

from dataclasses import dataclass

from core.ports.clock import Clock, Ids
from core.ports.store import Store


@dataclass(frozen=True, kw_only=True)
class Inboxes:
    """Durable reception."""

    store: Store
    clock: Clock
    ids: Ids
