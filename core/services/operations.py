"""Operations: what admins turn on and off, what was done by whom, and news for everyone."""

from dataclasses import dataclass

from core.ports.clock import Clock, Ids
from core.ports.store import Store


@dataclass(frozen=True, kw_only=True)
class Operations:
    """The controls of the house."""

    store: Store
    clock: Clock
    ids: Ids
