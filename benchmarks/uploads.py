"""How fast files come in and go out, and how much memory that takes, against the driver's own GridFS.

`put` sends a file as curl does, through the real server, where every 8 MiB are a piece that is hashed, stored and
committed with its reference; `form` sends it to the API in a form; `add` is the console's `dataset add`; `raw` is the
driver alone. `get` fetches a stored file by its link, `open` reads it from the blobs, `raw open` with the driver. All
speak to the same database server, in turn and each twice with fresh bytes from a file; server and client are this one
process. Memory is what a side adds to what the process had before, at its peak. Run `python benchmarks/uploads.py
[MEGABYTES]`; MONGODB_URI chooses a server, else an embedded one is started for the occasion.
"""

import asyncio
import os
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from aiohttp import ClientSession, FormData
from gridfs import AsyncGridFSBucket
from pydantic import SecretStr

from bots.console.sources import local_files
from config.settings import Settings
from core.domain.account import Actor, Place, Platform
from core.domain.artifact import Artifact
from core.domain.dataset import Dataset
from core.domain.token import Scope
from core.kinds.intake import Payload
from loraguild.composition import House, opened
from storage.embedded import embedded_database
from storage.store import MongoStore
from web.api.route import PREFIX
from web.app import serve

MEGABYTES, CHUNK, NAME, POLL = 500, 2**20, "uploads", 0.01
PLACE = Place(platform=Platform.CONSOLE, chat="ann")


@dataclass
class Scene:
    """Where things happen: the house, the port of its pages, and what the sides leave to each other."""

    house: House
    port: int
    path: Path
    sha256: str = ""

    @property
    def bucket(self) -> AsyncGridFSBucket:
        """The driver's own."""
        if not isinstance(self.house.store, MongoStore):
            raise TypeError("only a MongoDB store has GridFS")
        return AsyncGridFSBucket(self.house.store.database, bucket_name="raw")

    async def dataset(self) -> tuple[Actor, Dataset]:
        """Somebody, and a new dataset of theirs."""
        ann = await self.house.services.accounts.welcome(Platform.CONSOLE, "ann", name="ann")
        name = secrets.token_hex(4)
        return ann, await self.house.services.datasets.create(ann, name=name, trigger="zorp")


async def put(scene: Scene) -> None:
    """Send the file as curl does, through an upload link."""
    ann, dataset = await scene.dataset()
    uploads = scene.house.services.uploads
    path = (await uploads.open(ann, dataset, place=PLACE)).removeprefix(uploads.address)
    with scene.path.open("rb") as file:
        async with (
            ClientSession(f"http://127.0.0.1:{scene.port}") as session,
            session.put(f"{path}/files/zorp.zip", data=file) as answer,
        ):
            if answer.status != 201:  # noqa: PLR2004 - created
                sys.exit(f"put: {answer.status} {await answer.text()}")


async def form(scene: Scene) -> None:
    """Send the file as a program does, in a form of the API."""
    ann, dataset = await scene.dataset()
    issued = await scene.house.services.tokens.issue(ann, name=dataset.id, scopes=[Scope.WRITE], days=1)
    headers = {"Authorization": f"Bearer {issued.secret}"}
    with scene.path.open("rb") as file:
        body = FormData({"files": file})
        async with (
            ClientSession(f"http://127.0.0.1:{scene.port}") as session,
            session.post(f"{PREFIX}/datasets/{dataset.id}/images", data=body, headers=headers) as answer,
        ):
            if answer.status != 202:  # noqa: PLR2004 - accepted
                sys.exit(f"form: {answer.status} {await answer.text()}")


async def add(scene: Scene) -> None:
    """Give the file to `dataset add`."""
    ann, dataset = await scene.dataset()
    files = await local_files([str(scene.path)])
    job = await scene.house.services.intakes.add(ann, dataset, files, place=PLACE, key=dataset.id)
    scene.sha256 = Payload.model_validate(job.payload).files[0].sha256


async def raw(scene: Scene) -> None:
    """Write the file with the driver alone."""
    with scene.path.open("rb") as file:
        async with scene.bucket.open_upload_stream("zorp.zip") as stored:
            while chunk := file.read(CHUNK):
                await stored.write(chunk)


async def read(scene: Scene) -> None:
    """Read what was added."""
    async for _ in scene.house.blobs.open(scene.sha256):
        pass


async def get(scene: Scene) -> None:
    """Fetch what was added, by its link."""
    size = scene.path.stat().st_size
    artifact = Artifact(name="zorp.zip", sha256=scene.sha256, size=size, media_type="application/zip")
    downloads = scene.house.services.downloads
    path = downloads.link(artifact).removeprefix(downloads.address)
    async with ClientSession(f"http://127.0.0.1:{scene.port}") as session, session.get(path) as answer:
        came = sum([len(chunk) async for chunk in answer.content.iter_chunked(CHUNK)])
    if came != size:
        sys.exit(f"get: {answer.status}, {came} of {size} bytes")


async def raw_read(scene: Scene) -> None:
    """Read what the driver wrote, with the driver."""
    stored = await scene.bucket.open_download_stream_by_name("zorp.zip")
    while await stored.readchunk():
        pass


Side = Callable[[Scene], Awaitable[None]]
IN: dict[str, Side] = {"put": put, "form": form, "add": add, "raw": raw}
OUT: dict[str, Side] = {"get": get, "open": read, "raw open": raw_read}


@dataclass(frozen=True)
class Measured:
    """Megabytes per second, and how many megabytes this process and the database grew by at their peaks."""

    rate: float
    here: int
    there: int


async def measured(side: Side, scene: Scene, database: psutil.Process | None) -> Measured:
    """Run one side once."""
    watched = [psutil.Process(), database or psutil.Process()]
    before = [process.memory_info().rss for process in watched]
    peaks = list(before)

    async def watching() -> None:
        while True:
            peaks[:] = [max(peak, one.memory_info().rss) for peak, one in zip(peaks, watched, strict=True)]
            await asyncio.sleep(POLL)

    watch = asyncio.create_task(watching())
    since = time.perf_counter()
    await side(scene)
    took = time.perf_counter() - since
    watch.cancel()
    here, there = ((peak - start) // 2**20 for peak, start in zip(peaks, before, strict=True))
    return Measured(scene.path.stat().st_size / 2**20 / took, here, there)


def filled(path: Path, megabytes: int) -> None:
    """Write fresh random bytes."""
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(2**20))


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[tuple[str, psutil.Process | None]]:
    """The server of MONGODB_URI, or an embedded one, whose process is known."""
    if uri := os.environ.get("MONGODB_URI"):
        yield uri, None
        return
    async with embedded_database(folder / "database") as database:
        yield database.uri, psutil.Process(database.pid)


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


def said(sides: dict[str, list[Measured]], plain: str) -> None:
    """Print the better rate and the higher peaks of each side, and what part of the plain one's rate it is."""
    best = {name: max(one.rate for one in runs) for name, runs in sides.items()}
    for name, runs in sides.items():
        here, there = max(one.here for one in runs), max(one.there for one in runs)
        ratio = best[name] / best[plain]
        print(
            f"{name:>8}: {best[name]:4.0f} MB/s, {ratio:.2f} of {plain}; +{here} MB here, +{there} MB in the database"
        )


async def main(arguments: Sequence[str]) -> None:
    """Measure every side twice, in turn, and print what came out."""
    megabytes = int(arguments[0]) if arguments else MEGABYTES
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "zorp.zip")
        async with server(Path(folder)) as (uri, database), served(uri) as (house, port):
            scene = Scene(house, port, path)
            for sides, plain in ((IN, "raw"), (OUT, "raw open")):
                runs: dict[str, list[Measured]] = {name: [] for name in sides}
                for name in (*sides, *reversed(sides)):
                    if sides is IN:
                        filled(path, megabytes)
                    runs[name].append(await measured(sides[name], scene, database))
                said(runs, plain)
    print(f"{megabytes} MB each")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
