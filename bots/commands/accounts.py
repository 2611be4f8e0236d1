"""First steps: start, help, me."""

from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, Text
from bots.chat.reply import Button, Reply, Table
from core.domain.action import Style


@command("start")
async def start(call: Call) -> Reply:
    """Welcome, and the first three things to do."""
    return Reply(
        title=f"Welcome to LoraGuild, {call.actor.name}",
        lines=(
            "Bundle pictures into a dataset, train a LoRA on them, and let your friends use it by its trigger word.",
            "A dataset starts with a name and the word that will call the model: `dataset new zorp trigger=zorp`.",
        ),
        buttons=(
            Button(label="My datasets", command="dataset list", style=Style.GO),
            Button(label="What can be trained", command="offerings"),
            Button(label="My wallet", command="wallet"),
        ),
    )


@command("help")
async def help_(call: Call, name: Annotated[str, Text("A command", rest=True)] = "") -> Reply:
    """All commands, or one in detail."""
    from bots.commands import discovered  # noqa: PLC0415 - the list of commands has this one in it

    known = [one for one in discovered().values() if one.menu and call.actor.role.covers(one.role)]
    wanted = [one for one in known if one.path.startswith(name)]
    if len(wanted) == 1 or any(one.path == name for one in wanted):
        one = next((one for one in wanted if one.path == name), wanted[0])
        fields = tuple((parameter, kind.help) for parameter, kind in one.parameters.items())
        return Reply(title=one.usage, lines=tuple(line for line in (one.help, one.details) if line), fields=fields)
    rows = tuple((one.usage, one.help) for one in sorted(wanted or known, key=lambda one: one.path))
    return Reply(title="Commands", table=Table(header=("command", "what it does"), rows=rows))


@command("me")
async def me(call: Call) -> Reply:
    """Who you are here, and what you have."""
    wallet = await call.services.wallets.view(call.actor)
    datasets = await call.services.datasets.list(call.actor)
    models = [model for model in await call.services.models.list(call.actor) if model.owner == call.actor.account]
    return Reply(
        title=call.actor.name,
        fields=(
            ("role", call.actor.role.value),
            ("account", call.actor.account),
            ("points", str(wallet.free)),
            ("qoints", str(wallet.qoints)),
            ("datasets", str(len(datasets))),
            ("models", str(len(models))),
        ),
    )
