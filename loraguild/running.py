"""Long-running processes: a worker, a bot, the pages; and `up`, which keeps all of them going in one terminal."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from importlib.metadata import PackageNotFoundError, version

import structlog
from rich.console import Console
from rich.text import Text
from structlog.contextvars import bind_contextvars

from bots.console.speaking import seated
from config.secrets import derived
from config.settings import Settings
from core.domain.address import is_public
from core.domain.errors import BadValue, ExtraMissing, TokenMissing
from core.domain.fleet import Worker, gpu_class
from core.kinds import discovered
from core.ports.clock import RandomIds, SystemClock
from loraguild.composition import House, opened
from loraguild.machine import TorchBroken, gpu_present, torch_found
from loraguild.supervisor import Program, supervised
from loraguild.tidying import tidying

MB = 2**20
COLOURS = ("cyan", "magenta", "yellow", "blue", "green")

log = structlog.get_logger()


async def worker(
    house: House, *, kinds: str, labels: str, concurrency: int, once: bool, metrics_port: int | None = None
) -> int:
    """Do jobs until a signal comes, it is drained, or with `once` until none is left.

    Raises:
        BadValue: There is no such kind of job.
        PortTaken: Nobody can listen where Prometheus should read.
    """
    from worker.loop import Floor, work  # noqa: PLC0415 - only workers need what it needs
    from worker.stock import missing  # noqa: PLC0415 - as above

    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # the torch child inherits it, and says less at start
    stop, settings = _stopping(), house.settings
    floor = Floor(
        services=house.services,
        blobs=house.blobs,
        worker=await _described(settings, kinds=_kinds(kinds), labels=labels),
        settings=settings,
        folder=settings.data_folder / "work",
        memory=settings.worker_memory_mb * MB,
        checkpoint_seconds=settings.checkpoint_seconds,
        missing=partial(missing, house.services.trainings.offerings.values()),
    )
    floor.metrics.describe(floor.worker)
    bind_contextvars(worker=floor.worker.id)
    port = settings.metrics_port if metrics_port is None else metrics_port
    with floor.metrics.served(host=settings.metrics_host, port=port) if port else nullcontext():
        tidy = asyncio.create_task(tidying(house, holder=floor.worker.id))
        try:
            await work(floor, concurrency=concurrency, once=once, stop=stop)
        finally:
            tidy.cancel()
            await asyncio.wait([tidy])  # before the house is closed under it
    return 0


async def discord(house: House) -> int:
    """Answer on Discord until a signal comes.

    Raises:
        TokenMissing, TokenRefused: Discord does not let the bot in.
    """
    token, url = _token(house.settings, "discord"), house.settings.discord_api_url
    with _installed("discord"):
        from bots.discord.client import serve  # noqa: PLC0415 - only this process needs the library
    await serve(services=house.services, blobs=house.blobs, token=token, api_url=url, stop=_stopping())
    return 0


async def telegram(house: House) -> int:
    """Answer on Telegram until a signal comes.

    Raises:
        TokenMissing, TokenRefused: Telegram does not let the bot in.
    """
    settings, token = house.settings, _token(house.settings, "telegram")
    with _installed("telegram"):
        from bots.telegram.serving import serve  # noqa: PLC0415 - only this process needs the library
    await serve(
        services=house.services,
        blobs=house.blobs,
        token=token,
        api_url=settings.telegram_api_url,
        webhook_url=settings.telegram_webhook_url,
        webhook_port=settings.telegram_webhook_port,
        secret=derived(settings, "telegram webhook"),
        stop=_stopping(),
    )
    return 0


async def described(settings: Settings) -> int:
    """Print the document of the API; that takes no database."""
    with _installed("web"):
        from web import documents  # noqa: PLC0415 - only this and the server need its libraries
    print(json.dumps(documents.described(settings.address), ensure_ascii=False, indent=2))  # noqa: T201 - for a pipe
    return 0


async def web(house: House) -> int:
    """Serve the pages until a signal comes.

    Raises:
        PortTaken: Somebody else listens there.
    """
    with _installed("web"):
        from web.app import serve  # noqa: PLC0415 - only this process needs the library
        from web.logins import Logins  # noqa: PLC0415 - as above
        from web.posting import posting  # noqa: PLC0415 - as above
        from worker.adapters.posting import HttpPoster, is_near  # noqa: PLC0415 - as above
    settings, stop = house.settings, _stopping()
    token = settings.metrics_token
    poster = HttpPoster(allowed=is_near if settings.webhook_allow_local else is_public)
    posts = asyncio.create_task(posting(house.services.webhooks, poster, stop=stop))
    try:
        await serve(
            services=house.services,
            blobs=house.blobs,
            host=settings.web_host,
            port=settings.web_port,
            metrics_token=token.get_secret_value() if token else None,
            logins=Logins.of(settings),
            stop=stop,
        )
    finally:
        stop.set()
        await asyncio.wait([posts])  # before the house is closed under it
    return 0


async def login(house: House, *, name: str) -> int:
    """Print a link by which the console user of this name signs in to the pages.

    Raises:
        ConsoleNotTrusted, BadValue: Nobody can be that user here.
    """
    Console(highlight=False).print(await _invitation(house, name), markup=False, soft_wrap=True)
    return 0


async def up(settings: Settings, *, workers: int, name: str) -> int:
    """Run database, workers, the pages and every bot that has a token, until a signal comes.

    Over the embedded database, which is this machine's, its console user of this name gets a link to sign in with.
    """
    stop, out = _stopping(), Console(highlight=False)
    bots = [name for name, token in settings.tokens.items() if token]
    commands = {"web": "web"} | {name: name for name in bots}
    programs = [_program(name, command) for name, command in commands.items()]
    programs += [_program(f"worker-{number + 1}", "worker", **_metrics(settings, number)) for number in range(workers)]
    colours = {program.name: COLOURS[number % len(COLOURS)] for number, program in enumerate(programs)}

    def say(name: str, line: str) -> None:
        out.print(Text.assemble((f"{name} │ ", colours[name]), line), soft_wrap=True)

    async with opened(settings) as house:
        where = f"embedded, in {settings.data_folder / 'database'}" if settings.embedded else "MONGODB_URI"
        out.print(f"database │ {where}", markup=False)
        out.print(f"workers  │ {workers}")
        out.print(f"pages    │ {settings.address}", markup=False)
        out.print(f"bots     │ {', '.join(bots) or 'none: README says how to get one in ten minutes'}")
        if settings.embedded:
            link = await _invitation(house, name)
            out.print(f"sign in  │ {link} (once, 10 minutes; another: loraguild login)", markup=False, soft_wrap=True)
        out.print("next     │ in another terminal: loraguild chat. Ctrl-C here stops everything.")
        async with supervised(programs, say=say):
            await stop.wait()
            out.print("stopping │ running work is handed over …")
    return 0


async def _invitation(house: House, name: str) -> str:
    """A link for the console user of this name; it is audited."""
    speaker = await seated(house.settings, services=house.services, blobs=house.blobs, name=name)
    return (await house.services.sessions.invite(speaker.actor)).link


def _program(name: str, command: str, **environment: str) -> Program:
    arguments = (sys.executable, "-m", "loraguild", command)
    return Program(name=name, command=arguments, environment=os.environ | environment)


def _metrics(settings: Settings, number: int) -> dict[str, str]:
    """Where one of several workers serves its metrics."""
    return {"METRICS_PORT": str(settings.metrics_port + number)} if settings.metrics_port else {}


@contextmanager
def _installed(extra: str) -> Iterator[None]:
    """Say which extra an import needs that does not succeed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ExtraMissing(extra=extra) from error


def _token(settings: Settings, bot: str) -> str:
    token = settings.tokens[bot]
    if token is None:
        raise TokenMissing(setting=f"{bot.upper()}_TOKEN")
    return token


def _stopping() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _described(settings: Settings, *, kinds: tuple[str, ...], labels: str) -> Worker:
    device, memory = await _device()
    gpu, now = gpu_class(device), SystemClock().now()
    found = (*settings.worker_labels, *(("gpu", gpu) if gpu else ()))
    return Worker(
        id=RandomIds().new(),
        host=socket.gethostname(),
        pid=os.getpid(),
        version=_version(),
        device=device or "cpu",
        gpu=gpu,
        memory=memory,
        kinds=kinds,
        labels=tuple(dict.fromkeys(_listed(labels) or found)),
        started_at=now,
        seen_at=now,
    )


def _version() -> str:
    try:
        return version("loraguild")
    except PackageNotFoundError:  # run from its folder
        return ""


async def _device() -> tuple[str, int]:
    """The name of the GPU that torch computes on, and its memory in MB; nothing where it has none."""
    if not gpu_present():
        return "", 0
    try:
        torch = await torch_found()
    except TorchBroken as error:
        log.warning("torch.broken", why=str(error), advice="see `loraguild doctor`")
        return "", 0
    return (torch.device, torch.memory) if torch else ("", 0)


def _kinds(text: str) -> tuple[str, ...]:
    known, wanted = tuple(discovered()), _listed(text)
    for kind in wanted:
        if kind not in known:
            raise BadValue(what="kind of job", value=kind, why=f"there are {', '.join(known)}")
    return wanted or known


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
