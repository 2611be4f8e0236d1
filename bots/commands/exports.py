"""Exports: a dataset as one file."""

from collections.abc import Sequence
from typing import Annotated, Any

from bots.cards import card
from bots.chat.definition import command
from bots.chat.parameter import PAGE, Call, Given, OneOf, Page, Row
from bots.chat.references import DatasetRef
from bots.chat.reply import Reply
from core.domain.connection import Provider
from core.domain.dataset import Dataset
from core.domain.export import Format, formats

Ref = Annotated[Dataset, DatasetRef("Which dataset")]


class Fitting(OneOf[Format]):
    """A format for the kind of dataset that was named before."""

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Any]]:
        """The formats that fit; all of them where no dataset is known yet."""
        rows = await super().rows(call, text, given, after=after, limit=limit)
        dataset = await DatasetRef("").earlier(call, given, "dataset")
        return [row for row in rows if dataset is None or row.thing in formats(dataset.kind)]


class Cloud(OneOf[Provider]):
    """One's own cloud folder; it is offered to who has connected one."""

    async def choices(self, call: Call, text: str, given: Given, *, after: str = "", limit: int = PAGE) -> Page:
        """All that are known, or nothing."""
        is_connected = await call.services.connections.of(call.actor)
        return await super().choices(call, text, given, after=after, limit=limit) if is_connected else Page()


@command("dataset export")
async def export(
    call: Call,
    dataset: Ref,
    wished: Annotated[Format | None, Fitting("zip, kohya or imagefolder; conversations or openai", Format)] = None,
    to: Annotated[Provider | None, Cloud("dropbox: also into your own, see `connect dropbox`", Provider)] = None,
) -> Reply:
    """Get a dataset as one file: pictures with captions, or conversations."""
    job = await call.services.exports.order(
        call.actor, dataset, wished=wished, place=call.told, key=call.key, provider=to
    )
    return await card(call, job.id)
