"""Captions: have them written, or write one."""

from typing import Annotated

from bots.cards import card
from bots.chat.definition import command
from bots.chat.parameter import Call, OneOf, Text
from bots.chat.references import DatasetRef, ItemRef
from bots.chat.reply import Reply
from core.domain.caption import CaptionMode
from core.domain.dataset import Dataset, Item

Ref = Annotated[Dataset, DatasetRef("Which dataset")]


@command("caption auto")
async def auto(
    call: Call,
    dataset: Ref,
    mode: Annotated[CaptionMode, OneOf("What to do where a caption stands", CaptionMode)] = CaptionMode.IGNORE,
) -> Reply:
    """Have every picture described, trigger word first."""
    job = await call.services.captions.auto(call.actor, dataset, mode=mode, place=call.told, key=call.key)
    return await card(call, job.id)


@command("caption edit")
async def edit(
    call: Call,
    dataset: Ref,
    picture: Annotated[Item, ItemRef("Its number or name")],
    text: Annotated[str, Text("The caption, trigger word first", rest=True)],
) -> Reply:
    """Write one caption by hand."""
    item = await call.services.captions.edit(call.actor, picture, text=text)
    version = item.caption.version if item.caption else 0
    reminder = () if dataset.trigger in text.casefold() else (f"The trigger word «{dataset.trigger}» is not in it.",)
    return Reply(
        title=f"Caption of {item.artifact.name} in «{dataset.name}»",
        lines=(item.caption.text if item.caption else "", *reminder),
        fields=(("version", str(version)),),
    )
