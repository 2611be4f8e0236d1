"""Validation: the doctor looks at the items of a dataset, whenever they have changed or somebody asks."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from core.domain.account import Place
from core.domain.artifact import Artifact
from core.domain.character import said
from core.domain.dataset import Dataset, Status
from core.domain.doctor import lines_examined, recaptioned
from core.domain.event import looked_at
from core.domain.finding import Finding, LineError, Statistics
from core.domain.item import Item
from core.domain.job import Job, asked
from core.domain.value import Value
from core.kinds import announce, enqueue, unshown
from core.ports.clock import Ids
from core.ports.store import Repositories


class Payload(Value):
    """The dataset to look at; `deep` reads every stored byte again."""

    dataset: str
    deep: bool = False


class Result(Value):
    """What the doctor says of the items as they were at a `revision`, and the pictures that show it.

    `tokens` are those of captions that nobody had counted, by the id of the caption version. What is said of captions,
    and of lines that did not come in, follows from the rows when this is recorded.
    """

    revision: int
    findings: tuple[Finding, ...] = ()
    statistics: Statistics = Statistics()
    faults: tuple[LineError, ...] = ()
    samples: tuple[str, ...] = ()
    sheets: tuple[Artifact, ...] = ()
    previews: tuple[Artifact, ...] = ()
    pairs: Artifact | None = None
    tokens: Mapping[str, int] = {}


def looking(dataset: Dataset, *, id: str, key: str, now: datetime) -> Job:  # noqa: A002 - the field's name
    """The job in which the doctor looks, as it is asked for."""
    title = f"{dataset.name} · the doctor looks"
    return asked("validation", id=id, key=key, owner=dataset.owner, subject=dataset.id, title=title, now=now)


async def begun(
    tx: Repositories, dataset: Dataset, *, after: Job, ids: Ids, now: datetime, deep: bool = False
) -> Dataset:
    """Save a dataset whose items another job has changed, and have the doctor look, told where that job was told."""
    places = [card.place for card in await tx.cards.of(after.id)]
    home = (await tx.accounts.get(dataset.owner)).home
    place, key = places[0] if places else home, f"{after.id}:validation"
    return await looked(tx, dataset, place=place, key=key, ids=ids, now=now, deep=deep)


async def looked(
    tx: Repositories, dataset: Dataset, *, place: Place, key: str, ids: Ids, now: datetime, deep: bool = False
) -> Dataset:
    """Save a dataset whose items have changed, and have the doctor look.

    Where nothing is left it is a draft; while more is coming in the doctor waits for that.
    """
    if any(other.kind == "intake" for other in await tx.jobs.about(dataset.id)):
        waiting = dataset.uploading(now=now)
        await tx.datasets.save(waiting)
        return waiting
    if not dataset.count:
        bare = dataset.but(findings=(), statistics=Statistics(), faults=(), samples=())
        empty = bare.unchecked(now=now)
        await tx.datasets.save(empty)
        return empty
    changed = dataset.validating(now=now)
    await tx.datasets.save(changed)
    job = looking(dataset, id=ids.new(), key=key, now=now)
    await enqueue(tx, Payload(dataset=dataset.id, deep=deep), job=job, place=place, most=None)
    return changed


async def phrases(tx: Repositories, dataset: Dataset) -> Sequence[str]:
    """What every caption of a dataset says after the trigger word."""
    character = await tx.characters.find(dataset.character) if dataset.character else None
    return said(character, dataset.constraints)


async def settle(tx: Repositories, job: Job, result: Value | None, *, ids: Ids, now: datetime) -> None:
    """Record what the doctor found; a look that did not end leaves a draft, one at what has changed is taken again.

    Another look that is under way says it all: then neither is done.
    """
    payload = Payload.model_validate(job.payload)
    dataset = await tx.datasets.find(payload.dataset)
    if dataset is None or dataset.status is not Status.VALIDATING:
        return
    if isinstance(result, Result) and result.revision == dataset.revision:
        await announce(tx, looked_at(await _record(tx, dataset, result, now=now), now=now), ids=ids)
    elif any(other.kind == job.kind and other.id != job.id for other in await tx.jobs.about(dataset.id)):
        return
    elif isinstance(result, Result):
        await begun(tx, dataset, after=job, ids=ids, now=now, deep=payload.deep)
    else:
        await tx.datasets.save(dataset.unchecked(now=now))


async def _record(tx: Repositories, dataset: Dataset, result: Result, *, now: datetime) -> Dataset:
    pairs = (result.pairs,) if result.pairs else ()
    await tx.references.refer(*(artifact.sha256 for artifact in (*result.sheets, *result.previews, *pairs)))
    shown = (await unshown(tx, dataset)).but(
        sheets=result.sheets,
        previews=result.previews,
        pairs=result.pairs,
        faults=result.faults,
        samples=result.samples,
    )
    items = await tx.items.of(dataset.id)
    counted = {item.id: new for item in items if (new := _counted(dataset, item, result.tokens))}
    await tx.items.save_all(list(counted.values()))
    checked = shown.checked((*lines_examined(dataset), *result.findings), result.statistics, now=now)
    present = [counted.get(item.id, item) for item in items]
    recorded = recaptioned(checked, present, phrases=await phrases(tx, dataset), now=now)
    await tx.datasets.save(recorded)
    return recorded


def _counted(dataset: Dataset, item: Item, tokens: Mapping[str, int]) -> Item | None:
    """The item with its caption counted, where that is the version that was counted."""
    caption = dataset.caption_of(item)
    return item.captioned(caption.but(tokens=tokens[caption.id])) if caption and caption.id in tokens else None
