"""Deliveries that break on purpose say so in the log, at length: here nobody reads it."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[EventDict]]:
    """What is logged meanwhile."""
    with capture_logs() as events:
        yield events
