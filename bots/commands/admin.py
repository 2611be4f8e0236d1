"""Admin commands: grants, and who works."""

from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, Integer, Text
from bots.chat.references import UserRef
from bots.chat.reply import Reply, Table
from core.domain.account import Account, Role


@command("admin grant", role=Role.ADMIN)
async def grant(
    call: Call,
    user: Annotated[Account, UserRef("Who gets them")],
    amount: Annotated[int, Integer("How many qoints")],
    why: Annotated[str, Text("What for", rest=True)] = "a grant",
) -> Reply:
    """Give somebody qoints."""
    await call.services.wallets.grant(call.actor, to=user, amount=amount, why=why, key=call.key)
    return Reply(title=f"{amount} qoints granted to {user.name}", lines=(why,))


@command("admin workers", role=Role.ADMIN)
async def workers(call: Call) -> Reply:
    """The workers that are alive, and what they do."""
    alive = await call.services.jobs.workers()
    if not alive:
        return Reply(title="No live worker", lines=("Start one: `loraguild worker`.",))
    rows = tuple(
        (f"{one.host}:{one.pid} ({one.device})", ", ".join(one.kinds), ", ".join(one.jobs) or "idle") for one in alive
    )
    return Reply(title=f"{len(alive)} workers", table=Table(header=("worker", "takes", "works on"), rows=rows))
