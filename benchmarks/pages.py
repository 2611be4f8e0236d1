"""How many requests a second the pages and the API answer, and how long people wait, against a bare handler.

A process of its own serves somebody with ROWS datasets and jobs, without a rate limit, and on another port a bare
aiohttp handler that answers as many bytes as the list does. CONNECTIONS that are kept open ask one request after the
other for SECONDS. `service` is what the list asks of the house, here and one after the other, without HTTP; the
database is the same for all. Run `python -m benchmarks.pages [SECONDS]`; MONGODB_URI chooses a server, else an embedded
one is started for the occasion.
"""

import asyncio
import os
import re
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from aiohttp import web
from pydantic import SecretStr

from config.settings import Settings
from core.domain.account import Actor, Platform
from core.domain.job import asked
from core.domain.token import Scope
from core.ports.store import Repositories
from loraguild.composition import House, opened
from storage.embedded import embedded_database
from web.api.route import PREFIX
from web.app import application
from web.limiting import LIMITER, Limiter
from web.visiting import cookie

SECONDS, CONNECTIONS, ROWS, NAME = 5.0, 16, 200, "pages"
HOST = "127.0.0.1"
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class List:
    """A list that people look at: where, what their browser or program shows there, and what it asks of the house."""

    path: str
    header: str
    service: Callable[[House, Actor], Awaitable[object]]


@dataclass(frozen=True)
class Measured:
    """Requests a second, and how many milliseconds the middle one and the slowest of a hundred took."""

    rate: float
    middle: float
    slow: float


def settings(uri: str, key: str) -> Settings:
    """How the house is opened in each process."""
    return Settings(mongodb_uri=uri, mongodb_database=NAME, secret_key=SecretStr(key))


async def bare(request: web.Request) -> web.Response:
    """Answer so many bytes."""
    return web.Response(text="x" * int(request.match_info["size"]))


async def listening(app: web.Application) -> int:
    """Serve, and return the port."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    return int(runner.addresses[0][1])


def served(uri: str, key: str, ports: Connection) -> None:
    """Serve the house, and the bare handler, until this process is ended."""

    async def serving() -> None:
        plain = web.Application()
        plain.router.add_get("/{size}", bare)
        async with opened(settings(uri, key)) as house:
            app = application(services=house.services, blobs=house.blobs)
            app[LIMITER] = Limiter(rate=1e9, burst=1e9)
            ports.send((await listening(app), await listening(plain)))
            await asyncio.Event().wait()

    asyncio.run(serving())


async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    """Ask once, and return how many bytes came."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    found = LENGTH.search(head)
    if not head.startswith(b"HTTP/1.1 200") or found is None:
        sys.exit(f"{request!r}: {head!r}")
    return len(await reader.readexactly(int(found[1])))


async def asking(port: int, path: str, header: str, seconds: float) -> list[float]:
    """Ask on one connection until the time is over; return how long each answer took."""
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept: text/html\r\n{header}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection(HOST, port)
    took: list[float] = []
    until = time.perf_counter() + seconds
    while (since := time.perf_counter()) < until:
        await once(reader, writer, request)
        took.append(time.perf_counter() - since)
    writer.close()
    return took


async def size_of(port: int, path: str, header: str) -> int:
    """How many bytes a list has."""
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept: text/html\r\n{header}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection(HOST, port)
    size = await once(reader, writer, request)
    writer.close()
    return size


async def over_http(port: int, path: str, header: str, seconds: float) -> Measured:
    """Ask on all connections at once."""
    await asking(port, path, header, seconds / 10)
    found = await asyncio.gather(*(asking(port, path, header, seconds) for _ in range(CONNECTIONS)))
    return figures([one for took in found for one in took], seconds)


async def alone(house: House, actor: Actor, one: List, seconds: float) -> Measured:
    """Ask the service itself."""
    took: list[float] = []
    until = time.perf_counter() + seconds
    while (since := time.perf_counter()) < until:
        await one.service(house, actor)
        took.append(time.perf_counter() - since)
    return figures(took, seconds)


def figures(took: Sequence[float], seconds: float) -> Measured:
    """What came out."""
    hundredths = statistics.quantiles(took, n=100, method="inclusive")
    return Measured(len(took) / seconds, 1000 * hundredths[49], 1000 * hundredths[98])


async def waiting(house: House, name: str, *, owner: str) -> None:
    """Let somebody have a job that nobody does."""
    now = house.services.tokens.clock.now()
    job = asked("training", id=name, key=name, owner=owner, subject="", title=f"zorp {name}", now=now)

    async def work(tx: Repositories) -> None:
        await tx.jobs.add(job)

    await house.store.transact(work)


async def furnished(house: House) -> tuple[Actor, list[List]]:
    """Somebody with long lists, and where they are."""
    services = house.services
    ann = await services.accounts.welcome(Platform.CONSOLE, "ann", name="ann")
    for number in range(ROWS):
        await services.datasets.create(ann, name=f"zorp {number}", trigger=f"zorp{number}")
        await waiting(house, f"job{number}", owner=ann.account)
    opened_here = await services.sessions.open(ann, device="a benchmark")
    issued = await services.tokens.issue(ann, name="a benchmark", scopes=frozenset({Scope.READ}), days=1)
    browser = f"Cookie: {cookie(services.sessions.address)}={opened_here.secret}"
    program = f"Authorization: Bearer {issued.secret}"

    async def datasets(house: House, actor: Actor) -> object:
        return await house.services.datasets.list(actor)

    async def jobs(house: House, actor: Actor) -> object:
        return await house.services.jobs.list(actor)

    return ann, [
        List(path="/datasets", header=browser, service=datasets),
        List(path="/jobs", header=browser, service=jobs),
        List(path=f"{PREFIX}/datasets", header=program, service=datasets),
        List(path=f"{PREFIX}/jobs", header=program, service=jobs),
    ]


def told(name: str, one: Measured, plain: Measured) -> None:
    """Print the figures of one side, and what part of the bare handler's rate it is."""
    print(
        f"  {name:>8}: {one.rate:6.0f}/s, {one.rate / plain.rate:.3f} of bare; "
        f"p50 {one.middle:.1f} ms, p99 {one.slow:.1f} ms",
        flush=True,
    )


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[str]:
    """The server of MONGODB_URI, or an embedded one."""
    if uri := os.environ.get("MONGODB_URI"):
        yield uri
        return
    async with embedded_database(folder / "database") as database:
        yield database.uri


async def main(arguments: Sequence[str]) -> None:
    """Measure every list, and what stands beside it."""
    seconds, key = float(arguments[0]) if arguments else SECONDS, secrets.token_hex(32)
    with tempfile.TemporaryDirectory() as folder:
        async with server(Path(folder)) as uri, opened(settings(uri, key)) as house:
            ann, lists = await furnished(house)
            ports, theirs = get_context("spawn").Pipe(duplex=False)
            process = get_context("spawn").Process(target=served, args=(uri, key, theirs), daemon=True)
            process.start()
            port, plain_port = await asyncio.to_thread(ports.recv)
            for one in lists:
                size = await size_of(port, one.path, one.header)
                plain = await over_http(plain_port, f"/{size}", "X: y", seconds)
                print(f"{one.path}, {size / 1024:.1f} kB")
                told("ours", await over_http(port, one.path, one.header, seconds), plain)
                told("bare", plain, plain)
                told("service", await alone(house, ann, one, seconds), plain)
            process.terminate()
            process.join()
    print(f"{CONNECTIONS} connections, {seconds:.0f} s each, {ROWS} datasets and jobs")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
