"""Bytes by content: written once, counted by reference, swept without ever undoing an upload."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from core.domain.artifact import KEPT_UNREFERENCED
from core.domain.errors import BlobGone, FileTooLarge
from core.ports.blobs import Blobs
from core.ports.clock import HandClock, SystemClock
from core.ports.store import Repositories, Store
from storage.blobs import AT_A_TIME, CHUNK
from storage.repositories.entities import Database
from tests.builders.scenes import in_chunks
from tests.builders.streaming import streaming

MEGABYTE = bytes(2**20)
LONG = timedelta(milliseconds=1) + KEPT_UNREFERENCED


@pytest.fixture
def clock() -> HandClock:
    """A clock that starts with the server's, which notes when a reference was let go."""
    return HandClock(SystemClock().now())


async def put(blobs: Blobs, *contents: bytes, limit: int = 2**20) -> str:
    return (await blobs.put(in_chunks(*contents), name="a.bin", limit=limit)).id


async def read(blobs: Blobs, sha256: str) -> bytes:
    return b"".join([chunk async for chunk in blobs.open(sha256)])


async def files(database: Database) -> tuple[int, int]:
    """Count the stored files, and those files that any chunk belongs to."""
    return await database["files.files"].count_documents({}), len(await database["files.chunks"].distinct("files_id"))


async def test_bytes_are_named_by_their_hash_and_come_back(blobs: Blobs) -> None:
    content = bytes(range(256)) * (CHUNK // 128)
    blob = await blobs.put(in_chunks(content[:1000], b"", content[1000:]), name="a.bin", limit=len(content))

    assert (blob.id, blob.size, blob.references) == (hashlib.sha256(content).hexdigest(), len(content), 0)
    assert await read(blobs, blob.id) == content


async def test_nothing_is_something(blobs: Blobs) -> None:
    assert await read(blobs, await put(blobs)) == b""


async def test_equal_bytes_are_kept_once_also_when_they_come_together(blobs: Blobs, database: Database) -> None:
    names = await asyncio.gather(*(put(blobs, b"same") for _ in range(6)))

    assert len(set(names)) == 1
    assert await files(database) == (1, 1)
    assert await read(blobs, names[0]) == b"same"


async def test_of_what_is_too_large_nothing_is_kept(blobs: Blobs, database: Database) -> None:
    with pytest.raises(FileTooLarge, match=r"«a\.bin» is larger than 1 MB"):
        await put(blobs, *([b"x" * CHUNK] * 5), limit=2**20)

    assert await files(database) == (0, 0)
    assert await database["blobs"].count_documents({}) == 0


@pytest.mark.parametrize("ending", ["too large", "breaks off", "cancelled"])
async def test_of_an_upload_that_ends_early_nothing_is_kept(blobs: Blobs, database: Database, ending: str) -> None:
    written = asyncio.Event()

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield MEGABYTE
        chunks.append(await database["files.chunks"].count_documents({}))
        written.set()
        if ending == "breaks off":
            raise OSError("the line is dead")
        if ending == "cancelled":
            await asyncio.Event().wait()
        yield MEGABYTE

    chunks: list[int] = []
    upload = asyncio.create_task(blobs.put(stream(), name="a.bin", limit=5 * 2**20))
    await written.wait()
    if ending == "cancelled":
        upload.cancel()
    with pytest.raises((FileTooLarge, OSError, asyncio.CancelledError)):
        await upload

    assert chunks[0] >= 2 * AT_A_TIME
    assert await files(database) == (0, 0)
    assert await database["blobs"].count_documents({}) == 0


async def test_however_an_upload_is_cancelled_no_chunk_comes_after_it(blobs: Blobs, database: Database) -> None:
    """Also in the middle of a write, which the server may not have begun when the rest is removed."""

    async def stream(number: int, cancelled: asyncio.Event) -> AsyncIterator[bytes]:
        for _ in range(5):
            yield bytes([number]) * 2**20
        await cancelled.wait()

    for number in range(20):
        cancelled = asyncio.Event()
        upload = asyncio.create_task(blobs.put(stream(number, cancelled), name="a.bin", limit=2**30))
        await asyncio.sleep(number * 0.003)
        upload.cancel()
        cancelled.set()
        await asyncio.wait([upload])
        if upload.cancelled():
            assert await database["blobs"].count_documents({"size": 0}) == 0
    kept = await database["blobs"].count_documents({})
    assert await files(database) == (kept, kept)


@pytest.mark.parametrize("start", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, AT_A_TIME * CHUNK + 5, 2**40])
async def test_bytes_are_read_from_an_offset_on(blobs: Blobs, *, start: int) -> None:
    content = bytes(range(251)) * (AT_A_TIME * CHUNK // 200)
    name = await put(blobs, content, limit=len(content))

    assert b"".join([chunk async for chunk in blobs.open(name, start=start)]) == content[start:]


@pytest.mark.parametrize("missing", [0, 3, AT_A_TIME, AT_A_TIME + 1])
async def test_bytes_with_a_gap_are_gone(blobs: Blobs, database: Database, *, missing: int) -> None:
    content = bytes((AT_A_TIME + 2) * CHUNK)
    name = await put(blobs, content, limit=len(content))
    await database["files.chunks"].delete_one({"n": missing})

    with pytest.raises(BlobGone):
        await read(blobs, name)


@pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK + 1])
async def test_a_chunk_that_was_changed_in_length_does_not_pass(blobs: Blobs, database: Database, *, size: int) -> None:
    name = await put(blobs, bytes(2 * CHUNK))
    await database["files.chunks"].update_one({"n": 1}, {"$set": {"data": bytes(size)}})

    with pytest.raises(BlobGone):
        await read(blobs, name)


async def test_what_an_upload_that_was_killed_has_left_goes_after_a_day(
    blobs: Blobs, database: Database, mongodb: str, clock: HandClock, tmp_path: Path
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(os.urandom(5 * 2**20))
    assert await streaming(mongodb, database.name, "die", path) == (9, "")
    left = await database["files.chunks"].count_documents({})
    kept = await put(blobs, b"kept")
    too_early = await blobs.sweep()
    clock.advance(LONG - timedelta(seconds=1))
    await put(blobs, b"kept")
    clock.advance(timedelta(hours=1))

    assert (left >= AT_A_TIME, too_early, await blobs.sweep()) == (True, 0, 1)
    assert await files(database) == (1, 1)
    assert await read(blobs, kept) == b"kept"


async def test_a_file_whose_upload_was_killed_just_before_its_end_stays_with_its_row(
    blobs: Blobs, database: Database, clock: HandClock
) -> None:
    """Both its rows are there then, and the one under its own id is the older."""
    name = await put(blobs, b"bytes")
    row = await database["blobs"].find_one({"_id": name})
    assert row
    await database["blobs"].insert_one({**row, "_id": row["file"], "size": 0})
    clock.advance(LONG)
    await put(blobs, b"bytes")

    assert (await blobs.sweep(), await blobs.sweep()) == (1, 0)
    assert await read(blobs, name) == b"bytes"


async def test_an_upload_that_outlives_the_sweeper_is_not_taken_for_whole(
    blobs: Blobs, database: Database, clock: HandClock
) -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield bytes(3 * 2**20)
        clock.advance(LONG)
        await blobs.sweep()
        yield b"rest"

    with pytest.raises(BlobGone):
        await blobs.put(stream(), name="a.bin", limit=2**30)

    assert (await files(database), await database["blobs"].count_documents({})) == ((0, 0), 0)


async def test_what_is_discarded_goes_at_once_unless_somebody_refers_to_it(
    blobs: Blobs, store: Store, database: Database
) -> None:
    used, idle, other = [await put(blobs, content) for content in (b"used", b"idle", b"other")]
    await store.transact(lambda tx: tx.references.refer(used))

    await blobs.discard(used, idle, "f" * 64)
    await blobs.discard()

    assert {row["_id"] async for row in database["blobs"].find()} == {used, other}
    assert await files(database) == (2, 2)
    with pytest.raises(BlobGone):
        await store.transact(lambda tx: tx.references.refer(idle))
    assert await read(blobs, await put(blobs, b"idle")) == b"idle"


async def test_unknown_bytes_are_gone(blobs: Blobs, store: Store) -> None:
    with pytest.raises(BlobGone):
        await read(blobs, "f" * 64)
    with pytest.raises(BlobGone):
        await store.transact(lambda tx: tx.references.refer("f" * 64))


async def test_references_are_counted_with_the_transaction_that_refers(
    blobs: Blobs, store: Store, database: Database
) -> None:
    name = await put(blobs, b"bytes")
    await store.transact(lambda tx: tx.references.refer(name, name, name))
    await store.transact(lambda tx: tx.references.forget(name))

    with pytest.raises(BlobGone):
        await store.transact(lambda tx: tx.references.refer(name, "unknown"))

    row = await database["blobs"].find_one({"_id": name})
    assert row
    assert row["references"] == 2


async def test_the_sweeper_takes_only_what_nobody_has_referred_to_for_a_day(
    blobs: Blobs, store: Store, clock: HandClock
) -> None:
    used, idle = await put(blobs, b"used"), await put(blobs, b"idle")
    await store.transact(lambda tx: tx.references.refer(used))

    too_early = await blobs.sweep()
    clock.advance(LONG)
    fresh = await put(blobs, b"fresh")
    swept = await blobs.sweep()

    assert (too_early, swept, await blobs.sweep()) == (0, 1, 0)
    assert (await read(blobs, used), await read(blobs, fresh)) == (b"used", b"fresh")
    with pytest.raises(BlobGone):
        await read(blobs, idle)


async def test_what_was_let_go_is_kept_for_a_day_more(blobs: Blobs, store: Store, clock: HandClock) -> None:
    name = await put(blobs, b"bytes")
    await store.transact(lambda tx: tx.references.refer(name))
    await store.transact(lambda tx: tx.references.forget(name))

    early = await blobs.sweep()
    clock.advance(LONG + timedelta(hours=1))

    assert (early, await blobs.sweep()) == (0, 1)


async def test_bytes_that_come_again_are_kept_for_a_day_more(blobs: Blobs, clock: HandClock) -> None:
    name = await put(blobs, b"bytes")
    clock.advance(LONG)
    await put(blobs, b"bytes")

    assert await blobs.sweep() == 0
    assert await read(blobs, name) == b"bytes"


async def test_what_is_being_swept_cannot_be_referred_to_and_is_written_anew(
    blobs: Blobs, store: Store, database: Database, clock: HandClock
) -> None:
    """A sweeper stands between its two steps: the row is doomed, the bytes are not yet gone."""
    name = await put(blobs, b"bytes")
    await database["blobs"].update_one({"_id": name}, {"$set": {"doomed_at": clock.now()}})

    with pytest.raises(BlobGone):
        await store.transact(lambda tx: tx.references.refer(name))
    await put(blobs, b"bytes")
    await store.transact(lambda tx: tx.references.refer(name))
    await blobs.sweep()

    assert await read(blobs, name) == b"bytes"


async def test_a_sweeper_that_died_between_its_steps_is_finished_by_the_next(
    blobs: Blobs, database: Database, clock: HandClock
) -> None:
    name = await put(blobs, b"bytes")
    await database["blobs"].update_one({"_id": name}, {"$set": {"doomed_at": clock.now()}})

    assert await blobs.sweep() == 1
    assert await files(database) == (0, 0)


async def test_sweepers_and_uploads_of_the_same_bytes_never_undo_each_other(
    blobs: Blobs, store: Store, clock: HandClock
) -> None:
    async def referred(name: str, tx: Repositories) -> None:
        await tx.references.refer(name)

    async def kept(content: bytes) -> str:
        while True:
            name = await put(blobs, content)
            try:
                await store.transact(partial(referred, name))
            except BlobGone:
                continue
            return name

    contents = [f"content {number}".encode() for number in range(5)]
    for content in contents:
        await put(blobs, content)
    clock.advance(LONG)

    names, *_ = await asyncio.gather(
        asyncio.gather(*(kept(content) for content in contents)), blobs.sweep(), blobs.sweep()
    )
    clock.advance(LONG)
    await blobs.sweep()

    assert [await read(blobs, name) for name in names] == contents
