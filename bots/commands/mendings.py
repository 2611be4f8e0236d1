"""Mendings: what the doctor found is mended at one tap."""

from typing import Annotated

from bots.cards import card
from bots.cards.findings import remedies, summary
from bots.chat.definition import command
from bots.chat.parameter import Call, OneOf
from bots.chat.reply import Button, Reply
from bots.chat.wording import number
from bots.commands.datasets import Ref
from core.domain.action import Style
from core.domain.dataset import Dataset
from core.domain.doctor import Fix
from core.domain.job import Job

Which = Annotated[Fix, OneOf("What to mend", Fix)]
SHOWN = 20  # names of pictures


@command("dataset mend", menu=False)
async def mend(call: Call, dataset: Ref, fix: Which) -> Reply:
    """Mend what the doctor found; what drops pictures is asked once more."""
    gone = await call.services.mendings.preview(call.actor, dataset, fix)
    if not gone:
        return await _mended(call, dataset, fix)
    names = (f"{item.position + 1} · {item.artifact.name}" for item in gone[:SHOWN])
    arguments = {"dataset": dataset.id, "fix": fix.value}
    more = (f"… and {len(gone) - SHOWN} more.",) if len(gone) > SHOWN else ()
    return Reply(
        title=f"Drop {number(len(gone), 'picture')} from «{dataset.name}»?",
        lines=(*names, *more, "The others stay. Trainings that were ordered go on."),
        pictures=(dataset.pairs,) if dataset.pairs and fix is Fix.DROP_NEAR else (),
        rating=dataset.rating,
        buttons=(Button(label="Drop them", command="dataset mend-now", arguments=arguments, style=Style.DANGER),),
    )


@command("dataset mend-now", menu=False)
async def mend_now(call: Call, dataset: Ref, fix: Which) -> Reply:
    """Mend without asking again."""
    return await _mended(call, dataset, fix)


async def _mended(call: Call, dataset: Dataset, fix: Fix) -> Reply:
    mended = await call.services.mendings.mend(call.actor, dataset, fix, place=call.told, key=call.key)
    if isinstance(mended, Job):
        return await card(call, mended.id)
    return Reply(title=f"«{mended.name}» is mended", lines=summary(mended), buttons=remedies(mended))
