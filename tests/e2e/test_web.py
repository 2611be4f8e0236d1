"""The pages as a process of their own: it stays small while large files come in, and leaves when it is told to."""

import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest
from aiohttp import ClientSession, MultipartWriter

from core.domain.account import Actor
from core.domain.dataset import Dataset
from core.domain.token import Scope
from loraguild.composition import House
from tests.builders.entities import HOME
from tests.builders.scenes import somebody
from tests.e2e.processes import a_web, ended
from web.api.route import PREFIX

WARM, LARGE, MOST = 1, 64, 24  # megabytes: two files, and what memory may grow by
STREAMS = 10
SOON = 10  # seconds in which a process has left that promises three, on a machine that is busy

pytestmark = pytest.mark.timeout(180)


async def drawn(megabytes: int) -> AsyncIterator[bytes]:
    """A file that nobody holds as a whole."""
    for _ in range(megabytes):
        yield os.urandom(2**20)


def peak(process: psutil.Popen) -> int:
    """The most megabytes that a process ever had."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) // 1024


async def token_of(house: House, actor: Actor) -> dict[str, str]:
    """What a program of somebody's shows."""
    issued = await house.services.tokens.issue(actor, name="a test", scopes=frozenset(Scope) - {Scope.ADMIN}, days=1)
    return {"Authorization": f"Bearer {issued.secret}"}


async def by_link(house: House, ann: Actor, dataset: Dataset, session: ClientSession, megabytes: int) -> None:
    """Send a file through an upload link."""
    link = await house.services.uploads.open(ann, dataset, place=HOME)
    path = link.removeprefix(house.services.uploads.address)
    length = {"Upload-Length": str(megabytes * 2**20)}
    async with session.put(f"{path}/files/{megabytes}.zip", data=drawn(megabytes), headers=length) as answer:
        assert answer.status == 201, await answer.text()


async def by_form(house: House, ann: Actor, dataset: Dataset, session: ClientSession, megabytes: int) -> None:
    """Send a file as a program does, in a form."""
    form = MultipartWriter("form-data")
    form.append(drawn(megabytes)).set_content_disposition("form-data", name="files", filename=f"{megabytes}.zip")
    headers = await token_of(house, ann) | {"Idempotency-Key": f"{megabytes}"}
    async with session.post(f"{PREFIX}/datasets/{dataset.id}/images", data=form, headers=headers) as answer:
        assert answer.status in {201, 202}, await answer.text()


Way = Callable[[House, Actor, Dataset, ClientSession, int], Awaitable[None]]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of another process")
@pytest.mark.parametrize("way", [by_link, by_form])
async def test_memory_stays_flat_while_a_large_file_comes_in(
    house: House, tmp_path: Path, env: Mapping[str, str], way: Way
) -> None:
    ann = await somebody(house)
    dataset = await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    async with (
        ClientSession(f"http://127.0.0.1:{env['WEB_PORT']}") as session,
        a_web(session, tmp_path, env) as web,
    ):
        await way(house, ann, dataset, session, WARM)
        before = peak(web)
        await way(house, ann, dataset, session, LARGE)
        assert peak(web) - before < MOST


async def test_it_leaves_soon_while_people_listen(house: House, tmp_path: Path, env: Mapping[str, str]) -> None:
    headers = await token_of(house, await somebody(house))
    async with (
        ClientSession(f"http://127.0.0.1:{env['WEB_PORT']}") as session,
        a_web(session, tmp_path, env) as web,
        AsyncExitStack() as stack,
    ):
        asking = [session.get(f"{PREFIX}/events", headers=headers) for _ in range(STREAMS)]
        streams = [await stack.enter_async_context(one) for one in asking]
        assert {await stream.content.readline() for stream in streams} == {b"retry: 2000\n"}

        web.terminate()

        assert await ended(web, seconds=SOON) == 0
        assert {(await stream.content.read()).strip() for stream in streams} == {b""}
