"""Clocks for whole processes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from core.ports.clock import SystemClock


@dataclass(frozen=True, kw_only=True)
class MovedClock:
    """The machine's clock, put forward for all processes that share a file."""

    file: Path

    def now(self) -> datetime:
        """The moment in UTC, in whole milliseconds."""
        return SystemClock().now() + self._ahead

    def advance(self, by: timedelta) -> None:
        """Let time pass for everybody at once; one process alone may do so."""
        written = self.file.with_suffix(".new")
        written.write_text(str((self._ahead + by) // timedelta(milliseconds=1)))
        written.replace(self.file)

    @property
    def _ahead(self) -> timedelta:
        return timedelta(milliseconds=int(self.file.read_text()) if self.file.exists() else 0)


def clock_of(data: Path) -> MovedClock:
    """The clock of all that goes on in a data folder."""
    return MovedClock(file=data / "clock")
