"""Admin commands about costs: what devices were busy with, and what is left of it to the house."""

from bots.chat.definition import command
from bots.chat.parameter import Call
from bots.chat.reply import Reply, Table
from core.domain.account import Role
from core.domain.cost import HOUR


@command("admin costs", role=Role.ADMIN, menu=False)
async def costs(call: Call) -> Reply:
    """What jobs took of devices in the last 30 days, and what is left of their price."""
    rows = tuple(
        (
            f"{total.kind}, {total.offering}" if total.offering else total.kind,
            f"{total.jobs}",
            f"{total.seconds / HOUR:.1f}",
            f"{total.price}",
            f"{total.paid / 100:.2f}",
            f"{total.margin / 100:.2f}",
        )
        for total in await call.services.costs.lately(call.actor)
    )
    if not rows:
        return Reply(title="No job has ended in the last 30 days")
    header = ("what", "jobs", "device hours", "points paid", "their cost", "margin")
    return Reply(title="The last 30 days", table=Table(header=header, rows=rows))
