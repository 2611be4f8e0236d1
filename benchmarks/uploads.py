"""How fast files come in: a raw PUT through the real server, against a plain GridFS upload of the same bytes.

Both write to the same database server, in turn and each twice with fresh bytes. Of the PUT every 8 MiB are a piece,
which is hashed, stored and committed with its reference. Run `python benchmarks/uploads.py [MEGABYTES]`; MONGODB_URI
chooses a server, else an embedded one is started for the occasion.
"""

import asyncio
import os
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession
from gridfs import AsyncGridFSBucket
from pydantic import SecretStr

from config.settings import Settings
from core.domain.account import Place, Platform
from loraguild.composition import House, opened
from storage.embedded import embedded_database
from storage.store import MongoStore
from web.app import serve

MEGABYTES, CHUNK, NAME = 64, 2**20, "uploads"


async def put(house: House, port: int, content: bytes) -> None:
    """Send the bytes as curl does, through an upload link."""
    ann = await house.services.accounts.welcome(Platform.CONSOLE, "ann", name="ann")
    datasets = await house.services.datasets.list(ann)
    dataset = datasets[0] if datasets else await house.services.datasets.create(ann, name="zorp", trigger="zorp")
    link = await house.services.uploads.open(ann, dataset, place=Place(platform=Platform.CONSOLE, chat="ann"))
    path = link.removeprefix(house.services.uploads.address)
    async with (
        ClientSession(f"http://127.0.0.1:{port}") as session,
        session.put(f"{path}/files/zorp.zip", data=content) as answer,
    ):
        if answer.status != 201:  # noqa: PLR2004 - created
            sys.exit(f"put: {answer.status} {await answer.text()}")


async def raw(house: House, _: int, content: bytes) -> None:
    """Send them with the driver alone."""
    if not isinstance(house.store, MongoStore):
        raise TypeError("only a MongoDB store has GridFS")
    async with AsyncGridFSBucket(house.store.database, bucket_name="raw").open_upload_stream("zorp.zip") as file:
        for start in range(0, len(content), CHUNK):
            await file.write(content[start : start + CHUNK])


SIDES = {"put": put, "raw": raw}


async def rate(side: str, house: House, port: int, *, megabytes: int) -> float:
    """Megabytes per second of one side."""
    content = os.urandom(megabytes * 2**20)
    since = time.perf_counter()
    await SIDES[side](house, port, content)
    return megabytes / (time.perf_counter() - since)


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    """The server of MONGODB_URI, or an embedded one."""
    if uri := os.environ.get("MONGODB_URI"):
        yield uri
        return
    with tempfile.TemporaryDirectory() as folder:
        async with embedded_database(Path(folder)) as database:
            yield database.uri


@asynccontextmanager
async def served(uri: str) -> AsyncIterator[tuple[House, int]]:
    """A house over a database, and the port of its pages."""
    settings = Settings(mongodb_uri=uri, mongodb_database=NAME, secret_key=SecretStr(secrets.token_hex(32)))
    stop, port = asyncio.Event(), asyncio.get_running_loop().create_future()
    async with opened(settings) as house:
        serving = asyncio.create_task(
            serve(
                services=house.services, blobs=house.blobs, host="127.0.0.1", port=0, stop=stop, started=port.set_result
            )
        )
        yield house, await port
        stop.set()
        await serving


async def main(arguments: Sequence[str]) -> None:
    """Measure both sides in turn, twice, and print the better of each."""
    megabytes = int(arguments[0]) if arguments else MEGABYTES
    rates: dict[str, list[float]] = {side: [] for side in SIDES}
    async with server() as uri, served(uri) as (house, port):
        for side in (*SIDES, *reversed(SIDES)):
            rates[side].append(await rate(side, house, port, megabytes=megabytes))
            print(f"{side}: {rates[side][-1]:.0f} MB/s")
    put_rate, raw_rate = (max(found) for found in rates.values())
    print(f"{megabytes} MB: put {put_rate:.0f} MB/s, raw {raw_rate:.0f} MB/s, ratio {put_rate / raw_rate:.2f}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
