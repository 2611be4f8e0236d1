"""The embedded database with real processes: shared, healed, and killed with -9 without losing anything acknowledged.

Run as a program, this file is one more process that uses a database: `test_embedded.py attach|write FOLDER`.
"""

import asyncio
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pymongo
import pytest
from gridfs import AsyncGridFSBucket
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from core.domain.errors import EmbeddedDatabaseFailed, EmbeddedDatabaseMissing
from storage.embedded import EmbeddedDatabase, embedded_database

Documents = AsyncDatabase[dict[str, Any]]
FILE = b"a picture" * 5000


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(tmp_path: Path) -> Iterator[None]:
    yield
    processes = psutil.process_iter(["cmdline"])
    left = [process for process in processes if str(tmp_path) in " ".join(process.info["cmdline"] or [])]
    for process in left:
        process.kill()
    assert left == []


@asynccontextmanager
async def documents_of(database: EmbeddedDatabase) -> AsyncIterator[Documents]:
    async with AsyncMongoClient[dict[str, Any]](database.uri, timeoutMS=60_000) as client:
        yield client["test"]


@contextmanager
def another_process(role: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that attaches, says the database's pid, and leaves when its standard input closes."""
    with subprocess.Popen(
        [sys.executable, __file__, role, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


async def said_pid(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(await asyncio.to_thread(process.stdout.readline))


async def leave(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    assert await asyncio.to_thread(process.wait, 60) == 0


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def ended(pid: int) -> None:
    """Wait until a process is gone, which has let go of its files a moment before."""
    async with asyncio.timeout(60):
        while runs(pid):  # noqa: ASYNC110 - it is no child of ours
            await asyncio.sleep(0.01)


async def test_the_last_one_out_stops_it_and_the_data_stay(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with embedded_database(folder) as database, documents_of(database) as documents:
        await documents["pictures"].insert_one({"_id": 1})
        first = database.pid
        assert runs(first)
        assert os.getsid(first) != os.getsid(0)
    await ended(first)

    bystander = os.getpid()  # the number of a dead database may be anybody's today
    (folder / "database.lock").write_text(f"{bystander} {database.port}\n")
    async with embedded_database(folder) as again, documents_of(again) as documents:
        assert again == database
        assert again.pid not in {first, bystander}
        assert await documents["pictures"].find().to_list() == [{"_id": 1}]


async def test_processes_share_one_database_whoever_leaves_first(tmp_path: Path) -> None:
    with another_process("attach", tmp_path) as starter, another_process("attach", tmp_path) as second:
        pids = [await said_pid(starter), await said_pid(second)]
        async with embedded_database(tmp_path) as database:
            assert pids == [database.pid] * 2
            await leave(starter)
        assert runs(pids[0])
        await leave(second)
        await ended(pids[0])


async def test_many_at_once_start_one(tmp_path: Path) -> None:
    together = asyncio.Barrier(8)

    async def pid() -> int:
        async with embedded_database(tmp_path) as database:
            await together.wait()
            return database.pid

    (one,) = set(await asyncio.gather(*(pid() for _ in range(8))))
    await ended(one)


async def test_a_database_whose_starter_was_killed_is_taken_over(tmp_path: Path) -> None:
    with another_process("attach", tmp_path) as starter:
        orphan = await said_pid(starter)
        starter.kill()
    assert runs(orphan)
    async with embedded_database(tmp_path) as database:
        assert database.pid == orphan
    await ended(orphan)


async def test_a_hung_database_is_replaced_on_the_same_port(tmp_path: Path) -> None:
    with another_process("attach", tmp_path) as starter:
        hung = await said_pid(starter)
        os.kill(hung, signal.SIGSTOP)
        port = int((tmp_path / "database.lock").read_text().split()[1])
        async with embedded_database(tmp_path, patience=1) as database, documents_of(database) as documents:
            await documents["pictures"].insert_one({})
            assert database.port == port
            await ended(hung)
        await leave(starter)


async def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    acknowledged = tmp_path / "acknowledged"
    async with embedded_database(tmp_path) as database, documents_of(database) as documents:
        with another_process("write", tmp_path) as writer:
            await said_pid(writer)
            for _ in range(3):
                await grown(acknowledged, 30)
                await asyncio.sleep(random.uniform(0, 0.2))
                killed = database.pid
                os.kill(killed, signal.SIGKILL)
                await restarted(database, killed)
            await grown(acknowledged, 30)
            await leave(writer)
        kept = {document["_id"] async for document in documents["kept"].find()}
        files = {file["_id"] async for file in documents["fs.files"].find()}
        for name in files:
            assert await (await AsyncGridFSBucket(documents).open_download_stream(name)).read() == FILE
        halves = await documents["halves"].count_documents({}), await documents["other halves"].count_documents({})
    lines = acknowledged.read_text().split()
    assert set(lines) - kept - files == set()
    assert halves[0] == halves[1]
    assert {line.split("-")[0] for line in lines} == {"write", "transaction", "file"}


async def test_a_database_that_cannot_start_says_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedDatabaseFailed, match=r"did not start.*MONGODB_URI.*words: .*[Mm]emory"):
        async with embedded_database(tmp_path, memory_limit=100 << 20):
            pass


async def test_a_missing_program_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmbeddedDatabaseMissing, match=r"loraguild\[embedded\].*MONGODB_URI"):
        async with embedded_database(tmp_path):
            pass


async def restarted(database: EmbeddedDatabase, killed: int) -> None:
    async with asyncio.timeout(100):
        while database.pid in {killed, 0}:  # noqa: ASYNC110 - another process may restart it
            await asyncio.sleep(0.02)


async def grown(file: Path, lines: int) -> None:
    """Wait until a file has grown by so many lines."""

    def count() -> int:
        return len(file.read_text().splitlines()) if file.exists() else 0

    goal = count() + lines
    async with asyncio.timeout(100):
        while count() < goal:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)


async def play(role: str, folder: Path) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(over.set)), daemon=True).start()
    async with embedded_database(folder) as database, documents_of(database) as documents:
        sys.stdout.write(f"{database.pid}\n")
        sys.stdout.flush()
        if role == "attach":
            await over.wait()
        with (folder / "acknowledged").open("a", buffering=1) as acknowledged:
            for number in itertools.count():
                if over.is_set():
                    break
                try:
                    with pymongo.timeout(2):
                        acknowledged.write(await write(documents, number) + "\n")
                except PyMongoError:
                    await asyncio.sleep(0.05)


async def write(documents: Documents, number: int) -> str:
    """Write once, in one of three ways, and return the id of what is acknowledged now."""

    async def two_halves(session: AsyncClientSession) -> None:
        for half in "kept", "halves", "other halves":
            await documents[half].insert_one({"_id": f"transaction-{number}"}, session=session)

    match number % 5:
        case 0:
            await AsyncGridFSBucket(documents).upload_from_stream_with_id(f"file-{number}", "a file", FILE)
            return f"file-{number}"
        case 1 | 2:
            async with documents.client.start_session() as session:
                await session.with_transaction(two_halves)
            return f"transaction-{number}"
        case _:
            await documents["kept"].insert_one({"_id": f"write-{number}"})
            return f"write-{number}"


if __name__ == "__main__":
    asyncio.run(play(sys.argv[1], Path(sys.argv[2])))
