"""Intakes: files on their way into a dataset: add, fetch, upload."""

from collections.abc import Sequence
from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, Files, Given, Parameter, Raw, Text
from bots.chat.reply import Reply
from bots.chat.wording import number
from bots.commands.datasets import Ref
from core.domain.address import addresses
from core.domain.dataset import Dataset
from core.domain.quota import MB
from core.ports.sources import Source

LASTING = "The link is yours alone. It waits an hour for the first file, then as long as files come, at most a day."


class Links(Parameter[tuple[str, ...]]):
    """Links to files, separated by blanks."""

    rest = True

    async def parse(self, call: Call, raw: Raw, given: Given) -> tuple[str, ...]:
        """The links.

        Raises:
            BadValue: A word is no link, or there are too many.
        """
        return addresses(await Text("").parse(call, raw, given))


@command("dataset add")
async def add(
    call: Call,
    dataset: Ref,
    files: Annotated[tuple[Source, ...], Files("Pictures (.txt captions beside them), conversations, or a zip")],
) -> Reply:
    """Add files to a dataset; the card says what became of each."""
    if large := [source for source in files if source.most and source.size and source.size > source.most]:
        return await _by_link(call, dataset, large, of=len(files))
    job = await call.services.intakes.add(call.actor, dataset, files, place=call.told, key=call.key)
    return Reply(title=f"{number(len(files), 'file')} received for «{dataset.name}»", job=job.id)


@command("dataset fetch")
async def fetch(
    call: Call, dataset: Ref, links: Annotated[tuple[str, ...], Links("Links to pictures or zips")]
) -> Reply:
    """Add files that lie on the web to a dataset; the card says what became of each."""
    job = await call.services.intakes.add(call.actor, dataset, (), links=links, place=call.told, key=call.key)
    return Reply(title=f"{number(len(links), 'link')} received for «{dataset.name}»", job=job.id)


@command("dataset upload")
async def upload(call: Call, dataset: Ref) -> Reply:
    """A link to a page that takes files of any size."""
    link = await call.services.uploads.open(call.actor, dataset, place=call.told)
    return Reply(title=f"Upload into «{dataset.name}»", lines=(LASTING,), link=link)


async def _by_link(call: Call, dataset: Dataset, large: Sequence[Source], *, of: int) -> Reply:
    """Say which files a chat cannot carry, and how they come in all the same; nothing has been read."""
    names = (f"{one.name}: {(one.size or 0) / MB:.1f} MB; a chat carries {(one.most or 0) / MB:.0f}." for one in large)
    link = await call.services.uploads.open(call.actor, dataset, place=call.told)
    return Reply(
        title=f"{len(large)} of {of} files are too large for this chat, and none was taken",
        lines=(*names, "Send them all by this link instead.", LASTING),
        link=link,
    )
