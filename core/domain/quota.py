"""Quota: how much of the house's storage one person may use."""

from core.domain.errors import QuotaFull
from core.domain.value import Value

MB = 2**20


class Usage(Value):
    """What somebody stores: bytes and items of all their datasets (those in the bin too), and what is on its way."""

    bytes: int = 0
    items: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(bytes=self.bytes + other.bytes, items=self.items + other.items)


class Quota(Value):
    """How much one person may store."""

    bytes: int
    items: int

    def require(self, used: Usage, more: Usage) -> None:
        """Let so much more come in.

        Raises:
            QuotaFull: It would not fit.
        """
        after = used + more
        if after.bytes > self.bytes or after.items > self.items:
            raise QuotaFull(
                megabytes=self.bytes // MB,
                items=self.items,
                used_megabytes=-(-used.bytes // MB),
                used_items=used.items,
            )

    def room(self, used: Usage) -> Usage:
        """How much more may come in; never less than nothing."""
        return Usage(bytes=max(0, self.bytes - used.bytes), items=max(0, self.items - used.items))
