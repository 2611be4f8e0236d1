"""Blobs in GridFS, content-addressed: a row per sha256 names the file that holds the bytes and counts references.

GridFS cannot take part in a transaction, so bytes are written first and only references commit; what nobody refers
to for a day is swept in two steps, so that a sweeper and an upload of the same bytes never undo each other.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator

from bson import ObjectId
from gridfs import AsyncGridFSBucket, NoFile
from gridfs.asynchronous import AsyncGridIn
from gridfs.errors import CorruptGridFile
from pymongo.errors import DuplicateKeyError

from core.domain.artifact import KEPT_UNREFERENCED, Blob
from core.domain.errors import BlobGone, FileTooLarge
from core.ports.clock import Clock
from storage.documents import Document, document, entity
from storage.errors import translated
from storage.repositories.entities import Database

CHUNK = 255 * 1024


class GridBlobs:
    """Bytes in a database's GridFS bucket `files`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._clock = clock
        self._rows = database["blobs"]
        self._bucket = AsyncGridFSBucket(database, bucket_name="files", chunk_size_bytes=CHUNK)

    async def put(self, chunks: AsyncIterator[bytes], *, name: str, limit: int) -> Blob:
        """Write a stream durably and return its row (references unchanged).

        Raises:
            FileTooLarge: The stream, called `name` for people, has more than `limit` bytes; nothing is kept.
        """
        with translated():
            file = self._bucket.open_upload_stream(name)
            try:
                sha256, size = await _write(file, chunks, name=name, limit=limit)
            except BaseException:
                await asyncio.shield(file.abort())
                raise
            row = Blob(id=sha256, file=str(file._id), size=size, references=0, touched_at=self._clock.now())  # noqa: SLF001 - the driver's documented id of the file
            return await self._registered(row)

    async def open(self, sha256: str) -> AsyncIterator[bytes]:
        """Stream the bytes in chunks.

        Raises:
            BlobGone: There are none of this name.
        """
        with translated():
            row = await self._rows.find_one({"_id": sha256})
            if row is None:
                raise BlobGone(sha256=sha256)
            try:
                stream = await self._bucket.open_download_stream(ObjectId(row["file"]))
                while chunk := await stream.readchunk():
                    yield chunk
            except (NoFile, CorruptGridFile) as error:
                raise BlobGone(sha256=sha256) from error

    async def sweep(self) -> int:
        """Remove bytes that nobody has referred to for a day; return how many files went."""
        now = self._clock.now()
        idle = {"references": {"$lte": 0}, "touched_at": {"$lt": now - KEPT_UNREFERENCED}, "doomed_at": None}
        with translated():
            await self._rows.update_many(idle, {"$set": {"doomed_at": now}})
            doomed = [entity(Blob, row) async for row in self._rows.find({"doomed_at": {"$ne": None}})]
            for blob in doomed:
                await self._delete(blob.file)
                await self._rows.delete_one({"_id": blob.id, "file": blob.file, "doomed_at": {"$ne": None}})
        return len(doomed)

    async def _registered(self, blob: Blob) -> Blob:
        try:
            await self._rows.insert_one(document(blob))
        except DuplicateKeyError:
            alive, doomed = {"_id": blob.id, "doomed_at": None}, {"_id": blob.id, "doomed_at": {"$ne": None}}
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

    async def _delete(self, file: str) -> None:
        try:
            await self._bucket.delete(ObjectId(file))
        except NoFile:
            return


async def _write(file: AsyncGridIn, chunks: AsyncIterator[bytes], *, name: str, limit: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise FileTooLarge(name=name, limit=limit // 2**20)
        digest.update(chunk)
        await file.write(chunk)
    await file.close()
    return digest.hexdigest(), size
