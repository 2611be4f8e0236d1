"""Pictures through an upload link, by whole processes: a killed web server costs at most the piece in the air."""

import asyncio
import io
import json
import os
import zipfile
from collections.abc import AsyncIterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import ClientError, ClientSession

from core.domain.upload import PIECE
from tests.builders.attempts import awaited
from tests.e2e.processes import LORAGUILD, a_web, ended, started

NAME = "zorp.zip"

pytestmark = pytest.mark.timeout(120)


def a_zip() -> bytes:
    """Pack the pictures of the demo, and something else that makes it longer than a piece."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for picture in files("loraguild.demo").joinpath("pictures").iterdir():
            if picture.name.endswith(".png"):
                archive.writestr(picture.name, picture.read_bytes())
        archive.writestr("notes.bin", os.urandom(PIECE))
    return packed.getvalue()


async def said(data: Path, env: Mapping[str, str], *words: str) -> dict[str, Any]:
    """Give the bot a command as ann; return its answer."""
    command = (*LORAGUILD, "say", "--as", "ann", "--json", *words)
    process = await asyncio.create_subprocess_exec(*command, cwd=data, env=env, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    answer: dict[str, Any] = json.loads(printed)
    return answer


async def offsets(session: ClientSession, link: str) -> dict[str, int]:
    """How much of each file is here."""
    async with session.get(f"{link}/files") as answer:
        return {file["name"]: file["offset"] for file in (await answer.json())["files"]}


async def put_until_killed(session: ClientSession, link: str, content: bytes, web: psutil.Popen) -> None:
    """Send all but the last byte, and kill the server when it has kept the first piece."""

    async def without_end() -> AsyncIterator[bytes]:
        yield content[:-1]
        await asyncio.Event().wait()

    async def a_piece_is_here() -> bool:
        return await offsets(session, link) == {NAME: PIECE}

    length = {"Upload-Length": str(len(content))}
    sending = asyncio.create_task(session.put(f"{link}/files/{NAME}", data=without_end(), headers=length))
    await awaited(a_piece_is_here)
    web.kill()
    with pytest.raises(ClientError):
        await sending


async def put_the_rest(session: ClientSession, link: str, content: bytes) -> None:
    assert await offsets(session, link) == {NAME: PIECE}
    rest = {"Upload-Offset": str(PIECE), "Upload-Length": str(len(content))}
    async with session.put(f"{link}/files/{NAME}", data=content[PIECE:], headers=rest) as answer:
        assert (answer.status, (await answer.json())["offset"]) == (201, len(content))


async def confirmed(session: ClientSession, link: str) -> str:
    """Hand everything on; return the job."""
    async with session.post(f"{link}/confirm") as answer:
        assert answer.status == 200
        return str((await answer.json())["job"])


@pytest.mark.usefixtures("house")
async def test_an_upload_outlives_its_server_and_becomes_one_job(tmp_path: Path, env: Mapping[str, str]) -> None:
    content = a_zip()
    async with ClientSession() as session:
        with started(*LORAGUILD, "worker", data=tmp_path, env=env):
            await said(tmp_path, env, "dataset new zorp trigger=zorp")
            link = (await said(tmp_path, env, "dataset upload zorp"))["link"]
            async with a_web(session, tmp_path, env, log="first.log") as first:
                await put_until_killed(session, link, content, first)
            async with a_web(session, tmp_path, env, log="second.log") as second:
                await put_the_rest(session, link, content)
                job = await confirmed(session, link)
                assert await confirmed(session, link) == job
                second.terminate()
                assert await ended(second) == 0
            card = await said(tmp_path, env, "--wait", f"train view {job}")
    assert card["code"] is None
    assert card["lines"][:3] == [
        "12 pictures taken into «zorp».",
        "The doctor looks at them now.",
        "zorp.zip: repaired. 12 of 13 files taken.",
    ]
