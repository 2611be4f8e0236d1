"""Wallets and receipts: what somebody has, and where it went."""

from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call
from bots.chat.references import JobRef
from bots.chat.reply import Reply, Table
from core.domain.account import Role
from core.domain.job import Job
from core.domain.ledger import Act, Transaction
from core.services.wallets import Receipt

WORDS = {
    Act.GRANT: "granted",
    Act.REFILL: "refilled",
    Act.HOLD: "held",
    Act.CAPTURE: "captured",
    Act.RELEASE: "returned",
    Act.REFUND: "paid back",
    Act.MERGE: "brought along",
}
SIGNS = {
    Act.GRANT: "+",
    Act.REFILL: "+",
    Act.HOLD: "−",
    Act.CAPTURE: "",
    Act.RELEASE: "+",
    Act.REFUND: "+",
    Act.MERGE: "+",
}


@command("wallet", role=Role.VIEWER)
async def wallet(call: Call) -> Reply:
    """Your points and qoints, and what was moved lately."""
    balance = await call.services.wallets.view(call.actor)
    statement = await call.services.wallets.statement(call.actor)
    rows = tuple(
        (f"{one.at:%d %b %H:%M}", f"{SIGNS[one.act]}{one.amount}", f"{WORDS[one.act]}: {one.why}") for one in statement
    )
    return Reply(
        title=f"{balance.total} to spend",
        fields=(
            ("points", f"{balance.free} (refill daily to {call.services.accounts.cap})"),
            ("qoints", f"{balance.qoints}"),
        ),
        table=Table(header=("when", "amount", "what"), rows=rows) if rows else None,
    )


@command("receipts", role=Role.VIEWER)
async def receipts(call: Call, job: Annotated[Job | None, JobRef("One job")] = None) -> Reply:
    """What was held, captured and returned for your jobs, and why."""
    if job:
        receipt = await call.services.wallets.receipt(call.actor, job.id)
        rows = tuple(_row(one) for one in receipt.transactions)
        title = f"Receipt: {receipt.title}, {receipt.state}"
        return Reply(title=title, table=Table(header=("when", "amount", "what"), rows=rows), fields=(("job", job.id),))
    found = await call.services.wallets.receipts(call.actor)
    if not found:
        return Reply(title="No receipts yet")
    rows = tuple((one.job, one.title, _summed(one)) for one in found)
    return Reply(title="Receipts", table=Table(header=("job", "what", "money"), rows=rows))


def _row(one: Transaction) -> tuple[str, str, str]:
    return f"{one.at:%d %b %H:%M}", str(one.amount), f"{WORDS[one.act]}: {one.why}"


def _summed(receipt: Receipt) -> str:
    return ", ".join(f"{WORDS[one.act]} {one.amount}" for one in receipt.transactions)
