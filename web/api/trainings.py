"""Trainings: ordered from a quote, and followed until they end and beyond."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, ClassVar

from aiohttp import web
from pydantic import Field, JsonValue

from core.domain.artifact import Artifact
from core.domain.errors import (
    JobEnded,
    Missing,
    NotAttested,
    NotEnoughPoints,
    NotFound,
    QueueFull,
    QuoteExpired,
    TooManyStreams,
)
from core.domain.failure import REMEDIES
from core.domain.job import Job, JobState
from core.domain.model import Model
from core.domain.run import Epoch, Run
from core.domain.token import Scope
from core.domain.watch import Sight
from core.kinds import training
from web.api.jobs import After, FileOut, JobOut, MetricsOut, SampleOut, files, followed, jobs_out
from web.api.quotes import TRAINABLE, UNFIT
from web.api.route import PREFIX, Body, Listed, Out, Paging, Query, route
from web.visiting import Asked

LONGEST = 200  # characters of an id


class EpochOut(Out):
    """One pass: where it ended, and how well; `wished` was saved between two, and of what is `gone` the file is."""

    name: str
    number: int
    step: int
    loss: float
    evaluation: float | None
    wished: bool
    gone: bool
    size: int


class RunOut(Out):
    """How a training is done, with all that repeats it; evaluations are mean losses on fixed held-out noise."""

    offering: str
    offering_version: str
    recipe: str
    settings: Mapping[str, JsonValue]
    seed: int
    steps: int
    base: str
    base_hash: str | None
    code_version: str | None
    dataset: str
    snapshot: str
    continues: str | None
    remedies: tuple[str, ...]
    epochs: tuple[EpochOut, ...]
    evaluation_before: float | None
    evaluation_after: float | None


class TrainingOut(JobOut):
    """A training: its job and its run; once it has ended well, its model, and what there is to fetch."""

    fleeting: ClassVar[frozenset[str]] = frozenset({"files"})
    run: RunOut
    model: str | None
    notes: tuple[str, ...]
    receipt: str
    files: tuple[FileOut, ...]


class WaitingOut(Out):
    """Why a job is waiting, and for about how many seconds: its place, what holds it back, what would help.

    It is `blocked_by` its owner's other jobs. `workers` can take it; where none can, `wanting` is what the one lacks
    that comes closest. The `helped` seconds are those with one worker more.
    """

    place: int
    soonest: float | None
    latest: float | None
    helped_soonest: float | None
    helped_latest: float | None
    workers: int
    wanting: tuple[str, ...]
    blocked_by: tuple[str, ...]
    pauses: tuple[str, ...]
    asleep_until: datetime | None


class OrderIn(Body):
    """The quote to accept; `attested` is the version of the words on rights and consent that you mean."""

    quote: Annotated[str, Field(min_length=1, max_length=LONGEST)]
    attested: Annotated[str | None, Field(max_length=LONGEST)] = None


class Wanted(Paging):
    """Which trainings."""

    state: JobState | None = None


class Since(Query):
    """After which step."""

    after: Annotated[int, Field(ge=0, le=10**9)] = 0


@route(
    "POST",
    "/trainings",
    status=HTTPStatus.CREATED,
    scope=Scope.SPEND,
    idempotent=True,
    location="/trainings/{id}",
    errors=(NotFound, QuoteExpired, NotAttested, NotEnoughPoints, QueueFull, *TRAINABLE, *UNFIT),
)
async def order(asked: Asked, body: OrderIn) -> TrainingOut:
    """Order a training by accepting its quote; the price is set aside at once, and paid by success."""
    job = await asked.services.trainings.order(asked.actor, body.quote, place=asked.place, attested=body.attested)
    return await shown(asked, job)


@route("GET", "/trainings", errors=(NotFound,))
async def list_(asked: Asked, query: Wanted) -> Listed[JobOut]:
    """List your trainings, newest first."""
    found = await asked.services.jobs.list(
        asked.actor, kind="training", state=query.state, after=query.after, limit=query.limit + 1
    )
    return Listed[JobOut].of(await jobs_out(asked, found), limit=query.limit, name=lambda job: job.id)


@route("GET", "/trainings/{training}")
async def view(asked: Asked, training: str) -> TrainingOut:
    """Show a training with its epochs, and what there is to fetch."""
    job, _ = await _training(asked, training)
    return await shown(asked, job)


@route("POST", "/trainings/{training}/cancel", errors=(JobEnded,))
async def cancel(asked: Asked, training: str) -> TrainingOut:
    """Cancel a training, waiting or running; nothing is kept, and what was set aside goes back at once."""
    await _training(asked, training)
    return await shown(asked, await asked.services.jobs.cancel(asked.actor, training))


@route("GET", "/trainings/{training}/metrics")
async def metrics(asked: Asked, training: str, query: Since) -> MetricsOut:
    """Show the chart of a training: the mean loss since the point before, and the learning rate, by step."""
    job, _ = await _training(asked, training)
    points = await asked.services.runs.chart(job.id, after=query.after)
    return MetricsOut(job=job.id, points=tuple(points))


@route("GET", "/trainings/{training}/samples")
async def samples(asked: Asked, training: str) -> Listed[SampleOut]:
    """List what a training has shown so far, at the ends of its epochs and on wish, by step."""
    job, run = await _training(asked, training)
    made, downloads = Sight(job=job, run=run).samples, asked.services.downloads
    items = (SampleOut(job=job.id, step=one.step, epoch=one.epoch, files=files(one.made, downloads)) for one in made)
    return Listed[SampleOut](items=tuple(items))


@route("GET", "/trainings/{training}/events", media="text/event-stream", errors=(TooManyStreams,))
async def events(asked: Asked, training: str, query: After) -> web.StreamResponse:
    """Watch a training: events `job`, `metrics`, `sample` and at last `end`, each with JSON.

    The id of an event is how much you have seen: sent back as `Last-Event-ID`, it lets you go on without gap or
    repetition.
    """
    job, _ = await _training(asked, training)
    return await followed(asked, job.id, query)


@route("GET", "/trainings/{training}/why")
async def why(asked: Asked, training: str) -> WaitingOut:
    """Show why a training is waiting, when it will start, and what would help."""
    job, _ = await _training(asked, training)
    waiting = await asked.services.jobs.why(asked.actor, job.id)
    return WaitingOut(
        place=waiting.ahead + 1,
        soonest=waiting.forecast.soonest,
        latest=waiting.forecast.latest,
        helped_soonest=waiting.helped.soonest,
        helped_latest=waiting.helped.latest,
        workers=len(waiting.workers),
        wanting=waiting.wanting,
        blocked_by=tuple(other.id for other in waiting.blocked_by),
        pauses=waiting.pauses,
        asleep_until=job.not_before if job.asleep else None,
    )


def epoch_out(epoch: Epoch) -> EpochOut:
    """An epoch without its files."""
    own = {name: getattr(epoch, name) for name in EpochOut.model_fields if name != "size"}
    return EpochOut(**own, size=epoch.artifact.size)


async def _training(asked: Asked, name: str) -> tuple[Job, Run]:
    """A training that the actor may see.

    Raises:
        NotFound: There is none.
    """
    job = await asked.services.jobs.view(asked.actor, name)
    run = await asked.services.runs.find(name)
    if run is None or job.kind != "training":
        raise NotFound(noun="training", name=name, hint="See `train list`.")
    return job, run


async def shown(asked: Asked, job: Job) -> TrainingOut:
    """A training with all that there is to it."""
    _, run = await _training(asked, job.id)
    model = await _model(asked, job)
    result = training.Result.model_validate(job.result) if job.result else None
    return TrainingOut(
        **dict((await jobs_out(asked, [job]))[0]),
        run=_run_out(run),
        model=model.id if model else None,
        notes=result.notes if result else (),
        receipt=f"{asked.services.uploads.address}{PREFIX}/receipts/{job.id}",
        files=files(list(_fetchable(run, model, result)), asked.services.downloads),
    )


async def _model(asked: Asked, job: Job) -> Model | None:
    try:
        return await asked.services.models.of_run(asked.actor, job.id)
    except Missing:
        return None


def _fetchable(run: Run, model: Model | None, result: training.Result | None) -> Iterator[Artifact]:
    """What may be taken away, once it is paid for: the model, and its epochs while they are kept."""
    if result:
        yield result.grid
    if model and model.usable:
        yield model.file
        yield from (epoch.artifact for epoch in run.epochs if not epoch.gone)


def _run_out(run: Run) -> RunOut:
    own = {name: getattr(run, name) for name in RunOut.model_fields if name not in {"settings", "remedies", "epochs"}}
    remedies = tuple(REMEDIES[one] for one in run.remedies)
    return RunOut(
        **own, settings=run.hyperparameters, remedies=remedies, epochs=tuple(epoch_out(one) for one in run.epochs)
    )
