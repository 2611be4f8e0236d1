"""Blobs in GridFS, content-addressed: a row per sha256 names the file that holds the bytes and counts references.

GridFS cannot take part in a transaction, so bytes are written first and only references commit; what nobody refers
to for a day is swept in two steps, so that a sweeper and an upload of the same bytes never undo each other. Until its
hash is known a file has a row under its own id, so that the same sweeper finds what an upload that died has left.

Chunks are written and read some at a time: the driver holds 48 MB back for every file that it writes, and the embedded
database holds a whole file for every one that the driver reads.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress

from bson import ObjectId
from bson.int64 import Int64
from gridfs import AsyncGridFSBucket, NoFile
from pymongo.errors import DuplicateKeyError

from core.domain.artifact import KEPT_UNREFERENCED, Blob
from core.domain.errors import BlobGone, FileTooLarge
from core.ports.clock import Clock
from storage.documents import Document, document, entity
from storage.errors import translated
from storage.repositories.entities import Database

CHUNK = 255 * 1024  # bytes in every chunk but the last: where a byte lies follows from it
AT_A_TIME = 8  # chunks
SOME = {"$ne": None}


class GridBlobs:
    """Bytes in a database's GridFS bucket `files`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._clock = clock
        self._rows = database["blobs"]
        self._files = database["files.files"]
        self._chunks = database["files.chunks"]
        self._bucket = AsyncGridFSBucket(database, bucket_name="files", chunk_size_bytes=CHUNK)

    async def put(self, chunks: AsyncIterator[bytes], *, name: str, limit: int) -> Blob:
        """Write a stream durably and return its row (references unchanged).

        Raises:
            FileTooLarge: The stream, called `name` for people, has more than `limit` bytes; nothing is kept.
            BlobGone: It took longer than anything is kept that nobody refers to.
        """
        file = ObjectId()
        coming = Blob(id=str(file), file=str(file), size=0, references=0, touched_at=self._clock.now())
        with translated():
            try:
                await _finished(self._rows.insert_one(document(coming)))
                sha256, size = await self._write(file, chunks, name=name, limit=limit)
                await self._renew(coming)
            except BaseException:
                await asyncio.shield(self._undone(coming))
                raise
            kept = await self._registered(coming.but(id=sha256, size=size, touched_at=self._clock.now()))
            await self._forget(coming)
            return kept

    async def open(self, sha256: str, *, start: int = 0) -> AsyncIterator[bytes]:
        """Stream the bytes in chunks, from an offset on.

        Raises:
            BlobGone: There are none of this name, or some are missing.
        """
        with translated():
            row = await self._rows.find_one({"_id": sha256})
        if row is None:
            raise BlobGone(sha256=sha256)
        number, skipped = divmod(start, CHUNK)
        position = start - skipped
        while position < row["size"]:
            found = await self._some(row["file"], number)
            for chunk in found:
                position += len(chunk["data"])
                if chunk["n"] != number or position > row["size"]:
                    raise BlobGone(sha256=sha256)
                number += 1
                yield chunk["data"][skipped:]
                skipped = 0
            if not found:
                raise BlobGone(sha256=sha256)

    async def discard(self, *names: str) -> None:
        """Remove those bytes now that nobody refers to; whoever is about to brings them anew."""
        named = {"_id": {"$in": list(names)}}
        with translated():
            await self._rows.update_many(named | _unused(), {"$set": {"doomed_at": self._clock.now()}})
            await self._remove_doomed(named)

    async def sweep(self) -> int:
        """Remove bytes that nobody has referred to for a day; return how many files went."""
        now = self._clock.now()
        idle = {"touched_at": {"$lt": now - KEPT_UNREFERENCED}}
        with translated():
            await self._rows.update_many(idle | _unused(), {"$set": {"doomed_at": now}})
            return await self._remove_doomed({})

    async def _write(self, file: ObjectId, chunks: AsyncIterator[bytes], *, name: str, limit: int) -> tuple[str, int]:
        """Write a file, and return its sha256 and size."""
        digest, size = hashlib.sha256(), 0
        async for part in _even(chunks, AT_A_TIME * CHUNK):
            if size + len(part) > limit:
                raise FileTooLarge(name=name, limit=limit // 2**20)
            await asyncio.to_thread(digest.update, part)
            starts = range(0, len(part), CHUNK)
            rows = [
                {"files_id": file, "n": number, "data": part[start : start + CHUNK]}
                for number, start in enumerate(starts, start=size // CHUNK)
            ]
            await _finished(self._chunks.insert_many(rows))
            size += len(part)
        facts = {"filename": name, "length": Int64(size), "chunkSize": CHUNK, "uploadDate": self._clock.now()}
        await _finished(self._files.insert_one({"_id": file, **facts}))
        return digest.hexdigest(), size

    async def _renew(self, coming: Blob) -> None:
        """Give a file that is written another day until the sweeper looks at it.

        Raises:
            BlobGone: The sweeper was there already.
        """
        still = {"_id": coming.id, "doomed_at": None}
        if not (await self._rows.update_one(still, {"$set": {"touched_at": self._clock.now()}})).matched_count:
            raise BlobGone(sha256=coming.id)

    async def _undone(self, coming: Blob) -> None:
        await self._delete(coming.file)
        await self._forget(coming)

    async def _some(self, file: str, number: int) -> list[Document]:
        """Some chunks of a file from a number on, in order."""
        wanted = {"files_id": ObjectId(file), "n": {"$gte": number, "$lt": number + AT_A_TIME}}
        with translated():
            return await self._chunks.find(wanted, {"n": 1, "data": 1}).sort("n", 1).to_list()

    async def _registered(self, blob: Blob) -> Blob:
        with suppress(DuplicateKeyError):
            await self._rows.insert_one(document(blob))
            return blob
        alive, doomed = {"_id": blob.id, "doomed_at": None}, {"_id": blob.id, "doomed_at": SOME}
        fresh: Document = {"touched_at": blob.touched_at}
        anew = fresh | {"file": blob.file, "doomed_at": None}
        if (await self._rows.update_one(alive, {"$set": fresh})).matched_count:
            await self._delete(blob.file)
        elif not (await self._rows.update_one(doomed, {"$set": anew})).matched_count:
            return await self._registered(blob)  # the row went, or came back, between the two looks
        found = await self._rows.find_one({"_id": blob.id})
        if found is None:
            raise BlobGone(sha256=blob.id)
        return entity(Blob, found)

    async def _remove_doomed(self, query: Document) -> int:
        doomed = self._rows.find({**query, "references": {"$lte": 0}, "doomed_at": SOME})
        rows = [entity(Blob, row) async for row in doomed]
        for row in rows:
            if not await self._rows.find_one({"file": row.file, "_id": {"$ne": row.id}}):
                await self._delete(row.file)
            await self._forget(row)
        return len(rows)

    async def _forget(self, blob: Blob) -> None:
        """Remove a row, unless its bytes were brought anew: then it names another file."""
        await self._rows.delete_one({"_id": blob.id, "file": blob.file})

    async def _delete(self, file: str) -> None:
        try:
            await self._bucket.delete(ObjectId(file))
        except NoFile:
            return  # what chunks there were are gone all the same


def _unused() -> Document:
    return {"references": {"$lte": 0}, "doomed_at": None}


async def _even(chunks: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """The same bytes, so many at a time."""
    held = bytearray()
    async for chunk in chunks:
        held += chunk
        while len(held) >= size:
            yield bytes(held[:size])
            del held[:size]
    if held:
        yield bytes(held)


async def _finished(write: Awaitable[object]) -> None:
    """Wait for a write also when the wait is cancelled: what removes the bytes then must not come before it."""
    writing = asyncio.ensure_future(write)
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.gather(writing, return_exceptions=True)
        raise
