"""What tests of whole processes share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loraguild.composition import House
from tests.e2e.processes import a_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The house that all processes share; this process leaves it last, and stops the database."""
    async with a_house(tmp_path) as house:
        yield house
