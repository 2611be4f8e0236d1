"""Moderation: datasets for adults, one after the other, each shown blurred, to approve or to reject."""

from collections.abc import Sequence
from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, Given, Integer, Listed, Row, Text
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import number
from core.domain.account import Role
from core.domain.action import Style, Then
from core.domain.dataset import Dataset


class UnreviewedRef(Listed[Dataset]):
    """A dataset that waits for a moderator; any by id."""

    noun = "dataset"
    hint = "See `admin moderate`."

    async def identified(self, call: Call, value: str) -> Dataset | None:
        """The dataset of this id."""
        return (await call.services.datasets.view(call.actor, value)).dataset

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Dataset]]:
        """Those that wait, the longest first."""
        waiting = await call.services.moderation.waiting(call.actor)
        return [
            Row(value=one.dataset.id, label=f"{one.owner}/{one.dataset.name}", thing=one.dataset) for one in waiting
        ]


Ref = Annotated[Dataset, UnreviewedRef("Which dataset")]
Seen = Annotated[int, Integer("How many pictures it had when you looked")]


@command("admin moderate", role=Role.MODERATOR)
async def moderate(call: Call) -> Reply:
    """The datasets for adults that wait for a moderator, and a blurred look at the first."""
    waiting = await call.services.moderation.waiting(call.actor)
    if not waiting:
        return Reply(title="Nothing waits for a moderator")
    first, owner = waiting[0].dataset, waiting[0].owner
    seen = {"dataset": first.id, "seen": str(first.count)}
    rows = tuple((one.dataset.name, one.owner, number(one.dataset.count, "picture")) for one in waiting)
    return Reply(
        title=f"«{first.name}» of {owner}: {number(first.count, 'picture')}",
        lines=("The look is blurred; the pictures themselves are in `dataset view`.",),
        fields=(("id", first.id), ("trigger", first.trigger)),
        table=Table(header=("waiting", "whose", "size"), rows=rows) if len(rows) > 1 else None,
        pictures=first.previews,  # nothing can be recognised on them: a moderator may look anywhere
        buttons=(
            Button(
                label="Approve",
                command="admin moderate-approve",
                arguments=seen,
                style=Style.GO,
                then=Then.REPLACE,
            ),
            Button(label="Reject", command="admin moderate-reject", arguments=seen, style=Style.DANGER),
        ),
    )


@command("admin moderate-approve", role=Role.MODERATOR, menu=False)
async def approve(call: Call, dataset: Ref, seen: Seen) -> Reply:
    """Let a dataset be trained on."""
    done = await call.services.moderation.approve(call.actor, dataset.id, seen=seen, key=call.key)
    return _done(f"«{done.name}» is approved")


@command("admin moderate-reject", role=Role.MODERATOR, menu=False)
async def reject(
    call: Call, dataset: Ref, seen: Seen, why: Annotated[str, Text("Why: its owner reads this", rest=True)]
) -> Reply:
    """Keep a dataset from being trained on."""
    done = await call.services.moderation.reject(call.actor, dataset.id, why=why, seen=seen, key=call.key)
    return _done(f"«{done.name}» is rejected")


def _done(title: str) -> Reply:
    return Reply(title=title, buttons=(Button(label="Next", command="admin moderate", then=Then.REPLACE),))
