"""The log of a job: what happened to it, in words, for whoever wants to know why it took so long."""

from datetime import datetime

from core.domain.value import Value

LINES = 200  # the last ones are kept


class Line(Value):
    """One thing that happened, in which attempt."""

    at: datetime
    attempt: int
    words: str


def written(log: tuple[Line, ...], words: str, *, attempt: int, now: datetime) -> tuple[Line, ...]:
    """The log with a line more; the same words again in the same attempt add none."""
    if any(line.words == words and line.attempt == attempt for line in log[-1:]):
        return log
    return (*log, Line(at=now, attempt=attempt, words=words))[-LINES:]
