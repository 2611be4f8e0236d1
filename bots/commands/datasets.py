"""Datasets: new, add, upload, list, view, check, delete."""

from collections.abc import Sequence
from typing import Annotated

from bots.cards import card
from bots.cards.findings import remedies, summary
from bots.chat.definition import command
from bots.chat.parameter import PAGE, Call, Files, Given, OneOf, Page, Raw, Text
from bots.chat.references import DatasetRef
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import number
from core.domain.account import Role
from core.domain.action import Style
from core.domain.dataset import Dataset, dataset_name
from core.domain.rating import Rating
from core.domain.trigger import guarded
from core.ports.sources import Source

Ref = Annotated[Dataset, DatasetRef("Which dataset")]
CAPTION = 60  # characters
SHOWN = 4  # pictures
MIB = 2**20
LASTING = "The link is yours alone. It waits an hour for the first file, then as long as files come, at most a day."


class Rated(OneOf[Rating]):
    """A rating; only what may be shown in this chat is offered, so that most are never asked."""

    async def choices(self, call: Call, text: str, given: Given, *, after: str = "", limit: int = PAGE) -> Page:
        """The ratings that have a place here."""
        page = await super().choices(call, text, given, after=after, limit=limit)
        return page.but(choices=tuple(one for one in page.choices if call.place.shows(Rating(one.value))))


class Name(Text):
    """What a dataset can be called."""

    async def parse(self, call: Call, raw: Raw, given: Given) -> str:
        """The name.

        Raises:
            BadValue: It cannot be one.
        """
        return dataset_name(await super().parse(call, raw, given))


class Trigger(Text):
    """A word that can call a model."""

    async def parse(self, call: Call, raw: Raw, given: Given) -> str:
        """The word.

        Raises:
            BadTrigger: It could not be told from ordinary words.
        """
        return guarded(await super().parse(call, raw, given))


@command("dataset new")
async def new(
    call: Call,
    name: Annotated[str, Name("What to call it")],
    trigger: Annotated[str, Trigger("The word that will call the model: one that nobody says by chance")],
    rating: Annotated[Rating | None, Rated("Who the pictures are for: everyone (sfw) or adults (nsfw)", Rating)] = None,
) -> Reply:
    """Open a dataset for pictures of one subject."""
    chosen = rating or (await call.services.communities.of(call.place)).rating
    call.place.require(chosen)
    dataset = await call.services.datasets.create(call.actor, name=name, trigger=trigger, rating=chosen)
    adults = ("It is for adults: a moderator looks at it before a training.",) if chosen is Rating.NSFW else ()
    return Reply(
        title=f"Dataset «{dataset.name}» is open",
        lines=(
            f"Trigger word: {dataset.trigger}.",
            f"Now add pictures: `dataset add {_typed(dataset)} FILES…`.",
            *adults,
        ),
        fields=(("id", dataset.id),),
        buttons=(
            Button(label="Add pictures", command="dataset add", arguments={"dataset": dataset.id}),
            Button(label="Upload in the browser", command="dataset upload", arguments={"dataset": dataset.id}),
        ),
    )


@command("dataset add")
async def add(
    call: Call,
    dataset: Ref,
    files: Annotated[tuple[Source, ...], Files("Pictures, or a zip of pictures (with .txt captions beside them)")],
) -> Reply:
    """Add pictures to a dataset; the card says what became of each file."""
    if large := [source for source in files if source.most and source.size and source.size > source.most]:
        return await _by_link(call, dataset, large, of=len(files))
    job = await call.services.datasets.add(call.actor, dataset, files, place=call.told, key=call.key)
    return Reply(title=f"{number(len(files), 'file')} received for «{dataset.name}»", job=job.id)


@command("dataset upload")
async def upload(call: Call, dataset: Ref) -> Reply:
    """A link to a page that takes files of any size."""
    link = await call.services.uploads.open(call.actor, dataset, place=call.told)
    return Reply(title=f"Upload into «{dataset.name}»", lines=(LASTING,), link=link)


@command("dataset list", role=Role.VIEWER)
async def list_(call: Call, text: Annotated[str, Text("Part of a name")] = "") -> Reply:
    """Your datasets."""
    found = await call.services.datasets.list(call.actor, text=text)
    if not found:
        return Reply(title="No datasets yet" if not text else "None", lines=("`dataset new NAME trigger=WORD`",))
    rows = tuple((one.name, number(one.count, "picture"), one.status.value) for one in found)
    return Reply(title="Your datasets", table=Table(header=("name", "size", "status"), rows=rows))


@command("dataset view", role=Role.VIEWER)
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
        pictures=tuple(item.artifact for item in seen.items[:SHOWN]),
        rating=dataset.rating,
        buttons=remedies(dataset) if dataset.owner == call.actor.account else (),
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
        title=f"Delete «{dataset.name}» with its {number(dataset.count, 'picture')}?",
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


async def _by_link(call: Call, dataset: Dataset, large: Sequence[Source], *, of: int) -> Reply:
    """Say which files a chat cannot carry, and how they come in all the same; nothing has been read."""
    names = (
        f"{one.name}: {(one.size or 0) / MIB:.1f} MB; a chat carries {(one.most or 0) / MIB:.0f}." for one in large
    )
    link = await call.services.uploads.open(call.actor, dataset, place=call.told)
    return Reply(
        title=f"{len(large)} of {of} files are too large for this chat, and none was taken",
        lines=(*names, "Send them all by this link instead.", LASTING),
        link=link,
    )


def _typed(dataset: Dataset) -> str:
    return f'"{dataset.name}"' if " " in dataset.name else dataset.name
