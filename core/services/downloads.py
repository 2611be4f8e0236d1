"""Downloads: signed links to stored files that are too large for a chat."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.ports.clock import Clock


@dataclass(frozen=True, kw_only=True)
class Downloads:
    """Links to files. `keys` sign them (the first one; all verify), `address` is where people reach the pages."""

    clock: Clock
    keys: Mapping[str, bytes] = field(repr=False)
    address: str
