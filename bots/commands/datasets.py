"""Datasets: new, list, view, edit, check."""

from collections.abc import Sequence
from typing import Annotated

from bots.cards import card
from bots.cards.contents import begun, contents, facts, lineage, reviewed, samples, sized, typed
from bots.cards.findings import remedies, shown, summary, training
from bots.chat.definition import command
from bots.chat.parameter import PAGE, Call, Given, Listed, OneOf, Page, Parameter, Raw, Row, T, Text
from bots.chat.references import DatasetRef, SharedDatasetRef
from bots.chat.reply import Button, Reply, Table
from bots.commands.models import PageNumber, Tag
from bots.commands.publications import NONE, Description, Tags
from core.domain.account import Role
from core.domain.action import Style, Then
from core.domain.caption import constrained
from core.domain.dataset import Dataset, Kind, Scope, Status, dataset_name, owned
from core.domain.doctor import trained
from core.domain.quota import MB
from core.domain.rating import Rating
from core.domain.trigger import folded, guarded

Ref = Annotated[Dataset, DatasetRef("Which dataset")]
Shared = Annotated[Dataset, SharedDatasetRef("Which dataset")]
SHOWN = 4  # pictures
TITLES = {
    Scope.MINE: "Your datasets",
    Scope.SHARED: "Shared with you",
    Scope.PUBLIC: "For everyone",
    Scope.DELETED: "Deleted datasets",
}
BIN = "Bring one back: `dataset restore NAME`. Let one go for good: `dataset purge NAME`."
CONTENTS = {Kind.IMAGES: ("number", "picture", "caption"), Kind.CONVERSATIONS: ("number", "part", "size")}
ADULTS = "It is for adults: a moderator looks at it before a training."


class Rated(OneOf[Rating]):
    """A rating; only what may be shown in this chat is offered, so that most are never asked."""

    async def choices(self, call: Call, text: str, given: Given, *, after: str = "", limit: int = PAGE) -> Page:
        """The ratings that have a place here."""
        page = await super().choices(call, text, given, after=after, limit=limit)
        return page.but(choices=tuple(one for one in page.choices if call.place.shows(Rating(one.value))))


class Unasked(OneOf[T]):
    """One value of an enumeration; nobody is asked."""

    asked = False


class Name(Text):
    """What a dataset can be called."""

    async def parse(self, call: Call, raw: Raw, given: Given) -> str:
        """The name.

        Raises:
            BadValue: It cannot be one.
        """
        return dataset_name(await super().parse(call, raw, given))


class Trigger(Listed[str]):
    """A word that can call a model; those of the actor's characters are offered."""

    noun = "character"
    hint = "Type any word that nobody says by chance."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[str]]:
        """The trigger words of the actor's characters, by name."""
        known = await call.services.characters.known(call.actor)
        return [
            Row(value=one.trigger, label=f"{one.name} ({one.trigger})", thing=one.trigger)
            for one in known
            if one.active
        ]

    async def parse(self, call: Call, raw: Raw, given: Given) -> str:
        """The word, of a character or any other.

        Raises:
            BadTrigger: It could not be told from ordinary words.
        """
        return guarded(await Text("").parse(call, raw, given))


class Constraints(Parameter[tuple[str, ...]]):
    """What every caption shall say, separated by commas."""

    async def parse(self, call: Call, raw: Raw, given: Given) -> tuple[str, ...]:
        """The phrases; `none` is none.

        Raises:
            BadValue: One cannot be one, or there are too many.
        """
        text = await Text("").parse(call, raw, given)
        return () if folded(text) == NONE else constrained(text.split(","))


@command("dataset new")
async def new(
    call: Call,
    name: Annotated[str, Name("What to call it")],
    trigger: Annotated[str, Trigger("The word that will call the model: one that nobody says by chance")],
    rating: Annotated[Rating | None, Rated("Who it is for: everyone (sfw) or adults (nsfw)", Rating)] = None,
) -> Reply:
    """Open a dataset for pictures of one subject, or for conversations: the first files decide."""
    chosen = rating or (await call.services.communities.of(call.place)).rating
    call.place.require(chosen)
    dataset = await call.services.datasets.create(call.actor, name=name, trigger=trigger, rating=chosen)
    return Reply(
        title=f"Dataset «{dataset.name}» is open",
        lines=(
            f"Trigger word: {dataset.trigger}.",
            f"Now add files: `dataset add {typed(dataset)} FILES…`.",
            *((ADULTS,) if chosen is Rating.NSFW else ()),
        ),
        fields=(("id", dataset.id),),
        buttons=(
            Button(label="Add files", command="dataset add", arguments={"dataset": dataset.id}),
            Button(label="Upload in the browser", command="dataset upload", arguments={"dataset": dataset.id}),
        ),
    )


@command("dataset list", role=Role.VIEWER)
async def list_(
    call: Call,
    text: Annotated[str, Text("Part of a name")] = "",
    *,
    status: Annotated[Status | None, Unasked("Only those that are so far", Status)] = None,
    tag: Annotated[str | None, Tag("With which tag")] = None,
    scope: Annotated[Scope, Unasked("Whose: mine, shared (with you) or public; or deleted ones", Scope)] = Scope.MINE,
    page: Annotated[int, PageNumber("Which page")] = 1,
) -> Reply:
    """Your datasets, those of others that you may use, and those that you have deleted."""
    found = await call.services.datasets.list(
        call.actor,
        scope=scope,
        text=text,
        status=status,
        tag=tag,
        adult=call.place.shows(Rating.NSFW),
        limit=page * PAGE + 1,
    )
    rest = found[(page - 1) * PAGE :]
    if not rest:
        narrow = text or status or tag or scope is not Scope.MINE or page > 1
        line = "See all: `dataset list`." if narrow else "`dataset new NAME trigger=WORD`"
        return Reply(title="No such dataset" if narrow else "No datasets yet", lines=(line,))
    narrowed = {name: word for name, word in (("text", text), ("status", status), ("tag", tag)) if word}
    turned = {**narrowed, "scope": scope.value, "page": str(page + 1)}
    more = Button(label="More…", command="dataset list", arguments=turned, then=Then.REPLACE)
    clear = Button(label="Delete all…", command="dataset delete-all", arguments=narrowed, style=Style.DANGER)
    last = {Scope.MINE: "status", Scope.DELETED: "deleted"}.get(scope, "id")
    return Reply(
        title=TITLES[scope],
        lines=(*(() if last == "id" else (await stored(call),)), *((BIN,) if scope is Scope.DELETED else ())),
        table=Table(header=("name", "size", last), rows=tuple(_row(one, last) for one in rest[:PAGE])),
        buttons=(
            *((more,) if len(rest) > PAGE else ()),
            *((clear,) if narrowed and scope is Scope.MINE else ()),
        ),
    )


@command("dataset view", role=Role.VIEWER)
async def view(
    call: Call, dataset: Shared, page: Annotated[int, PageNumber("Which page of its pictures")] = 1
) -> Reply:
    """A dataset: what is in it, what the doctor said of it, and what became of it."""
    mine = dataset.owner == call.actor.account
    if not mine:
        call.place.require(dataset.rating)
    if not (mine or call.actor.role.covers(Role.MODERATOR)):
        call.actor.require_adult(dataset.rating)
    seen = await call.services.datasets.view(call.actor, dataset.id)
    uses = await call.services.lineages.of(call.actor, dataset.id)
    rows = contents(seen)
    turned = tuple(rows[(page - 1) * PAGE : page * PAGE])
    further = {"dataset": dataset.id, "page": str(page + 1)}
    usable = training(dataset) if dataset.usable_by(call.actor.account) else ()
    following = remedies(dataset) if mine else usable
    more = Button(label="More…", command="dataset view", arguments=further, then=Then.REPLACE)
    return Reply(
        title=f"{dataset.name} · {dataset.status.value}",
        lines=(
            *filter(None, [dataset.description]),
            *summary(dataset),
            *reviewed(seen),
            *lineage(uses),
            *samples(dataset),
            *map(begun, seen.uploads[:1]),
        ),
        fields=facts(seen, mine=mine),
        table=Table(header=CONTENTS[dataset.kind], rows=turned) if turned and dataset.kind else None,
        pictures=shown(dataset) or tuple(item.artifact for item in trained(seen.items)[:SHOWN]),
        rating=dataset.rating,
        link=await call.services.uploads.resume(call.actor, seen.uploads[0].id) if seen.uploads else None,
        buttons=(*following, *((more,) if len(rows) > page * PAGE else ())),
    )


@command("dataset edit")
async def edit(
    call: Call,
    dataset: Ref,
    name: Annotated[str | None, Name("What to call it")] = None,
    *,
    rating: Annotated[Rating | None, Unasked("Who it is for: everyone (sfw) or adults (nsfw)", Rating)] = None,
    tags: Annotated[tuple[str, ...] | None, Tags("Up to 10 tags by which it is found, or none")] = None,
    constraints: Annotated[tuple[str, ...] | None, Constraints("What every caption shall say, or none")] = None,
    description: Annotated[str | None, Description("What to say of it, or none", rest=True)] = None,
) -> Reply:
    """Say what a dataset is called, what it is for, what its captions shall say, and who it is for."""
    call.place.require(rating or Rating.SFW)
    edited = owned(dataset, call.actor, name=dataset.id)
    if changes := (name, rating, tags, constraints, description) != (None,) * 5:
        edited = await call.services.datasets.edit(
            call.actor,
            dataset.id,
            name=name,
            description=description,
            tags=tags,
            constraints=constraints,
            rating=rating,
        )
    usage = f'Say it so: `dataset edit {typed(dataset)} tags=robot,toy constraints="studio light, on white"`'
    adults = ADULTS if edited.rating is Rating.NSFW and edited.rating is not dataset.rating else ""
    return Reply(
        title=f"«{edited.name}» is edited" if changes else f"What to change of «{dataset.name}»?",
        lines=tuple(filter(None, ["" if changes else usage, adults])),
        fields=(
            ("name", edited.name),
            ("rating", edited.rating.value),
            ("tags", " ".join(edited.tags) or NONE),
            ("constraints", ", ".join(edited.constraints) or NONE),
            ("description", edited.description or NONE),
        ),
    )


@command("dataset check")
async def check(call: Call, dataset: Ref) -> Reply:
    """Let the doctor read everything again before you pay."""
    job = await call.services.datasets.check(call.actor, dataset, place=call.told, key=call.key)
    return await card(call, job.id)


async def stored(call: Call) -> str:
    """How much of what they may store somebody stores."""
    used, quota = await call.services.datasets.usage(call.actor), call.services.datasets.quota
    return f"{-(-used.bytes // MB)} of {quota.bytes // MB} MB and {used.items} of {quota.items} items are stored."


def _row(dataset: Dataset, last: str) -> tuple[str, str, str]:
    deleted = f"{dataset.deleted_at:%d %b %Y}" if dataset.deleted_at else ""
    return dataset.name, sized(dataset), {"status": dataset.status.value, "deleted": deleted, "id": dataset.id}[last]
