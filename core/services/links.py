"""Linking: one person, many logins: codes, requests, confirmation, and the merge of two accounts."""

from dataclasses import dataclass

from core.ports.clock import Clock, Ids
from core.ports.store import Store


@dataclass(frozen=True, kw_only=True)
class Links:
    """How accounts become one."""

    store: Store
    clock: Clock
    ids: Ids
