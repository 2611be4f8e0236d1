"""Moderation: what waits for a moderator, and what they say of it."""

from dataclasses import dataclass

from core.ports.clock import Clock, Ids
from core.ports.store import Store


@dataclass(frozen=True, kw_only=True)
class Moderation:
    """The second look at pictures for adults."""

    store: Store
    clock: Clock
    ids: Ids
