"""What a dataset holds and what became of it, in words: shared by the commands that show datasets."""

from collections import Counter
from collections.abc import Sequence

from bots.chat.wording import number
from core.domain.caption import CaptionReview
from core.domain.dataset import Dataset, Kind
from core.domain.item import Item
from core.domain.quota import MB
from core.domain.upload import Upload
from core.services.datasets import DatasetView
from core.services.lineages import Use

CAPTION = 60  # characters
RUNS, SIGNS = 5, 12  # of a lineage, of a hash


def sized(dataset: Dataset) -> str:
    """How much is in a dataset: «12 pictures», «3 conversations», «empty»."""
    noun = "conversation" if dataset.kind is Kind.CONVERSATIONS else "picture"
    return number(dataset.count, noun) if dataset.count else "empty"


def facts(seen: DatasetView, *, mine: bool) -> tuple[tuple[str, str], ...]:
    """What is to be known of a dataset at a glance."""
    dataset = seen.dataset
    readers = f", shared with {len(dataset.shared)}" if mine and dataset.shared else ""
    source = " · ".join(filter(None, [dataset.source_format, dataset.source_name]))
    facts = {
        "trigger": dataset.trigger,
        "id": dataset.id,
        "holds": sized(dataset),
        "rating": dataset.rating.value,
        "who may use it": f"{dataset.access.value}{readers}",
        "character": seen.character,
        "tags": " ".join(dataset.tags),
        "constraints": ", ".join(dataset.constraints),
        "came as": source,
    }
    return tuple((name, value) for name, value in facts.items() if value)


def contents(seen: DatasetView) -> Sequence[tuple[str, str, str]]:
    """A row for each picture, or each part of the conversations."""
    captions = [(item, seen.dataset.caption_of(item)) for item in seen.items]
    pictures = [
        (str(item.position + 1), item.artifact.name, _captioned(item, caption.text if caption else "–"))
        for item, caption in captions
    ]
    parts = [(str(part.position + 1), part.artifact.name, number(part.count, "conversation")) for part in seen.parts]
    return [*pictures, *parts]


def reviewed(seen: DatasetView) -> tuple[str, ...]:
    """How far the reviews of the captions are, once one was reviewed."""
    captions = [caption for item in seen.items if (caption := seen.dataset.caption_of(item))]
    counts = Counter(caption.review for caption in captions)
    if counts[CaptionReview.PENDING] == len(captions):
        return ()
    told = ", ".join(f"{counts[one]} {one.value.replace('_', ' ')}" for one in CaptionReview if counts[one])
    return (f"Captions: {told}.",)


def samples(dataset: Dataset) -> tuple[str, ...]:
    """The first conversations, as the doctor has read them."""
    return tuple(line for sample in dataset.samples for line in ("—", *sample.splitlines()))


def begun(upload: Upload) -> str:
    """How far an upload is that its sender can go on with."""
    here = sum(file.offset for file in upload.files)
    return f"An upload is not finished, {here / MB:.1f} of {upload.announced / MB:.1f} MB are here. Go on by this link:"


def lineage(uses: Sequence[Use]) -> tuple[str, ...]:
    """Which runs trained on which snapshot, the latest first."""
    if not uses:
        return ()
    before = (f"And {number(len(uses) - RUNS, 'run')} before.",) if len(uses) > RUNS else ()
    return (f"Trained {number(len(uses), 'time')}:", *map(_told, uses[:RUNS]), *before)


def typed(dataset: Dataset) -> str:
    """A dataset's name as it is typed in a line."""
    return f'"{dataset.name}"' if " " in dataset.name else dataset.name


def cut(text: str, most: int) -> str:
    """The beginning of a text that is too long to be shown."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _captioned(item: Item, caption: str) -> str:
    return cut(caption, CAPTION) + (" (consent withdrawn)" if item.withdrawn_at else "")


def _told(use: Use) -> str:
    run, lost = use.run, "" if use.repeatable else " · unrepeatable: its files are gone"
    return f"{run.created_at:%d %b %Y %H:%M} · run {run.id} · snapshot {run.snapshot[:SIGNS]} · {run.offering}{lost}"
