"""Training: a run over a snapshot becomes a model. What the run needs is in its row; the payload only names it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from core.domain.account import Role
from core.domain.artifact import Artifact
from core.domain.dataset import Dataset
from core.domain.item import Item
from core.domain.job import Job
from core.domain.model import Model, slug
from core.domain.notice import Notice, Topic
from core.domain.rating import Rating
from core.domain.run import Run
from core.domain.steering import prorated
from core.domain.value import Value
from core.kinds import Kind, end, erase, publication, staff, unexported, unshown
from core.ports.clock import Ids
from core.ports.store import Repositories


class Payload(Value):
    """The run to execute, what the model will be called, and its rating: all as it was ordered.

    `fixed` is what of the price is due however few steps are done.
    """

    run: str
    name: str
    trigger: str
    family: str
    owner_name: str
    rating: Rating = Rating.SFW
    fixed: int = 0


class Result(Value):
    """The final LoRA, a picture or a text of before and after, and what the fixed evaluation said of both.

    `step` is how far it was trained; None: all the way. `notes` say what was not learned, and why.
    """

    artifact: Artifact
    grid: Artifact
    base_hash: str
    code_version: str
    evaluation_before: float
    evaluation_after: float
    step: int | None = None
    notes: tuple[str, ...] = ()


class Descendant(Value):
    """A run that has trained on something, the model that it made if it has, and how often others have used that."""

    run: Run
    model: Model | None
    uses: int


async def earned(tx: Repositories, job: Job, result: Result) -> int:
    """What of the price is due for a training that ended well: of one that was stopped early, by the steps done."""
    run, payload = await tx.runs.get(job.id), Payload.model_validate(job.payload)
    done = run.steps if result.step is None else result.step
    return prorated(job.price, fixed=payload.fixed, done=done, steps=run.steps)


async def settle(tx: Repositories, job: Job, result: Value | None, *, ids: Ids, now: datetime) -> None:
    """Complete the run and make the model, to be published; what did not end well leaves its run as far as it came."""
    payload = Payload.model_validate(job.payload)
    run = (await tx.runs.get(payload.run)).but(ended_at=now)
    if not isinstance(result, Result):
        await tx.runs.save(run)
        return
    if result.step is not None:
        run, beyond = run.cut(result.step)
        await tx.references.forget(*beyond)
        await tx.runs.cut(run.id, after=result.step)
    facts = result.model_dump(include={"base_hash", "code_version", "evaluation_before", "evaluation_after"})
    await tx.runs.save(run.but(**facts))
    await tx.references.refer(result.artifact.sha256, result.grid.sha256)
    earlier = (one.step for one in run.epochs[:-1] if one.artifact.sha256 == result.artifact.sha256)
    name = await _free_slug(tx, job.owner, slug(payload.name))
    model = Model(
        id=ids.new(),
        owner=job.owner,
        owner_name=payload.owner_name,
        slug=name,
        names=(name,),
        trigger=payload.trigger,
        family=payload.family,
        base=run.base,
        offering=run.offering,
        run=run.id,
        step=next(earlier, None),
        artifact=result.artifact,
        rating=payload.rating,
        created_at=now,
    )
    await tx.models.add(model)
    await publication.begun(tx, model, ids=ids, now=now)


async def _free_slug(tx: Repositories, owner: str, wished: str) -> str:
    name, number = wished, 1
    while await tx.models.named(owner, name):
        number += 1
        name = f"{wished}-{number}"
    return name


async def descendants(tx: Repositories, dataset: str, item: str | None = None) -> Sequence[Descendant]:
    """The runs that have trained on a dataset, or on one item of it, and what came out of each.

    The latest come first; after them those that continue from a model of one of them, and so on.
    """
    runs = await tx.runs.of_dataset(dataset)
    if item:
        snapshots = await tx.snapshots.of(dataset)
        holding = {one.id for one in snapshots if item in {entry.item for entry in one.entries}}
        runs = [run for run in runs if run.snapshot in holding]
    runs = await _with_those_that_continue(tx, runs)
    return [
        Descendant(run=run, model=await tx.models.of_run(run.id), uses=(await tx.usages.tally_of_run(run.id)).uses)
        for run in runs
    ]


async def _with_those_that_continue(tx: Repositories, runs: Sequence[Run]) -> Sequence[Run]:
    known = {run.id: run for run in runs}
    while runs:
        runs = [run for run in await tx.runs.continuing([run.id for run in runs]) if run.id not in known]
        known |= {run.id: run for run in runs}
    return list(known.values())


async def withdraw(
    tx: Repositories,
    dataset: Dataset,
    item: Item | None,
    *,
    by: str,
    kinds: Mapping[str, Kind],
    admins: Collection[str],
    ids: Ids,
    now: datetime,
) -> Sequence[Descendant]:
    """Take consent for a dataset, or for one item of it, back: nothing is trained on it, nobody uses what was.

    Trainings that go on are cancelled and paid back, and their snapshots let go of the bytes; so do sheets and exports,
    and a look that is under way is taken again. The owners of what was made of it and the moderators are told, apart
    from whoever does it. Returned is what was made of it.
    """
    if item:
        await tx.items.save(item.but(withdrawn_at=now))
    bare = (await unshown(tx, dataset)).but(revision=dataset.revision + 1, updated_at=now)
    await unexported(tx, dataset)
    await tx.datasets.save(bare if item else bare.revoked(now=now))
    made = await descendants(tx, dataset.id, item.id if item else None)
    for one in made:
        job = await tx.jobs.find(one.run.id)
        if job and not job.state.ended:
            await end(tx, job, None, kinds=kinds, ids=ids, now=now)
        if one.model:
            await tx.models.save(one.model.barred(item.id if item else dataset.id))
    for snapshot in {one.run.snapshot for one in made if one.run.dataset == dataset.id}:
        await erase(tx, await tx.snapshots.get(snapshot), now=now)
    what = f"picture {item.position + 1} of «{dataset.name}»" if item else f"«{dataset.name}»"
    owners = {one.run.owner for one in made} | {dataset.owner}
    moderators = {one.id for one in await staff(tx, admins, Role.MODERATOR)}
    for account in sorted((owners | moderators) - {by}):
        mine = [one for one in made if one.run.owner == account or account in moderators]
        await tx.notices.add(await _told(tx, account, what, mine, name=f"withdrawn:{ids.new()}", now=now))
    return made


async def consent(tx: Repositories, dataset: Dataset, item: Item | None) -> None:
    """Give consent again: models that nothing else stands against can be used by their owners, and published by them.

    The caller saves the dataset.
    """
    if item:
        await tx.items.save(item.but(withdrawn_at=None))
    for one in await descendants(tx, dataset.id, item.id if item else None):
        if one.model:
            await tx.models.save(one.model.unbarred(item.id if item else dataset.id))


async def _told(
    tx: Repositories, account: str, what: str, made: Sequence[Descendant], *, name: str, now: datetime
) -> Notice:
    names = sorted(one.model.name for one in made if one.model)
    lines = ["Nothing is trained on it any more."]
    lines += [f"Nobody can use what was made of it: {', '.join(names)}."] if names else []
    return Notice(
        id=name,
        account=account,
        place=(await tx.accounts.get(account)).home,
        topic=Topic.CONSENT,
        details={"title": f"The consent for {what} was withdrawn", "text": "\n".join(lines)},
        created_at=now,
    )
