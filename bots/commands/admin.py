"""Admin commands about money and people: grants, codes, refunds, disputes, who did what, and news for everyone."""

from enum import StrEnum
from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, Integer, OneOf, Text
from bots.chat.references import DisputedJobRef, UserRef
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import number
from core.domain.account import Account, Role
from core.domain.action import Style, Then
from core.domain.job import Job
from core.domain.voucher import DAYS
from core.services.operations import Deed

SHOWN = 60  # characters of a detail

Disputed = Annotated[Job, DisputedJobRef("What was paid for")]
Said = Annotated[str, Text("What to say to everyone", rest=True)]


class Kind(StrEnum):
    """Whether money was paid for a code."""

    SOLD = "sold"
    GIFT = "gift"


@command("admin grant", role=Role.ADMIN)
async def grant(
    call: Call,
    user: Annotated[Account, UserRef("Who gets them")],
    amount: Annotated[int, Integer("How many qoints")],
    why: Annotated[str, Text("What for", rest=True)] = "a grant",
) -> Reply:
    """Give somebody qoints."""
    await call.services.wallets.grant(call.actor, to=user, amount=amount, why=why, key=call.key)
    return Reply(title=f"{number(amount, 'qoint')} granted to {user.name}", lines=(why,))


@command("admin refund", role=Role.ADMIN)
async def refund(
    call: Call,
    job: Disputed,
    amount: Annotated[int | None, Integer("How much of it; all if you say nothing")] = None,
    why: Annotated[str, Text("What for", rest=True)] = "a refund",
) -> Reply:
    """Pay back what a job has cost, or a part of it."""
    back = await call.services.wallets.refund(call.actor, job.id, amount=amount, why=why, key=call.key)
    return Reply(title=f"{back.amount} paid back for {job.title}", lines=(back.why,))


@command("admin code", role=Role.ADMIN)
async def code(
    call: Call,
    amount: Annotated[int, Integer("How many qoints each is worth")],
    count: Annotated[int, Integer("How many codes")] = 1,
    days: Annotated[int, Integer("How many days they are good for")] = DAYS,
    kind: Annotated[Kind, OneOf("Sold for money, or given away: only what was sold earns royalties", Kind)] = Kind.SOLD,
) -> Reply:
    """Make codes that are worth qoints to whoever redeems them; they are shown this once."""
    sold = kind is Kind.SOLD
    made = await call.services.vouchers.issue(
        call.actor, amount=amount, count=count, days=days, sold=sold, key=call.key
    )
    return Reply(
        title=f"{number(count, 'code')} worth {number(amount, 'qoint')}{' each' if count > 1 else ''}",
        lines=(
            *(f"`{one}`" for one in made.codes),
            "Keep this: nobody is shown it again. A code is redeemed with `redeem CODE`.",
        ),
        fields=(("kind", kind.value), ("good until", f"{made.expires_at:%d %b %Y}")),
    )


@command("admin disputes", role=Role.ADMIN)
async def disputes(call: Call) -> Reply:
    """The jobs whose owners want their money back, and the first of them to answer."""
    waiting = await call.services.disputes.waiting(call.actor)
    if not waiting:
        return Reply(title="Nothing is disputed")
    first, job = waiting[0], {"job": waiting[0].dispute.id}
    rows = tuple((one.dispute.title, one.owner, one.dispute.why) for one in waiting[1:])
    return Reply(
        title=f"{first.owner} wants {first.paid} back for «{first.dispute.title}»",
        lines=(first.dispute.why,),
        fields=(("job", first.dispute.id), ("since", f"{first.dispute.opened_at:%d %b %H:%M}")),
        table=Table(header=("also", "whose", "why"), rows=rows) if rows else None,
        buttons=(
            Button(label="Look", command="train view", arguments=job),
            Button(
                label=f"Pay {first.paid} back",
                command="admin refund",
                arguments={**job, "amount": str(first.paid), "why": "a dispute"},
                style=Style.GO,
                then=Then.REPLACE,
            ),
            Button(label="Decline", command="admin decline", arguments=job, style=Style.DANGER),
        ),
    )


@command("admin decline", role=Role.ADMIN, menu=False)
async def decline(
    call: Call, job: Disputed, answer: Annotated[str, Text("Why not: its owner reads this", rest=True)]
) -> Reply:
    """Pay nothing back for a disputed job."""
    closed = await call.services.disputes.decline(call.actor, job.id, answer=answer)
    return Reply(title=f"Nothing is paid back for {closed.title}", lines=(closed.answer,))


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
