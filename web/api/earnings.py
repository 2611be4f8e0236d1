"""Earnings: what others' pictures have earned you, and by which models."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from core.domain.errors import BadValue, NotEnoughEarned
from core.domain.royalty import Rule
from core.domain.token import Scope
from core.domain.wording import earned as worded
from core.services.earnings import Use
from web.api.route import Body, Out, route
from web.api.wallet import EntryOut, entry_out
from web.months import month_of
from web.visiting import Asked


class UseOut(Out):
    """One use of a model by somebody: `share` is what it earned, in hundredths of a qoint, and `why` so much."""

    model: str
    name: str
    rule: Rule
    why: str
    share: int
    clawed: int
    at: datetime


class EarningsOut(Out):
    """Qoints: `pending` ones wait, `payable` ones can be spent or paid out, `owed` ones are repaid first."""

    pending: int
    payable: int
    owed: int
    next_due: datetime | None
    latest: tuple[UseOut, ...]


class ModelMonthOut(Out):
    """What one model has earned in a month, in hundredths of a qoint."""

    model: str
    name: str
    uses: int
    people: int
    share: int
    clawed: int


class MonthOut(Out):
    """A month by model; those that earned most come first."""

    month: str
    models: tuple[ModelMonthOut, ...]


class AmountIn(Body):
    """How many qoints; all of them where nothing is said."""

    amount: Annotated[int | None, Field(gt=0, le=10**12)] = None


@route("GET", "/earnings")
async def view(asked: Asked) -> EarningsOut:
    """Show what you have earned, and by what lately."""
    found = await asked.services.earnings.view(asked.actor)
    sums = {name: getattr(found, name) for name in ("pending", "payable", "owed", "next_due")}
    return EarningsOut(**sums, latest=tuple(use_out(one) for one in found.latest))


@route("GET", "/earnings/months/{month}", errors=(BadValue,))
async def monthly(asked: Asked, month: str) -> MonthOut:
    """Show what each of your models has earned in a month such as 2026-11."""
    found = await asked.services.earnings.month(asked.actor, month_of(month))
    models = (ModelMonthOut(**line.model_dump()) for line in found.lines)
    return MonthOut(month=f"{found.start:%Y-%m}", models=tuple(models))


@route("POST", "/earnings/spend", scope=Scope.SPEND, idempotent=True, errors=(NotEnoughEarned,))
async def spend(asked: Asked, body: AmountIn) -> EntryOut:
    """Move what you have earned into your own wallet."""
    moved = await asked.services.payouts.spend(asked.actor, body.amount, key=asked.key)
    return entry_out(moved, asked.actor.account)


def use_out(one: Use) -> UseOut:
    """A use, without a word on who paid."""
    usage = one.usage
    return UseOut(
        model=usage.model,
        name=one.model,
        rule=usage.rule,
        why=worded(usage),
        share=usage.share,
        clawed=usage.clawed,
        at=usage.at,
    )
