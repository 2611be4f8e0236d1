"""The API is what its document says: schemathesis asks all that is in it, well and badly, of a furnished house."""

import asyncio
import sys
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from core.domain.token import Scope
from loraguild.composition import House
from tests.builders.belongings import belongings
from tests.builders.scenes import somebody
from web.api.route import PREFIX
from web.app import application
from web.limiting import LIMITER, Limiter

SCHEMATHESIS = (
    *(sys.executable, "-m", "schemathesis.cli", "run", "--no-color", "--warnings=off", "--checks=all"),
    *("--phases=examples,coverage,fuzzing", "--max-examples=5", "--generation-deterministic", "--seed=7"),
    "--exclude-path-regex=/events$",  # a stream has no end
    "--exclude-checks=positive_data_acceptance",  # no schema says which names are taken, or what is enough to train on
)

pytestmark = pytest.mark.timeout(600)


async def test_the_api_is_as_it_is_described(house: House, tmp_path: Path) -> None:
    await belongings(house)
    root = await somebody(house, "root")
    issued = await house.services.tokens.issue(root, name="schemathesis", scopes=frozenset(Scope), days=1)
    app = application(services=house.services, blobs=house.blobs)
    app[LIMITER] = Limiter(rate=1e6, burst=1e6)
    async with TestServer(app) as server:
        command = (*SCHEMATHESIS, "--header", f"Authorization: Bearer {issued.secret}")
        where = ("--url", f"{server.make_url(PREFIX)}", f"{server.make_url(f'{PREFIX}/openapi.json')}")
        process = await asyncio.create_subprocess_exec(
            *command, *where, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
