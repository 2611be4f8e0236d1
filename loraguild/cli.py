"""The command line. Whatever is heavy is imported inside the command that needs it, so that `--help` comes at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loraguild.starting import FAILED, configured, finish, inside

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bots.console.saying import Answer
    from config.settings import Settings
    from loraguild.composition import House

app = typer.Typer(
    help="A community trains its own LoRA models together, from inside its chat.",
    epilog="New here? `loraguild demo` shows it all. Then `loraguild up` in one terminal, `loraguild chat` in another.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
db = typer.Typer(help="Look into the database, and prove the ledger.", no_args_is_help=True)
app.add_typer(db, name="db")

Name = Annotated[
    str | None,
    typer.Option("--as", "--user", metavar="NAME", help="Speak as the console user of this name (default: you)."),
]


@app.command()
def up(
    workers: Annotated[int, typer.Option(min=0, help="How many workers to run.")] = 1,
) -> None:
    """Run everything in one terminal: the database, workers, and every configured front end. Ctrl-C stops it all."""
    from loraguild.running import up as run  # noqa: PLC0415 - heavy

    finish(run(configured(), workers=workers, name=_me()))


@app.command()
def chat(name: Name = None) -> None:
    """Talk to the bot in this terminal: Tab completes, numbers press buttons, `help` lists what it understands."""
    from rich.console import Console  # noqa: PLC0415 - heavy

    from bots.console.chat import Chat  # noqa: PLC0415 - heavy
    from bots.console.speaking import seated  # noqa: PLC0415 - heavy

    settings = configured()

    async def work(house: House) -> int:
        speaker = await seated(settings, services=house.services, blobs=house.blobs, name=name or _me())
        await Chat(speaker, out=Console()).run()
        return 0

    finish(inside(settings, work))


@app.command()
def say(
    words: Annotated[list[str], typer.Argument(metavar="COMMAND", help='Such as "dataset new zorp trigger=zorp".')],
    name: Name = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as one JSON object.")] = False,  # noqa: FBT002 - how Typer declares a flag
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the job; print its final card.")] = False,  # noqa: FBT002 - as above
    file: Annotated[list[Path] | None, typer.Option(help="A file for the command; may be repeated.")] = None,
) -> None:
    """Give the bot one command and print its answer.

    The exit status is 0, or 2 where the command was wrong, or 1 where something failed: a job, the database, no worker.
    """
    import shlex  # noqa: PLC0415 - beside its only use

    from rich.console import Console  # noqa: PLC0415 - heavy

    from bots.console.saying import told  # noqa: PLC0415 - heavy

    line = words[0] if len(words) == 1 else shlex.join(words)
    settings, files = configured(), tuple(map(str, file or ()))
    screen = None if as_json else Console()

    async def work() -> int:
        answer = await _answered(settings, name or _me(), line, files=files, wait=wait, screen=screen)
        return told(answer, out=Console(), as_data=as_json)

    finish(work())


@app.command()
def worker(
    kinds: Annotated[str, typer.Option(help="Which jobs to take: training,generation,… (default: all).")] = "",
    labels: Annotated[str, typer.Option(help="What this machine has: gpu,… (default: what it finds).")] = "",
    concurrency: Annotated[int, typer.Option(min=1, help="How many jobs at a time.")] = 1,
    once: Annotated[bool, typer.Option("--once", help="Leave when no job is left.")] = False,  # noqa: FBT002 - how Typer declares a flag
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Where Prometheus reads its counters; 0: nowhere.")
    ] = None,
) -> None:
    """Take jobs from the queue and do them. Ctrl-C or SIGTERM hands running work over and leaves.

    After `admin drain` in a chat it ends what it does and leaves with status 0: whatever keeps it running then starts a
    new one, of the code that is installed by now.
    """
    from loraguild.running import worker as run  # noqa: PLC0415 - heavy

    def work(house: House) -> Awaitable[int]:
        return run(house, kinds=kinds, labels=labels, concurrency=concurrency, once=once, metrics_port=metrics_port)

    finish(inside(configured(), work))


@app.command()
def discord() -> None:
    """Answer on Discord until Ctrl-C or SIGTERM; needs DISCORD_TOKEN."""
    from loraguild.running import discord as run  # noqa: PLC0415 - heavy

    finish(inside(configured(), run))


@app.command()
def telegram() -> None:
    """Answer on Telegram until Ctrl-C or SIGTERM; needs TELEGRAM_TOKEN."""
    from loraguild.running import telegram as run  # noqa: PLC0415 - heavy

    finish(inside(configured(), run))


@app.command()
def web(
    openapi: Annotated[bool, typer.Option("--openapi", help="Print the API's document instead.")] = False,  # noqa: FBT002 - how Typer declares a flag
) -> None:
    """Serve the sandbox, the API, and the pages that chats link to, until Ctrl-C or SIGTERM."""
    from loraguild.running import described  # noqa: PLC0415 - heavy
    from loraguild.running import web as run  # noqa: PLC0415 - heavy

    settings = configured()
    finish(described(settings) if openapi else inside(settings, run))


@app.command()
def login(name: Name = None) -> None:
    """Print a link that signs you in to the pages: it works once, for 10 minutes."""
    from loraguild.running import login as run  # noqa: PLC0415 - heavy

    finish(inside(configured(), lambda house: run(house, name=name or _me())))


@db.command("init")
def init() -> None:
    """Make collections, indexes and migrations; changes nothing where they are there."""

    async def work(_: House) -> int:
        typer.echo("The database is ready.")
        return 0

    finish(inside(configured(), work))


@db.command()
def stats() -> None:
    """Count what is in the database: rows, bytes, jobs by state."""
    finish(_looked("stats"))


@db.command("verify-ledger")
def verify_ledger() -> None:
    """Replay all transactions, and prove every balance, hold, payout and royalty by them; fails where one differs."""
    finish(_looked("verify"))


@app.command()
def doctor() -> None:
    """Check everything a house needs, and say how to mend what is missing."""
    from rich.console import Console  # noqa: PLC0415 - heavy

    from loraguild.health import Health, checks  # noqa: PLC0415 - heavy

    settings = configured()

    async def work() -> int:
        found, out = await checks(settings), Console(highlight=False)
        colours = {Health.OK: "green", Health.WARN: "yellow", Health.FAIL: "red"}
        for check in found:
            out.print(f"[{colours[check.health]}]{check.health:<5}[/]{check.name:<16}", end="")
            out.out(check.seen + (f"\n{'':21}{check.remedy}" if check.remedy else ""), highlight=False)
        return FAILED if any(check.health is Health.FAIL for check in found) else 0

    finish(work())


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where data and results go.")] = Path("demo"),
) -> None:
    """Play a first training through a chat of three people, on real parts. Takes about a minute."""
    from loraguild.demo import play  # noqa: PLC0415 - heavy

    finish(play(folder))


@app.command()
def docs() -> None:
    """Print all chat commands as Markdown."""
    from bots.commands import discovered  # noqa: PLC0415 - heavy
    from loraguild.manual import markdown  # noqa: PLC0415 - heavy

    typer.echo(markdown(discovered().values()))


@app.command()
def version() -> None:
    """Print the version."""
    from importlib import metadata  # noqa: PLC0415 - heavy

    try:
        typer.echo(metadata.version("loraguild"))
    except metadata.PackageNotFoundError:
        typer.echo("not installed: run from its folder")


def main() -> None:
    """Run the command line."""
    app()


def _me() -> str:
    """The operating system's name of whoever is here; `me` for a user without one, or with one that none has here."""
    import getpass  # noqa: PLC0415 - beside its only use

    from bots.console.speaking import NAME  # noqa: PLC0415 - heavy

    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        return "me"
    return name if NAME.fullmatch(name) else "me"


async def _answered(
    settings: Settings, name: str, line: str, *, files: tuple[str, ...], wait: bool, screen: Any | None
) -> Answer:
    """The answer to one command; where the house does not even open, the words for that."""
    from bots.console.saying import Answer, answer  # noqa: PLC0415 - heavy
    from bots.console.speaking import failed, seated  # noqa: PLC0415 - heavy
    from loraguild.composition import opened  # noqa: PLC0415 - heavy

    try:
        async with opened(settings.require_console()) as house:
            speaker = await seated(settings, services=house.services, blobs=house.blobs, name=name)
            return await answer(speaker, line, files=files, wait=wait, screen=screen)
    except Exception as error:  # noqa: BLE001 - scripts get an answer whatever it is; the log has the rest
        return Answer(reply=failed(error))


async def _looked(what: str) -> int:
    from rich.console import Console  # noqa: PLC0415 - heavy

    from loraguild import database  # noqa: PLC0415 - heavy

    look = {"stats": database.stats, "verify": database.verify}[what]
    return await inside(configured(), lambda house: look(house.store, out=Console(highlight=False)))
