"""Captions of one picture: edit, delete, history, diff, undo; and of all at once: replace, prepend, append, clear."""

from collections.abc import Sequence
from typing import Annotated

from bots.cards.contents import cut, typed
from bots.chat.definition import command
from bots.chat.parameter import PAGE, Call, Integer, OneOf, Text
from bots.chat.references import DatasetRef, ItemRef, SharedDatasetRef
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import number
from bots.commands.models import PageNumber
from bots.commands.publications import NONE
from core.domain.account import Role
from core.domain.action import Style, Then
from core.domain.caption import CaptionReview, CaptionVersion, diffed
from core.domain.dataset import Dataset
from core.domain.item import Item
from core.domain.rewrite import Rewrite, Verb, rewriting
from core.domain.trigger import folded
from core.services.captions import History

Ref = Annotated[Dataset, DatasetRef("Which dataset")]
SharedRef = Annotated[Dataset, SharedDatasetRef("Which dataset")]
Picture = Annotated[Item, ItemRef("Its number or name")]
Words = Annotated[str, Text("The words", rest=True)]
EXAMPLES = 5
CAPTION, EXAMPLE = 100, 400  # characters in a row


@command("caption edit")
async def edit(
    call: Call,
    dataset: Ref,
    picture: Picture,
    text: Annotated[str, Text("The caption, trigger word first", rest=True)],
) -> Reply:
    """Write one caption by hand."""
    item = await call.services.captions.edit(call.actor, picture, text=text)
    return _written(dataset, item)


@command("caption delete")
async def delete(call: Call, dataset: Ref, picture: Picture) -> Reply:
    """Take the caption of one picture away."""
    item = await call.services.captions.delete(call.actor, picture)
    return _written(dataset, item).but(title=f"The caption of {item.artifact.name} is deleted", lines=())


@command("caption history", role=Role.VIEWER)
async def history(
    call: Call, dataset: SharedRef, picture: Picture, page: Annotated[int, PageNumber("Which page")] = 1
) -> Reply:
    """Every version of one caption: who wrote it, when and how, and what reviewers said."""
    seen = await call.services.captions.history(call.actor, picture)
    shown = seen.versions[(page - 1) * PAGE : page * PAGE]
    more = {"dataset": dataset.id, "picture": picture.id, "page": str(page + 1)}
    left = len(seen.versions) > page * PAGE
    return Reply(
        title=f"The caption of {picture.artifact.name} in «{dataset.name}»",
        table=Table(header=("version", "by", "caption"), rows=tuple(_told(seen, version) for version in shown)),
        buttons=(Button(label="More", command="caption history", arguments=more, then=Then.REPLACE),) if left else (),
    )


@command("caption diff", role=Role.VIEWER)
async def diff(
    call: Call,
    dataset: SharedRef,
    picture: Picture,
    old: Annotated[int | None, Integer("From which version; the one before")] = None,
    new: Annotated[int | None, Integer("To which version; the present one")] = None,
) -> Reply:
    """What has changed between two versions of one caption, word by word."""
    before, after = await call.services.captions.compare(call.actor, picture, old=old, new=new)
    return Reply(
        title=f"{picture.artifact.name}: version {before.version} → {after.version}",
        lines=(diffed(before.text, after.text) or "Both say nothing.", "[-gone-] {+new+}"),
    )


@command("caption undo")
async def undo(
    call: Call,
    dataset: Ref,
    picture: Picture,
    version: Annotated[int | None, Integer("Back to which version; the one before")] = None,
) -> Reply:
    """Go back to an earlier caption; once more goes back further."""
    return _written(dataset, await call.services.captions.undo(call.actor, picture, version=version))


@command("caption replace")
async def replace(
    call: Call,
    dataset: Ref,
    find: Annotated[str, Text("Which words, in any case")],
    words: Annotated[str, Text(f"What to say instead; {NONE} to leave them out", rest=True)],
) -> Reply:
    """Find words in all captions and say others instead; you see what it does before."""
    said = "" if folded(words) == NONE else words
    return await _previewed(call, dataset, rewriting(Verb.REPLACE, find=find, words=said))


@command("caption prepend")
async def prepend(call: Call, dataset: Ref, words: Words) -> Reply:
    """Say words first in all captions, after the trigger word; you see what it does before."""
    return await _previewed(call, dataset, rewriting(Verb.PREPEND, words=words))


@command("caption append")
async def append(call: Call, dataset: Ref, words: Words) -> Reply:
    """Say words last in all captions; you see what it does before."""
    return await _previewed(call, dataset, rewriting(Verb.APPEND, words=words))


@command("caption clear")
async def clear(call: Call, dataset: Ref) -> Reply:
    """Take all captions away; you see what it does before."""
    return await _previewed(call, dataset, rewriting(Verb.CLEAR))


@command("caption apply", menu=False)
async def apply(
    call: Call,
    *,
    dataset: Ref,
    verb: Annotated[Verb, OneOf("What to do", Verb)],
    digest: Annotated[str, Text("What was shown")],
    find: Annotated[str, Text("Which words")] = "",
    words: Annotated[str, Text("What to say")] = "",
) -> Reply:
    """Change captions as it was shown."""
    rewrite = rewriting(verb, find=find, words=words)
    done = await call.services.captions.rewrite(call.actor, dataset, rewrite, digest=digest)
    return Reply(
        title=f"{number(len(done.changes), 'caption')} of «{dataset.name}» changed",
        lines=(f"Each can be undone: `caption undo {typed(dataset)} NUMBER`.",),
    )


async def _previewed(call: Call, dataset: Dataset, rewrite: Rewrite) -> Reply:
    preview = await call.services.captions.preview(call.actor, dataset, rewrite)
    left = dataset.count - len(preview.changes)
    stays = f"The other {left} stay as they are. " if left else ""
    wished = {"verb": rewrite.verb.value, "find": rewrite.find, "words": rewrite.words, "digest": preview.digest}
    examples = preview.changes[:EXAMPLES]
    return Reply(
        title=f"{number(len(preview.changes), 'caption')} of «{dataset.name}» would change",
        lines=(f"{stays}[-gone-] {{+new+}}",),
        table=Table(
            header=("picture", "caption"),
            rows=tuple((one.item.artifact.name, cut(diffed(one.before, one.after), EXAMPLE)) for one in examples),
        ),
        buttons=(
            Button(
                label="Change them",
                command="caption apply",
                arguments={"dataset": dataset.id} | {name: value for name, value in wished.items() if value},
                style=Style.DANGER if rewrite.verb is Verb.CLEAR else Style.GO,
                then=Then.REPLACE,
            ),
        ),
    )


def _written(dataset: Dataset, item: Item) -> Reply:
    caption = item.captions[dataset.default_set]
    named = {"dataset": dataset.id, "picture": item.id}
    missing = dataset.trigger not in caption.text.casefold()
    return Reply(
        title=f"Caption of {item.artifact.name} in «{dataset.name}»",
        lines=(
            caption.text or "It is deleted.",
            *((f"The trigger word «{dataset.trigger}» is not in it.",) if caption.text and missing else ()),
        ),
        fields=(("version", str(caption.version)),),
        buttons=(
            *((Button(label="Undo", command="caption undo", arguments=named),) if caption.version > 1 else ()),
            Button(label="History", command="caption history", arguments=named),
        ),
    )


def _told(seen: History, version: CaptionVersion) -> tuple[str, str, str]:
    """A row of a history: its number, who wrote it, how and when, and what it says."""
    author = seen.names.get(version.author, "somebody")
    restored = f" of {version.restored}" if version.restored else ""
    by = f"{author} · {version.source}{restored} · {version.at:%d %b %H:%M}"
    return str(version.version), " · ".join([by, *_judged(seen, version)]), cut(version.text, CAPTION) or "–"


def _judged(seen: History, version: CaptionVersion) -> Sequence[str]:
    if version.review is CaptionReview.PENDING:
        return ()
    words = f"{version.review.value.replace('_', ' ')} by {seen.names.get(version.reviewer or '', 'somebody')}"
    return (f"{words}: {version.note}" if version.note else words,)
