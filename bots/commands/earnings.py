"""Earnings: what others' pictures have earned the owner of a model, and why."""

from datetime import date
from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, MonthOf
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import number
from core.domain import wording
from core.domain.account import Role
from core.domain.royalty import shown
from core.services.earnings import Line, Month, Use

WAYS = (
    Button(label="Into my wallet", command="payout spend"),
    Button(label="Pay out", command="payout request"),
)


@command("earnings", role=Role.VIEWER)
async def earnings(call: Call, month: Annotated[date | None, MonthOf("Which month, such as 2026-11")] = None) -> Reply:
    """What others' pictures have earned you: to use now, later, and by which model."""
    earned = await call.services.earnings.view(call.actor)
    stated = await call.services.earnings.month(call.actor, month)
    waiting = number(earned.pending, "qoint") + (f", from {earned.next_due:%d %b} on" if earned.next_due else "")
    owed = (("owed", f"{number(earned.owed, 'qoint')}, repaid by what you earn next"),) if earned.owed else ()
    return Reply(
        title=f"{number(earned.payable, 'qoint')} earned to use",
        fields=(("pending", waiting), *owed, (f"{stated.start:%B %Y}", _summed(stated))),
        table=Table(header=("model", "used", "earned"), rows=tuple(map(_row, stated.lines))) if stated.lines else None,
        lines=() if month else tuple(map(_told, earned.latest)),
        buttons=WAYS if earned.payable else (),
    )


def _summed(month: Month) -> str:
    uses = number(sum(line.uses for line in month.lines), "order")
    return f"{shown(sum(line.share for line in month.lines))} earned by {uses} of others"


def _row(line: Line) -> tuple[str, str, str]:
    people = "1 person" if line.people == 1 else f"{line.people} people"
    taken = f" ({shown(line.clawed)} paid back)" if line.clawed else ""
    return line.name, f"{line.uses} × by {people}", f"{shown(line.share)}{taken}"


def _told(use: Use) -> str:
    share = shown(use.usage.share) if use.usage.share else "nothing"
    return f"{use.usage.at:%d %b %H:%M} · {use.model}: {share}, {wording.earned(use.usage)}"
