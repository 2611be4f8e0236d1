"""A process of its own that brings bytes into a database, so that its memory can be measured and it can be killed.

With the verb `add` it adds a file to a dataset as the console does, reads it back, and prints by how many megabytes it
grew; with `die` it is gone before the file's end.
"""

import asyncio
import hashlib
import os
import resource
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from pydantic import SecretStr

from bots.console.sources import CHUNK, LocalFile, local_files
from config.settings import Settings
from core.domain.account import Place, Platform
from core.kinds.intake import Payload
from core.ports.clock import RandomIds, SystemClock
from loraguild.composition import House, assembled
from storage.blobs import GridBlobs
from storage.store import client_of, mongo_store

PLACE = Place(platform=Platform.CONSOLE, chat="ann")
OF_KILOBYTES = 1024 if sys.platform == "linux" else 2**20


async def streaming(uri: str, database: str, verb: str, path: Path) -> tuple[int, str]:
    """Run this module with these words; return how it ended and what it printed."""
    command = (sys.executable, "-m", __name__, uri, database, verb, f"{path}")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    return process.returncode or 0, printed.decode().strip()


def peak() -> int:
    """The most memory that this process ever had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // OF_KILOBYTES


async def added(house: House, file: LocalFile) -> str:
    """Add a file to a new dataset; return the sha256 under which it waits for intake."""
    ann = await house.services.accounts.welcome(Platform.CONSOLE, "ann", name="ann")
    dataset = await house.services.datasets.create(ann, name=file.name, trigger="zorp")
    job = await house.services.intakes.add(ann, dataset, [file], place=PLACE, key=file.name)
    [raw] = Payload.model_validate(job.payload).files
    return raw.sha256


async def grown(house: House, file: LocalFile, warm: LocalFile) -> int:
    """How much memory one file takes on its way in and out, when a small one has gone before."""
    await added(house, warm)
    before = peak()
    sha256, digest = await added(house, file), hashlib.sha256()
    async for chunk in house.blobs.open(sha256):
        digest.update(chunk)
    if digest.hexdigest() != sha256:
        sys.exit("what came out is not what went in")
    return peak() - before


async def dying(file: LocalFile) -> AsyncIterator[bytes]:
    """A file whose reader is killed near its end."""
    async with file.open() as chunks:
        sent = 0
        async for chunk in chunks:
            if sent >= file.size - CHUNK:
                os._exit(9)
            yield chunk
            sent += len(chunk)


async def main(uri: str, database: str, verb: str, path: str) -> None:
    settings = Settings(mongodb_uri=uri, mongodb_database=database, secret_key=SecretStr("x" * 64), base_models={})
    file, warm = await local_files([path, __file__])
    async with client_of(uri) as client:  # `opened` would bring back the indexes by which the server removes rows
        store, blobs = mongo_store(client[database]), GridBlobs(client[database], SystemClock())
        services = assembled(settings, store=store, blobs=blobs, clock=SystemClock(), ids=RandomIds())
        house = House(settings=settings, store=store, blobs=blobs, services=services)
        if verb == "die":
            await house.blobs.put(dying(file), name=Path(path).name, limit=file.size)
        sys.stdout.write(f"{await grown(house, file, warm)}\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
