"""What tests of whole processes share."""

import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from loraguild.composition import House
from tests.e2e.processes import a_house, environment

ROUNDS = 20

pytest.register_assert_rewrite("tests.e2e.chaos", "tests.e2e.chaos_proof", "tests.e2e.crew")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The house that all processes share; this process leaves it last, and stops the database."""
    async with a_house(tmp_path) as house:
        yield house


@pytest.fixture
def env(tmp_path: Path) -> Mapping[str, str]:
    """What processes in this folder get, with a port for the pages that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return {**environment(tmp_path), "WEB_PORT": str(free.getsockname()[1])}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rounds", type=int, default=ROUNDS, help="how many storms the chaos suite raises")
    parser.addoption("--seed", type=int, help="what happens in them, as a failed round has printed it")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "number" in metafunc.fixturenames:
        metafunc.parametrize("number", range(metafunc.config.getoption("--rounds", default=ROUNDS)))
