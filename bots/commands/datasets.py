"""Datasets: new, add, list, view, check, delete."""

from typing import Annotated

from bots.cards import card
from bots.cards.findings import remedies, summary
from bots.chat.definition import command
from bots.chat.parameter import Call, Files, Text
from bots.chat.references import DatasetRef
from bots.chat.reply import Button, Reply, Table
from core.domain.action import Style
from core.domain.dataset import Dataset
from core.ports.sources import Source

Ref = Annotated[Dataset, DatasetRef("Which dataset")]
CAPTION = 60


@command("dataset new")
async def new(
    call: Call,
    name: Annotated[str, Text("What to call it")],
    trigger: Annotated[str, Text("The word that will call the model: one that nobody says by chance")],
) -> Reply:
    """Open a dataset for pictures of one subject."""
    dataset = await call.services.datasets.create(call.actor, name=name, trigger=trigger)
    return Reply(
        title=f"Dataset «{dataset.name}» is open",
        lines=(f"Trigger word: {dataset.trigger}.", f"Now add pictures: `dataset add {_typed(dataset)} FILES…`."),
        fields=(("id", dataset.id),),
        buttons=(Button(label="Add pictures", command="dataset add", arguments={"dataset": dataset.id}),),
    )


@command("dataset add")
async def add(
    call: Call,
    dataset: Ref,
    files: Annotated[tuple[Source, ...], Files("Pictures, or a zip of pictures (with .txt captions beside them)")],
) -> Reply:
    """Add pictures to a dataset; the card says what became of each file."""
    job = await call.services.datasets.add(call.actor, dataset, files, place=call.told, key=call.key)
    return Reply(title=f"{len(files)} files received for «{dataset.name}»", job=job.id)


@command("dataset list")
async def list_(call: Call, text: Annotated[str, Text("Part of a name")] = "") -> Reply:
    """Your datasets."""
    found = await call.services.datasets.list(call.actor, text=text)
    if not found:
        return Reply(title="No datasets yet" if not text else "None", lines=("`dataset new NAME trigger=WORD`",))
    rows = tuple((one.name, f"{one.count} pictures", one.status.value) for one in found)
    return Reply(title="Your datasets", table=Table(header=("name", "size", "status"), rows=rows))


@command("dataset view")
async def view(call: Call, dataset: Ref) -> Reply:
    """A dataset with its pictures, captions and what the doctor said."""
    seen = await call.services.datasets.view(call.actor, dataset.id)
    rows = tuple(
        (str(item.position + 1), item.artifact.name, item.caption.text[:CAPTION] if item.caption else "–")
        for item in seen.items
    )
    return Reply(
        title=f"{dataset.name} · {dataset.status.value}",
        lines=summary(dataset),
        fields=(("trigger", dataset.trigger), ("id", dataset.id)),
        table=Table(header=("number", "picture", "caption"), rows=rows) if rows else None,
        buttons=remedies(dataset),
    )


@command("dataset check")
async def check(call: Call, dataset: Ref) -> Reply:
    """Let the doctor read every picture again before you pay."""
    job = await call.services.datasets.check(call.actor, dataset, place=call.told, key=call.key)
    return await card(call, job.id)


@command("dataset delete")
async def delete(call: Call, dataset: Ref) -> Reply:
    """Delete a dataset; what was ordered goes on from its snapshot."""
    return Reply(
        title=f"Delete «{dataset.name}» with its {dataset.count} pictures?",
        lines=("Trainings that were ordered go on, and models stay.",),
        buttons=(
            Button(label="Delete", command="dataset delete-now", arguments={"dataset": dataset.id}, style=Style.DANGER),
        ),
    )


@command("dataset delete-now", menu=False)
async def delete_now(call: Call, dataset: Ref) -> Reply:
    """Delete a dataset without asking again."""
    gone = await call.services.datasets.delete(call.actor, dataset)
    return Reply(title=f"«{gone.name}» is deleted")


def _typed(dataset: Dataset) -> str:
    return f'"{dataset.name}"' if " " in dataset.name else dataset.name
