"""Wallets, receipts and codes: what somebody has, where it came from and where it went."""

from collections.abc import Mapping
from datetime import date
from textwrap import shorten
from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, Integer, MonthOf, Text
from bots.chat.references import JobRef
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import are, number
from core.domain.account import Role
from core.domain.action import Style, Then
from core.domain.errors import BadValue
from core.domain.job import Job
from core.domain.ledger import Balance, Lot, Transaction, points, qoints
from core.domain.wording import ACTS, LOTS
from core.services.wallets import OF_A_JOB, Receipt

ROWS = 25  # of a statement at a time
SHOWN = 80  # characters of a reason


@command("wallet", role=Role.VIEWER)
async def wallet(call: Call) -> Reply:
    """Your points and qoints, and what was moved lately."""
    mine = await call.services.wallets.overview(call.actor)
    fields = (
        ("points", f"{mine.balance.free} (refill daily to {call.services.accounts.cap})"),
        ("qoints", _qoints(mine.balance)),
        ("on hold", f"{mine.on_hold} for jobs that wait or run" if mine.on_hold else ""),
        ("earnings", f"{mine.earned}, see `earnings`" if mine.earned else ""),
    )
    changes = ((one, _change(one, call.actor.account)) for one in mine.latest)
    rows = tuple((_moment(one), change, _what(one)) for one, change in changes if change)
    return Reply(
        title=f"{mine.balance.total} to spend",
        fields=tuple((name, text) for name, text in fields if text),
        table=Table(header=("when", "amount", "what"), rows=rows) if rows else None,
    )


@command("statement", role=Role.VIEWER)
async def statement(
    call: Call,
    month: Annotated[date | None, MonthOf("A month such as 2026-11; this one if you say nothing")] = None,
    page: Annotated[int, Integer("Which page of a long one")] = 1,
) -> Reply:
    """Everything that changed your points and qoints in a month, from what was there to what was left."""
    found = await call.services.wallets.monthly(call.actor, month)
    pages = max(1, -(-len(found.transactions) // ROWS))
    if not 1 <= page <= pages:
        raise BadValue(what="page", value=str(page), why=f"this month has {number(pages, 'page')}")
    shown = found.transactions[(page - 1) * ROWS : page * ROWS]
    rows = tuple((_moment(one), _change(one, found.owner), _what(one)) for one in shown)
    left = len(found.transactions) - page * ROWS
    arguments = {"month": f"{found.month:%Y-%m}", "page": str(page + 1)}
    more = Button(label=f"{left} more", command="statement", arguments=arguments, then=Then.REPLACE)
    return Reply(
        title=f"Statement of {found.month:%B %Y}" + (f", page {page} of {pages}" if pages > 1 else ""),
        lines=() if rows else ("Nothing was moved.",),
        fields=(("at the start", _held(found.opening)), ("at the end", _held(found.closing))),
        table=Table(header=("when", "amount", "what"), rows=rows) if rows else None,
        buttons=(more,) if left > 0 else (),
    )


@command("receipts", role=Role.VIEWER)
async def receipts(call: Call, job: Annotated[Job | None, JobRef("One job")] = None) -> Reply:
    """What was held, captured and returned for your jobs, and why."""
    if job:
        return _receipt(await call.services.wallets.receipt(call.actor, job.id))
    found = await call.services.wallets.receipts(call.actor)
    if not found:
        return Reply(title="No receipts yet")
    rows = tuple((one.job, one.title, _summed(one)) for one in found)
    return Reply(title="Receipts", table=Table(header=("job", "what", "money"), rows=rows))


@command("dispute")
async def dispute(
    call: Call,
    job: Annotated[Job, JobRef("Which job")],
    why: Annotated[str, Text("What was wrong with it: the admins read this", rest=True)],
) -> Reply:
    """Ask the admins to pay back what a job has cost, within 30 days of its end."""
    opened = await call.services.disputes.open(call.actor, job.id, why=why)
    return Reply(title=f"The admins look at «{opened.title}»", lines=("You are told what they say.",))


@command("redeem")
async def redeem(
    call: Call, code: Annotated[str, Text("The code: blanks and dashes do not matter", rest=True)]
) -> Reply:
    """Turn a code into qoints."""
    paid = await call.services.wallets.redeem(call.actor, code)
    return Reply(
        title=f"{are(paid.amount, 'qoint')} yours",
        lines=(f"Redeemed on {paid.at:%d %b %Y at %H:%M}.",),
        buttons=(Button(label="My wallet", command="wallet"),),
    )


def _receipt(receipt: Receipt) -> Reply:
    complaint = receipt.dispute
    fields = (
        ("job", receipt.job),
        *((ACTS[act], _lots(receipt.parts(act))) for act in OF_A_JOB),
        ("dispute", f"{complaint.state}: {complaint.answer or complaint.why}" if complaint else ""),
    )
    button = Button(label="Dispute", command="dispute", arguments={"job": receipt.job}, style=Style.DANGER)
    return Reply(
        title=f"Receipt: {receipt.title}, {receipt.state}",
        fields=tuple((name, text) for name, text in fields if text),
        table=Table(
            header=("when", "amount", "what"),
            rows=tuple((_moment(one), str(one.amount), _what(one)) for one in receipt.transactions),
        ),
        buttons=(button,) if receipt.disputable else (),
    )


def _lots(parts: Mapping[Lot, int]) -> str:
    return " + ".join(f"{parts[lot]} {name}" for lot, name in LOTS.items() if parts[lot])


def _qoints(balance: Balance) -> str:
    return f"{balance.qoints} ({balance.granted} granted, {balance.purchased} purchased)" if balance.qoints else "0"


def _held(balance: Balance) -> str:
    return f"{number(balance.free, 'point')}, {number(balance.qoints, 'qoint')}"


def _moment(one: Transaction) -> str:
    return f"{one.at:%d %b %H:%M}"


def _what(one: Transaction) -> str:
    return f"{ACTS[one.act]}: {shorten(one.why, SHOWN, placeholder='…')}"


def _change(one: Transaction, account: str) -> str:
    changes = {"point": one.change(points(account)), "qoint": one.change(qoints(account))}
    return ", ".join(f"{_sign(change)}{number(abs(change), noun)}" for noun, change in changes.items() if change)


def _sign(change: int) -> str:
    return "+" if change > 0 else "−"


def _summed(receipt: Receipt) -> str:
    return ", ".join(f"{ACTS[one.act]} {one.amount}" for one in receipt.transactions)
