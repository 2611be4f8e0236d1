"""Earnings: what others' pictures have earned the owner of a model, and why."""

from datetime import date
from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, MonthOf
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import number
from core.domain.account import Role
from core.domain.royalty import HUNDREDTHS, Rule, Usage, shown
from core.services.earnings import Line, Month, Use

NOTHING = {
    Rule.OWN: "your own picture",
    Rule.RELATED: "from an account that counts as your own",
    Rule.OFF: "this offering shares none of its price",
    Rule.COPY: "the same file as another model of the picture",
    Rule.NOT_PURCHASED: "paid with free points or granted qoints",
}


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
    return f"{use.usage.at:%d %b %H:%M} · {use.model}: {share}, {_why(use.usage)}"


def _why(usage: Usage) -> str:
    """Why a use earned what it did, in words that do not name who paid."""
    if usage.rule in NOTHING:
        return NOTHING[usage.rule]
    if not usage.paid:
        return "the picture was paid back"
    whole = usage.paid * usage.terms.percent
    said = f"{usage.terms.percent} % of {number(usage.paid, 'qoint')}"
    if usage.rule is Rule.CAPPED:
        return f"less than {said}: daily cap reached"
    if usage.share < whole:
        said += f", {_part(usage.share, whole)} of it for this model"
    return f"{said}, the rest was paid back" if usage.clawed else said


def _part(share: int, whole: int) -> str:
    return "half" if share * 2 == whole else f"{share * HUNDREDTHS // whole} %"
