"""Uploads: files that come in piece by piece through a signed link, and files that leave through one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.ports.blobs import Blobs
from core.ports.clock import Clock, Ids
from core.ports.store import Store


@dataclass(frozen=True, kw_only=True)
class Uploads:
    """Upload sessions. `keys` sign links (the first one; all verify), `address` is where people reach the pages."""

    store: Store
    blobs: Blobs
    clock: Clock
    ids: Ids
    keys: Mapping[str, bytes] = field(repr=False)
    address: str
