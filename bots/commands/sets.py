"""Caption sets: several families of captions for one dataset, of which one is in use."""

from collections.abc import Sequence
from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, Given, Listed, Raw, Row, Text
from bots.chat.references import DatasetRef
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import number
from core.domain.action import Style
from core.domain.caption import set_name
from core.domain.dataset import Dataset

Ref = Annotated[Dataset, DatasetRef("Which dataset")]


class SetRef(Listed[str]):
    """A caption set of the dataset that was named before."""

    noun = "caption set"
    hint = "See `caption set DATASET`."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[str]]:
        """The sets of the dataset, in the order in which they were opened."""
        dataset = await DatasetRef("").earlier(call, given, "dataset")
        return [Row(value=name, label=name, thing=name) for name in (dataset.sets if dataset else ())]


class CopiedRef(SetRef):
    """A set to copy; nobody is asked."""

    asked = False


class SetName(Text):
    """What a caption set can be called."""

    async def parse(self, call: Call, raw: Raw, given: Given) -> str:
        """The name.

        Raises:
            BadValue: It cannot be one.
        """
        return set_name(await super().parse(call, raw, given))


@command("caption set")
async def set_(
    call: Call,
    dataset: Ref,
    name: Annotated[str | None, SetName("Which to use, or what to call a new one: a-z, 0-9 and dashes")] = None,
    copy: Annotated[str | None, CopiedRef("The set whose captions a new one begins with")] = None,
) -> Reply:
    """Use a caption set, or open another one; without a name, see which there are."""
    captions = call.services.captions
    if name is None:
        return await _listed(call, dataset)
    if name not in dataset.sets:
        opened = await captions.open_set(call.actor, dataset, name=name, copied=copy)
        unused = f"«{opened.default_set}» is in use until you choose it."
        return Reply(
            title=f"Caption set «{name}» of «{opened.name}» is open", lines=(unused,), buttons=_choices(opened, name)
        )
    chosen = await captions.choose_set(call.actor, dataset, name)
    counted = chosen.statistics
    return Reply(
        title=f"«{chosen.name}» uses the caption set «{name}» now",
        lines=(f"{counted.captioned} of {number(counted.items, 'picture')} have a caption in it.",),
        buttons=(Button(label="All sets", command="caption set", arguments={"dataset": chosen.id}),),
    )


@command("caption drop", menu=False)
async def drop(call: Call, dataset: Ref, set: Annotated[str, SetRef("Which set")]) -> Reply:  # noqa: A002 - as the domain says
    """Delete a caption set that is not in use; opened again under its name, it is as it was."""
    dropped = await call.services.captions.drop_set(call.actor, dataset, set)
    again = {"dataset": dropped.id, "name": set}
    return Reply(
        title=f"Caption set «{set}» of «{dropped.name}» is deleted",
        buttons=(Button(label="Open it again", command="caption set", arguments=again),),
    )


async def _listed(call: Call, dataset: Dataset) -> Reply:
    items = (await call.services.datasets.view(call.actor, dataset.id)).items
    counts = {name: sum(item.caption(name) is not None for item in items) for name in dataset.sets}
    used = {dataset.default_set: "in use"}
    return Reply(
        title=f"Caption sets of «{dataset.name}»",
        lines=("Trainings, and everything that is written, use one of them.",),
        table=Table(
            header=("set", "captions", "state"),
            rows=tuple((name, number(count, "caption"), used.get(name, "–")) for name, count in counts.items()),
        ),
        buttons=tuple(button for name in counts if name not in used for button in _choices(dataset, name)),
    )


def _choices(dataset: Dataset, name: str) -> tuple[Button, Button]:
    use, drop = {"dataset": dataset.id, "name": name}, {"dataset": dataset.id, "set": name}
    return (
        Button(label=f"Use «{name}»", command="caption set", arguments=use, style=Style.GO),
        Button(label=f"Delete «{name}»", command="caption drop", arguments=drop, style=Style.DANGER),
    )
