"""Communities: what admins of a Discord server or Telegram group chose, and what may be done in a place."""

from dataclasses import dataclass

from core.ports.clock import Clock, Ids
from core.ports.store import Store


@dataclass(frozen=True, kw_only=True)
class Communities:
    """The settings of servers and groups."""

    store: Store
    clock: Clock
    ids: Ids
