"""Models of one's own: who may use them, what they are called, how they present themselves."""

import re
from collections.abc import Sequence
from typing import Annotated

from bots.cards.findings import weight
from bots.chat.definition import command
from bots.chat.parameter import PAGE, Call, Given, Listed, OneOf, Page, Parameter, Raw, Row, Text
from bots.chat.references import ModelRef, UserRef
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import number
from bots.commands.models import PageNumber, Ref, called
from core.domain.account import Account
from core.domain.action import Style, Then
from core.domain.errors import BadValue
from core.domain.model import SAMPLES, Licence, described, owned, tagged
from core.domain.model import Visibility as Access
from core.domain.run import Epoch
from core.domain.trigger import folded

NONE = "none"
NUMBER = re.compile(r"[0-9]{1,6}")
SHOWN = 10  # pictures in one message
CHOICES = 5  # buttons
EPOCHS = ("epoch", "step", "loss", "evaluation", "size", "sha256", "")


class Opened(OneOf[Access]):
    """For whom a model is published; nobody is asked."""

    asked = False

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Access]]:
        """Everyone, or who knows its name."""
        return [Row(value=one.value, label=one.value, thing=one) for one in (Access.PUBLIC, Access.UNLISTED)]


class Licensed(OneOf[Licence]):
    """A licence; nobody is asked."""

    asked = False


class Description(Text):
    """What is said of a model."""

    async def parse(self, call: Call, raw: Raw, given: Given) -> str:
        """The description; `none` is an empty one.

        Raises:
            BadValue: It cannot be one.
        """
        text = described(await super().parse(call, raw, given))
        return "" if folded(text) == NONE else text


class Tags(Parameter[tuple[str, ...]]):
    """Tags, separated by blanks or commas."""

    async def parse(self, call: Call, raw: Raw, given: Given) -> tuple[str, ...]:
        """The tags; `none` is none.

        Raises:
            BadValue: One cannot be one, or there are too many.
        """
        tags = tagged((await Text("").parse(call, raw, given)).replace(",", " ").split())
        return () if tags == (NONE,) else tags


class Numbers(Parameter[tuple[int, ...]]):
    """Whole numbers, separated by blanks or commas."""

    rest = True

    async def parse(self, call: Call, raw: Raw, given: Given) -> tuple[int, ...]:
        """The numbers; `none` is none.

        Raises:
            BadValue: A word is no number.
        """
        words = (await Text("").parse(call, raw, given)).replace(",", " ").split()
        if wrong := [word for word in words if not NUMBER.fullmatch(word)]:
            if [folded(word) for word in words] == [NONE]:
                return ()
            raise BadValue(what="number", value=wrong[0], why="give whole numbers such as 1 3 4, or none")
        return tuple(map(int, words))


class PersonRef(UserRef):
    """Somebody whose name or login one knows: nobody is listed."""

    async def choices(self, call: Call, text: str, given: Given, *, after: str = "", limit: int = PAGE) -> Page:
        """Nothing: who is here is nobody's business."""
        return Page()

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Account]]:
        """The accounts of exactly this name."""
        rows = await super().rows(call, text, given, after=after, limit=limit)
        return [row for row in rows if folded(row.label) == folded(text)]


class EpochRef(Listed[Epoch]):
    """An epoch of the model that was named before; nobody is asked."""

    noun = "epoch"
    hint = "See `model epoch MODEL`."
    asked = False

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Epoch]]:
        """Its epochs, where it is the actor's; one that is gone says so when it is chosen."""
        model = await ModelRef("").earlier(call, given, "model")
        if model is None or model.owner != call.actor.account:
            return []
        run = (await call.services.models.view(call.actor, model.id)).run
        return [
            Row(value=one.name, label=f"{one.name} · step {one.step} · loss {one.loss:.4f}", thing=one)
            for one in run.epochs
        ]


class ReaderRef(Listed[Account]):
    """Somebody whom the model that was named before is shared with."""

    noun = "user"
    hint = "The model is not shared with anybody called so."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Account]]:
        """Those whom it is shared with."""
        model = await ModelRef("").earlier(call, given, "model")
        readers = await call.services.models.readers(call.actor, model.id) if model else []
        return [Row(value=account.id, label=account.name, thing=account) for account in readers]


@command("model publish")
async def publish(
    call: Call,
    model: Ref,
    visibility: Annotated[Access, Opened("For everyone (public), or who knows its name (unlisted)", Access)] = (
        Access.PUBLIC
    ),
) -> Reply:
    """Let everyone use a model by its trigger word."""
    opened = await call.services.models.publish(call.actor, model.id, visibility=visibility)
    if not opened.listed:
        return Reply(title=f"{opened.name} is unlisted", lines=(f"Who knows its name can use it: `{opened.name}`.",))
    seen = await call.services.models.view(call.actor, model.id)
    words = called(seen, mine=True) if seen.keeper else f"Everyone can use it now: `imagine {opened.trigger} …`"
    return Reply(title=f"{opened.name} is public", lines=(words,))


@command("model unpublish")
async def unpublish(call: Call, model: Ref) -> Reply:
    """Keep a model to yourself, and those whom you share it with."""
    closed = await call.services.models.publish(call.actor, model.id, visibility=Access.PRIVATE)
    return Reply(title=f"{closed.name} is private", lines=("Published again, it has its trigger word as before.",))


@command("model share")
async def share(call: Call, model: Ref, user: Annotated[Account, PersonRef("Who may use it")]) -> Reply:
    """Let somebody use a model that is not public."""
    shared = await call.services.models.share(call.actor, model.id, user)
    return Reply(
        title=f"{shared.name} is shared with {user.name}",
        lines=(f"They call it by «{shared.trigger}», or by its name: `{shared.name}`.",),
    )


@command("model unshare")
async def unshare(call: Call, model: Ref, user: Annotated[Account, ReaderRef("Who may not use it any more")]) -> Reply:
    """Take a model back from somebody whom you share it with."""
    kept_back = await call.services.models.unshare(call.actor, model.id, user)
    return Reply(title=f"{kept_back.name} is not shared with {user.name} any more")


@command("model rename")
async def rename(call: Call, model: Ref, name: Annotated[str, Text("What to call it", rest=True)]) -> Reply:
    """Call a model otherwise; its old name goes on to lead to it."""
    renamed = await call.services.models.rename(call.actor, model.id, name)
    if renamed.name == model.name:
        return Reply(title=f"{model.name} is called so already")
    return Reply(title=f"{model.name} is {renamed.name} now", lines=(f"`{model.name}` still leads to it.",))


@command("model edit")
async def edit(
    call: Call,
    model: Ref,
    licence: Annotated[Licence | None, Licensed("What others may do with its file", Licence)] = None,
    tags: Annotated[tuple[str, ...] | None, Tags("Up to 10 tags by which it is found, or none")] = None,
    description: Annotated[str | None, Description("What to say of it, or none", rest=True)] = None,
) -> Reply:
    """Say what a model is for, what others may do with its file, and by which tags it is found."""
    edited = await call.services.models.edit(call.actor, model.id, licence=licence, tags=tags, description=description)
    usage = f"Say it so: `model edit {model.slug} licence=cc0-1.0 tags=robot,toy A tin robot.`"
    return Reply(
        title=f"What to change of {model.name}?" if edited == model else f"{model.name} is edited",
        lines=(usage,) if edited == model else (),
        fields=(
            ("licence", edited.licence.value),
            ("tags", " ".join(edited.tags) or NONE),
            ("description", edited.description or NONE),
        ),
    )


@command("model samples")
async def samples(
    call: Call,
    model: Ref,
    numbers: Annotated[tuple[int, ...] | None, Numbers(f"Up to {SAMPLES} numbers of pictures, or none")] = None,
    page: Annotated[int, PageNumber("Which page of them to see")] = 1,
) -> Reply:
    """Choose the pictures that a model presents itself with, from those that its training made."""
    if numbers is not None:
        chosen = await call.services.models.show(call.actor, model.id, numbers)
        count = number(len(chosen.samples), "sample") if chosen.samples else "those of its last epoch"
        title = f"{chosen.name} shows {count}"
        return Reply(title=title, pictures=chosen.samples, rating=chosen.rating)
    known = await call.services.models.samples(call.actor, model.id)
    before = (page - 1) * SHOWN
    shown = known[before : before + SHOWN]
    more = Button(label="More", command="model samples", arguments={"model": model.id, "page": str(page + 1)})
    return Reply(
        title=f"Samples {before + 1} to {before + len(shown)} of {len(known)}" if shown else "No more samples",
        lines=(f"Choose up to {SAMPLES} by their numbers, the best first: `model samples {model.slug} 3 1`.",),
        pictures=tuple(shown),
        rating=model.rating,
        buttons=(more,) if before + len(shown) < len(known) else (),
    )


@command("model epoch")
async def epoch(
    call: Call, model: Ref, epoch: Annotated[Epoch | None, EpochRef("Which epoch it shall be, by its number")] = None
) -> Reply:
    """Choose which epoch of its training a model is, from all that are kept."""
    if epoch:
        chosen = await call.services.publications.choose(call.actor, model.id, epoch.step)
        lines = ("Its file and its card are written anew. Pictures are drawn with this epoch from now on.",)
        return Reply(
            title=f"{chosen.name} is epoch {epoch.name}", lines=lines, pictures=epoch.samples, rating=model.rating
        )
    run = (await call.services.models.view(call.actor, owned(model, call.actor, name=model.id).id)).run
    now = run.epoch_at(model.step)
    kept = [one for one in run.epochs if not (one.gone or one == now)]
    return Reply(
        title=f"Epochs of {model.name}" if run.epochs else f"Nothing is known of the epochs of {model.name}",
        lines=("A sample of each, in this order:",) if any(one.samples for one in run.epochs[-SHOWN:]) else (),
        table=Table(header=EPOCHS, rows=tuple(_row(one, now) for one in run.epochs)) if run.epochs else None,
        pictures=tuple(one.samples[0] for one in run.epochs[-SHOWN:] if one.samples),
        rating=model.rating,
        buttons=tuple(
            Button(label=f"Choose {one.name}", command="model epoch", arguments={"model": model.id, "epoch": one.name})
            for one in kept[-CHOICES:]
        ),
    )


def _row(epoch: Epoch, now: Epoch | None) -> tuple[str, ...]:
    standing = "the model" if epoch == now else "gone" if epoch.gone else "saved" if epoch.wished else "kept"
    evaluation = "–" if epoch.evaluation is None else f"{epoch.evaluation:.4f}"
    size, digest = weight(epoch.artifact.size), epoch.artifact.sha256[:16]
    return epoch.name, str(epoch.step), f"{epoch.loss:.4f}", evaluation, size, digest, standing


@command("model delete")
async def delete(call: Call, model: Ref) -> Reply:
    """Delete a model; what it has earned stays yours."""
    owned(model, call.actor, name=model.id)
    return Reply(
        title=f"Delete {model.name}?",
        lines=(
            "Nobody can use it from then on. Pictures that were ordered are still drawn.",
            "Its names stay taken, and what it has earned stays yours.",
        ),
        buttons=(
            Button(
                label="Delete",
                command="model delete-now",
                arguments={"model": model.id},
                style=Style.DANGER,
                then=Then.REPLACE,
            ),
        ),
    )


@command("model delete-now", menu=False)
async def delete_now(call: Call, model: Ref) -> Reply:
    """Delete a model without asking again."""
    gone = await call.services.models.delete(call.actor, model.id)
    return Reply(title=f"{gone.name} is deleted")
