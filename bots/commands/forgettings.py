"""Forgetting: leaving for good, after two questions."""

from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, Integer
from bots.chat.reply import Button, Reply
from bots.chat.wording import number
from core.domain.account import Role
from core.domain.action import Style, Then
from core.services.forgettings import Farewell


@command("forget me", role=Role.VIEWER)
async def me(call: Call) -> Reply:
    """Have everything of yours erased for good: says what that means, and asks twice."""
    await call.services.forgettings.farewell(call.actor)
    return Reply(
        title=f"Shall everything of {call.actor.name} be forgotten?",
        lines=(
            "Your logins, datasets, characters, models and pictures are erased, here and in every linked chat.",
            "The books keep what was paid, without your name. Whoever logs in as you afterwards begins anew.",
        ),
        buttons=(_button("Go on", "forget me-sure"),),
    )


@command("forget me-sure", role=Role.VIEWER, menu=False)
async def me_sure(call: Call) -> Reply:
    """What would go, and the last question."""
    left = await call.services.forgettings.farewell(call.actor)
    label = f"Erase, and give up {number(left.earned, 'qoint')} earned" if left.earned else "Erase everything"
    return Reply(
        title="This cannot be undone",
        lines=tuple(_going(left)),
        buttons=(_button(label, "forget me-now", giving_up=str(left.earned)),),
    )


@command("forget me-now", role=Role.VIEWER, menu=False)
async def me_now(call: Call, giving_up: Annotated[int, Integer("What you have earned and give up")]) -> Reply:
    """Be forgotten without asking again."""
    await call.services.forgettings.forget(call.actor, giving_up=giving_up)
    return Reply(title="You are forgotten", lines=("Files are gone from the disks within two days. Farewell.",))


def _going(left: Farewell) -> list[str]:
    """What goes, in words."""
    counts = (
        (left.datasets, "dataset"),
        (left.characters, "character"),
        (left.models, "model"),
        (left.generations, "generation"),
    )
    things = ", ".join(number(count, what) for count, what in counts)
    lines = [f"Erased: {things}, with all pictures and captions."]
    lines += [f"{number(left.queued, 'waiting job')}: cancelled."] if left.queued else []
    lines += [f"{left.balance} in your wallet: lost."] if left.balance else []
    lines += [f"{number(left.earned, 'qoint')} that you have earned: given up."] if left.earned else []
    return lines


def _button(label: str, path: str, **arguments: str) -> Button:
    return Button(label=label, command=path, arguments=arguments, style=Style.DANGER, then=Then.REPLACE)
