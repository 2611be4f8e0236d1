"""Payments: how qoints are bought. A provider turns a proof of payment into what it is worth, once."""

from datetime import datetime
from typing import Protocol

from core.domain.ledger import Lot
from core.domain.value import Value
from core.ports.store import Repositories


class Payment(Value):
    """What a proof is worth. `reference` is its unique name at the provider: it is credited once."""

    amount: int
    lot: Lot
    reference: str
    why: str


class Provider(Protocol):
    """One way to pay."""

    async def take(self, tx: Repositories, proof: str, *, account: str, now: datetime) -> Payment:
        """Use up a proof of payment for an account, in the caller's transaction.

        Whoever has used it up already gets the same answer again: somebody pressed twice.

        Raises:
            Refused: The proof is worth nothing, or somebody else has used it up: in the same words, whichever it is.
        """
        ...
