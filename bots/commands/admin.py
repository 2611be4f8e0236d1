"""Admin commands about people: grants, refunds, who did what, and news for everyone."""

from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, Integer, Text
from bots.chat.references import JobRef, UserRef
from bots.chat.reply import Button, Reply, Table
from core.domain.account import Account, Role
from core.domain.action import Style, Then
from core.domain.job import Job
from core.services.operations import Deed

SHOWN = 60  # characters of a detail

Said = Annotated[str, Text("What to say to everyone", rest=True)]


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


@command("admin refund", role=Role.ADMIN)
async def refund(
    call: Call,
    job: Annotated[Job, JobRef("What was paid for")],
    amount: Annotated[int | None, Integer("How much of it; all if you say nothing")] = None,
    why: Annotated[str, Text("What for", rest=True)] = "a refund",
) -> Reply:
    """Pay back what a job has cost, or a part of it."""
    back = await call.services.wallets.refund(call.actor, job.id, amount=amount, why=why, key=call.key)
    return Reply(title=f"{back.amount} paid back for {job.title}", lines=(back.why,))


@command("admin audit", role=Role.ADMIN)
async def audit(call: Call, user: Annotated[Account | None, UserRef("Whose acts")] = None) -> Reply:
    """What was done lately, by whom, to whom."""
    deeds = await call.services.operations.deeds(call.actor, by=user.id if user else None)
    rows = tuple((f"{deed.audit.at:%d %b %H:%M}", deed.by, _done(deed)) for deed in deeds)
    return Reply(title="Audit", table=Table(header=("when", "who", "what"), rows=rows) if rows else None)


@command("admin broadcast", role=Role.ADMIN)
async def broadcast(call: Call, text: Said) -> Reply:
    """Say something to everyone: shows it first, and waits for your Confirm."""
    news = await call.services.operations.news(call.actor, text)
    return Reply(
        title=f"Say this to {news.people} people?",
        lines=(news.text,),
        buttons=(
            Button(
                label="Confirm",
                command="admin broadcast-now",
                arguments={"text": news.text},
                style=Style.DANGER,
                then=Then.REPLACE,
            ),
        ),
    )


@command("admin broadcast-now", role=Role.ADMIN, menu=False)
async def broadcast_now(call: Call, text: Said) -> Reply:
    """Say something to everyone without asking again."""
    people = await call.services.operations.broadcast(call.actor, text, key=call.key)
    return Reply(title=f"{people} people are being told", lines=(text,))


def _done(deed: Deed) -> str:
    details = (f"{name}={value[:SHOWN]}" for name, value in deed.audit.details.items())
    return " ".join((deed.audit.act, deed.to, *details))
