"""Purges: pictures and datasets are deleted after a question, come back, or go for good."""

from collections.abc import Sequence
from typing import Annotated

from bots.cards.contents import sized
from bots.chat.definition import command
from bots.chat.parameter import MANY, Call, Given, Listed, Parameter, Raw, Row, Text
from bots.chat.references import ItemRef
from bots.chat.reply import Button, Reply
from bots.chat.wording import number
from bots.commands.datasets import Ref, Unasked, stored
from bots.commands.models import Tag
from core.domain.action import Style, Then
from core.domain.dataset import Dataset, Scope, Status, owned
from core.domain.errors import NotFound, NothingToDo
from core.domain.item import Item
from core.domain.purge import digest
from core.domain.trigger import folded

ALL = "all"
NAMES, SHOWN = 10, 4  # datasets or pictures in a line, pictures to look at
MODELS_STAY = "Trainings that were ordered go on, and models stay."


class Pictures(Parameter[tuple[Item, ...]]):
    """Pictures of the dataset that was named before, by number, file name or id, separated by blanks or commas."""

    rest = True

    async def parse(self, call: Call, raw: Raw, given: Given) -> tuple[Item, ...]:
        """The pictures, each once.

        Raises:
            NotFound: There is no such picture.
        """
        text = await Text("").parse(call, raw, given)
        rows = await ItemRef("").rows(call, "", given, after="", limit=MANY)
        known = {word: row.thing for row in rows for word in (row.thing.id, folded(row.label), row.value)}
        words = [text] if folded(text) in known else text.replace(",", " ").split()
        if missing := [word for word in words if folded(word) not in known]:
            raise NotFound(noun=ItemRef.noun, name=missing[0], hint=ItemRef.hint)
        return tuple({known[folded(word)].id: known[folded(word)] for word in words}.values())


class DeletedRef(Listed[Dataset]):
    """One of the actor's deleted datasets."""

    noun = "deleted dataset"
    hint = "See `dataset list scope=deleted`."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Dataset]]:
        """What lies in the bin, the latest deleted first; the moment tells apart those of one name."""
        found = await call.services.datasets.list(call.actor, scope=Scope.DELETED, limit=limit)
        return [Row(value=one.id, label=f"{one.name} · {one.deleted_at:%d %b %H:%M:%S}", thing=one) for one in found]


class PurgeRef(Listed[tuple[Dataset, ...]]):
    """One of the actor's deleted datasets, or all of them."""

    noun = DeletedRef.noun
    hint = "Only what is deleted can go for good: `dataset delete NAME`, then `dataset list scope=deleted`."

    async def rows(
        self, call: Call, text: str, given: Given, *, after: str, limit: int
    ) -> Sequence[Row[tuple[Dataset, ...]]]:
        """All together first."""
        found = await call.services.datasets.list(call.actor, scope=Scope.DELETED, limit=0)
        each = await DeletedRef("").rows(call, text, given, after=after, limit=limit)
        rows: list[Row[tuple[Dataset, ...]]] = [Row(value=ALL, label=ALL, thing=tuple(found))] if found else []
        return [*rows, *(Row(value=row.value, label=row.label, thing=(row.thing,)) for row in each)]


@command("dataset remove")
async def remove(
    call: Call, dataset: Ref, pictures: Annotated[tuple[Item, ...], Pictures("Which: their numbers or names")]
) -> Reply:
    """Take pictures out of a dataset for good; what was ordered goes on from its snapshot."""
    owned(dataset, call.actor, name=dataset.id)
    they = "It and its caption" if len(pictures) == 1 else "They and their captions"
    return Reply(
        title=f"Remove {number(len(pictures), 'picture')} from «{dataset.name}»?",
        lines=(_names([item.artifact.name for item in pictures]), f"{they} cannot be brought back."),
        pictures=tuple(item.artifact for item in pictures[:SHOWN]),
        rating=dataset.rating,
        buttons=(
            _confirming(
                "Remove", "dataset remove-now", dataset=dataset.id, pictures=" ".join(one.id for one in pictures)
            ),
        ),
    )


@command("dataset remove-now", menu=False)
async def remove_now(call: Call, dataset: Ref, pictures: Annotated[str, Text("Their ids", rest=True)]) -> Reply:
    """Take pictures out of a dataset without asking again."""
    left = await call.services.purges.remove(call.actor, dataset.id, pictures.split(), place=call.told, key=call.key)
    return Reply(
        title=f"«{left.name}»: {sized(left)} left", lines=("The doctor looks at the rest.",) if left.count else ()
    )


@command("dataset delete")
async def delete(call: Call, dataset: Ref) -> Reply:
    """Delete a dataset; what was ordered goes on from its snapshot."""
    owned(dataset, call.actor, name=dataset.id)
    return Reply(
        title=f"Delete «{dataset.name}»" + (f" with its {sized(dataset)}?" if dataset.count else "?"),
        lines=(MODELS_STAY, _until(call)),
        buttons=(_confirming("Delete", "dataset delete-now", dataset=dataset.id),),
    )


@command("dataset delete-now", menu=False)
async def delete_now(call: Call, dataset: Ref) -> Reply:
    """Delete a dataset without asking again."""
    gone = await call.services.datasets.delete(call.actor, dataset)
    return Reply(
        title=f"«{gone.name}» is deleted",
        lines=(_until(call),),
        buttons=(Button(label="Restore", command="dataset restore", arguments={"dataset": gone.id}),),
    )


@command("dataset delete-all", menu=False)
async def delete_all(
    call: Call,
    text: Annotated[str, Text("Part of their names")] = "",
    *,
    status: Annotated[Status | None, Unasked("Only those that are so far", Status)] = None,
    tag: Annotated[str | None, Tag("With which tag")] = None,
) -> Reply:
    """Delete all your datasets that fit; you see which before."""
    found = await call.services.purges.selected(call.actor, text=text, status=status, tag=tag)
    if not found:
        raise NothingToDo(why="You have no such dataset. See `dataset list`.")
    said = {"text": text, "status": status or "", "tag": tag or "", "seen": digest(found)}
    given = {name: word for name, word in said.items() if word}
    return Reply(
        title=f"Delete {number(len(found), 'dataset')}?",
        lines=(_names([f"«{one.name}» ({sized(one)})" for one in found]), MODELS_STAY, _until(call)),
        buttons=(_confirming("Delete them", "dataset delete-all-now", **given),),
    )


@command("dataset delete-all-now", menu=False)
async def delete_all_now(
    call: Call,
    seen: Annotated[str, Text("Which they were")],
    *,
    text: Annotated[str, Text("Part of their names")] = "",
    status: Annotated[Status | None, Unasked("Only those that are so far", Status)] = None,
    tag: Annotated[str | None, Tag("With which tag")] = None,
) -> Reply:
    """Delete all datasets that fit without asking again."""
    gone = await call.services.purges.delete_all(call.actor, seen=seen, text=text, status=status, tag=tag)
    return Reply(title=f"{number(len(gone), 'dataset')} deleted", lines=(_until(call),))


@command("dataset restore")
async def restore(call: Call, dataset: Annotated[Dataset, DeletedRef("Which deleted dataset")]) -> Reply:
    """Bring a deleted dataset back."""
    back = await call.services.purges.restore(call.actor, dataset.id)
    renamed = (f"Another one is called «{dataset.name}» by now.",) if back.name != dataset.name else ()
    return Reply(title=f"«{back.name}» is back", lines=(*renamed, f"It holds {sized(back)}: {back.status.value}."))


@command("dataset purge")
async def purge(call: Call, dataset: Annotated[tuple[Dataset, ...], PurgeRef("Which deleted one, or all")]) -> Reply:
    """Let a deleted dataset go for good, or all of them, which makes room for others."""
    one = dataset[0] if len(dataset) == 1 else None
    confirming = (
        _confirming("Purge", "dataset purge-now", dataset=one.id)
        if one
        else _confirming("Purge them", "dataset purge-all-now", seen=digest(dataset))
    )
    return Reply(
        title=f"Purge «{one.name}» for good?" if one else f"Purge {number(len(dataset), 'dataset')} for good?",
        lines=(
            _names([f"«{each.name}» ({sized(each)})" for each in dataset]),
            "Their files and captions cannot be brought back, and what was trained on them cannot be repeated.",
            MODELS_STAY,
        ),
        buttons=(confirming,),
    )


@command("dataset purge-now", menu=False)
async def purge_now(call: Call, dataset: Annotated[Dataset, DeletedRef("Which deleted dataset")]) -> Reply:
    """Let a deleted dataset go without asking again."""
    gone = await call.services.purges.purge(call.actor, dataset.id)
    return Reply(title=f"«{gone.name}» is gone for good", lines=(await stored(call),))


@command("dataset purge-all-now", menu=False)
async def purge_all_now(call: Call, seen: Annotated[str, Text("Which they were")]) -> Reply:
    """Let all deleted datasets go without asking again."""
    gone = await call.services.purges.purge_all(call.actor, seen=seen)
    return Reply(title=f"{number(len(gone), 'dataset')} gone for good", lines=(await stored(call),))


def _confirming(label: str, path: str, **arguments: str) -> Button:
    return Button(label=label, command=path, arguments=arguments, style=Style.DANGER, then=Then.REPLACE)


def _until(call: Call) -> str:
    days = number(call.services.purges.retention_days, "day")
    return f"You can have it back for {days}: `dataset restore NAME`."


def _names(names: Sequence[str]) -> str:
    """Some names in a line, and how many more there are."""
    return ", ".join(names[:NAMES]) + (f" and {len(names) - NAMES} more" if len(names) > NAMES else "")
