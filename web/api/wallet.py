"""The wallet: what you have, everything that changed it, what each job has cost, and codes."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from core.domain.dispute import LENGTH, Dispute, DisputeState
from core.domain.errors import BadValue, DisputeClosed, NotFound, TooOften, VoucherGone
from core.domain.ledger import Act, Balance, Transaction, points, qoints
from core.domain.token import Scope
from core.domain.wording import ACTS
from core.services.wallets import Receipt
from web.api.route import Body, Listed, Out, Paging, route
from web.months import month_of
from web.visiting import Asked

CODE_LENGTH = 200


class BalanceOut(Out):
    """What somebody holds. Points are spent first, then granted, then purchased qoints."""

    points: int
    granted: int
    purchased: int
    total: int


class WalletOut(Out):
    """What there is to spend, what is set aside for jobs, what models have earned, and how far points refill daily."""

    balance: BalanceOut
    on_hold: int
    earned: int
    daily_points: int


class EntryOut(Out):
    """One transaction: by how much it changed points and qoints, and why."""

    id: str
    act: Act
    title: str
    why: str
    job: str | None
    points: int
    qoints: int
    at: datetime


class StatementOut(Out):
    """A month: what was there, every transaction that changed it, and what was left."""

    month: str
    opening: BalanceOut
    closing: BalanceOut
    entries: tuple[EntryOut, ...]


class ReceiptLineOut(Out):
    """One step of a receipt: so much was held, captured, returned or paid back."""

    act: Act
    title: str
    why: str
    amount: int
    at: datetime


class DisputeOut(Out):
    """A complaint about what a job has cost, and the answer."""

    job: str
    title: str
    why: str
    state: DisputeState
    answer: str
    opened_at: datetime
    closed_at: datetime | None


class ReceiptOut(Out):
    """Everything that was moved for one job; `disputable` says that you may ask for it back."""

    job: str
    title: str
    state: str
    held: int
    captured: int
    returned: int
    refunded: int
    lines: tuple[ReceiptLineOut, ...]
    dispute: DisputeOut | None
    disputable: bool


class CodeIn(Body):
    """A voucher's code; blanks, dashes and case do not matter."""

    code: Annotated[str, Field(min_length=1, max_length=CODE_LENGTH)]


class ComplaintIn(Body):
    """What was wrong."""

    why: Annotated[str, Field(min_length=1, max_length=LENGTH)]


@route("GET", "/wallet")
async def view(asked: Asked) -> WalletOut:
    """Show what you have."""
    mine = await asked.services.wallets.overview(asked.actor)
    cap = asked.services.accounts.cap
    return WalletOut(balance=balance_out(mine.balance), on_hold=mine.on_hold, earned=mine.earned, daily_points=cap)


@route("GET", "/wallet/entries", errors=(NotFound,))
async def entries(asked: Asked, query: Paging) -> Listed[EntryOut]:
    """List what changed your points and qoints, newest first."""
    found = await asked.services.wallets.statement(asked.actor, after=query.after, limit=query.limit + 1)
    shown = [entry_out(one, asked.actor.account) for one in found]
    return Listed[EntryOut].of(shown, limit=query.limit, name=lambda entry: entry.id)


@route("GET", "/wallet/months/{month}", errors=(BadValue,))
async def monthly(asked: Asked, month: str) -> StatementOut:
    """Show the statement of a month such as 2026-11, which adds up from what was there to what was left."""
    found = await asked.services.wallets.monthly(asked.actor, month_of(month))
    return StatementOut(
        month=f"{found.month:%Y-%m}",
        opening=balance_out(found.opening),
        closing=balance_out(found.closing),
        entries=tuple(entry_out(one, found.owner) for one in found.transactions),
    )


@route("POST", "/wallet/redeem", scope=Scope.SPEND, idempotent=True, errors=(VoucherGone, TooOften))
async def redeem(asked: Asked, body: CodeIn) -> EntryOut:
    """Turn a voucher's code into qoints, once."""
    return entry_out(await asked.services.wallets.redeem(asked.actor, body.code), asked.actor.account)


@route("GET", "/receipts", errors=(NotFound,))
async def receipts(asked: Asked, query: Paging) -> Listed[ReceiptOut]:
    """List the receipts of your jobs that have a price, newest first."""
    found = await asked.services.wallets.receipts(asked.actor, after=query.after, limit=query.limit + 1)
    return Listed[ReceiptOut].of([receipt_out(one) for one in found], limit=query.limit, name=lambda one: one.job)


@route("GET", "/receipts/{job}")
async def receipt(asked: Asked, job: str) -> ReceiptOut:
    """Show what was held, captured, returned and paid back for one job, and why."""
    return receipt_out(await asked.services.wallets.receipt(asked.actor, job))


@route("POST", "/receipts/{job}/dispute", errors=(BadValue, DisputeClosed))
async def dispute(asked: Asked, job: str, body: ComplaintIn) -> DisputeOut:
    """Ask the admins to pay back what a job has cost, within 30 days of its end; once more changes nothing."""
    return dispute_out(await asked.services.disputes.open(asked.actor, job, why=body.why))


def balance_out(balance: Balance) -> BalanceOut:
    """What somebody holds, by lot."""
    return BalanceOut(points=balance.free, granted=balance.granted, purchased=balance.purchased, total=balance.total)


def entry_out(one: Transaction, account: str) -> EntryOut:
    """A transaction as it changed somebody's wallet."""
    return EntryOut(
        id=one.id,
        act=one.act,
        title=ACTS[one.act],
        why=one.why,
        job=one.job,
        points=one.change(points(account)),
        qoints=one.change(qoints(account)),
        at=one.at,
    )


def line_out(one: Transaction) -> ReceiptLineOut:
    """A transaction as a step of a receipt."""
    return ReceiptLineOut(act=one.act, title=ACTS[one.act], why=one.why, amount=one.amount, at=one.at)


def dispute_out(found: Dispute) -> DisputeOut:
    """A dispute as its owner sees it: not which admin has answered."""
    shown = {name: getattr(found, name) for name in DisputeOut.model_fields if name != "job"}
    return DisputeOut(job=found.id, **shown)


def receipt_out(found: Receipt) -> ReceiptOut:
    """A receipt, added up."""
    return ReceiptOut(
        job=found.job,
        title=found.title,
        state=found.state,
        held=found.parts(Act.HOLD).total(),
        captured=found.parts(Act.CAPTURE).total(),
        returned=found.parts(Act.RELEASE).total(),
        refunded=found.parts(Act.REFUND).total(),
        lines=tuple(line_out(one) for one in found.transactions),
        dispute=dispute_out(found.dispute) if found.dispute else None,
        disputable=found.disputable,
    )
