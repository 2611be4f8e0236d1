"""Jobs of every kind: what they do, how far they are, how to be told at once, and how to call them off."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from aiohttp import web

from core.domain.artifact import Artifact
from core.domain.errors import JobEnded, NotFound, TooManyStreams
from core.domain.job import Failure, Job, JobState, Progress
from core.domain.log import Line
from core.domain.run import MetricsPoint
from core.domain.steering import Steer
from core.domain.watch import News, Sight, What
from core.services.downloads import Downloads
from web.api.route import Listed, Out, Paging, Query, route
from web.live import LIVE
from web.streams import last_id, streamed
from web.visiting import Asked


class FileOut(Out):
    """A stored file; whoever has its link can fetch it for a week."""

    fleeting: ClassVar[frozenset[str]] = frozenset({"link"})
    name: str
    size: int
    media_type: str
    link: str


class WishOut(Out):
    """Something that was wished of a running training; `number` is the epoch to keep, or how many steps more."""

    what: Steer
    number: int | None
    at: datetime
    done_at: datetime | None


class JobOut(Out):
    """A job: `place` is where it stands in the queue, from 1 on; `price` is set aside, and `due` is owed by now."""

    id: str
    kind: str
    title: str
    subject: str
    offering: str | None
    state: JobState
    place: int | None = None
    progress: Progress | None
    failure: Failure | None
    wishes: tuple[WishOut, ...]
    price: int
    due: int
    attempt: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class LogOut(Out):
    """What happened to a job: when, in which attempt, in words."""

    lines: tuple[Line, ...]


class MetricsOut(Out):
    """Points of a training's chart, by step."""

    job: str
    points: tuple[MetricsPoint, ...]


class SampleOut(Out):
    """What a training showed after a step, and at the end of which epoch if it was one."""

    job: str
    step: int
    epoch: str | None
    files: tuple[FileOut, ...]


class EndOut(Out):
    """That nothing more will come."""

    job: str
    state: JobState


class Wanted(Paging):
    """Which jobs."""

    kind: str = ""
    state: JobState | None = None


class After(Query):
    """Where to go on: the id of the last event; what clients send by themselves, as `Last-Event-ID`, goes before it."""

    after: str = ""


@route("GET", "/jobs", errors=(NotFound,))
async def list_(asked: Asked, query: Wanted) -> Listed[JobOut]:
    """List your jobs of all kinds, newest first."""
    found = await asked.services.jobs.list(
        asked.actor, kind=query.kind or None, state=query.state, after=query.after, limit=query.limit + 1
    )
    return Listed[JobOut].of(await jobs_out(asked, found), limit=query.limit, name=lambda job: job.id)


@route("GET", "/jobs/{job}")
async def view(asked: Asked, job: str) -> JobOut:
    """Show a job."""
    return (await jobs_out(asked, [await asked.services.jobs.view(asked.actor, job)]))[0]


@route("GET", "/jobs/{job}/log")
async def log(asked: Asked, job: str) -> LogOut:
    """Show what happened to a job, the first thing first; of a great many the last."""
    return LogOut(lines=(await asked.services.jobs.view(asked.actor, job)).log)


@route("POST", "/jobs/{job}/cancel", errors=(JobEnded,))
async def cancel(asked: Asked, job: str) -> JobOut:
    """Cancel a job, waiting or running; what was set aside goes back at once."""
    return job_out(await asked.services.jobs.cancel(asked.actor, job))


@route("GET", "/jobs/{job}/events", media="text/event-stream", errors=(TooManyStreams,))
async def events(asked: Asked, job: str, query: After) -> web.StreamResponse:
    """Watch a job: events `job`, `metrics`, `sample` and at last `end`, each with JSON.

    The id of an event is how much you have seen: sent back as `Last-Event-ID`, it lets you go on without gap or
    repetition.
    """
    return await followed(asked, job, query)


async def followed(asked: Asked, job: str, query: After) -> web.StreamResponse:
    """Everything new of a job as it comes."""
    after, live = last_id(asked.request) or query.after, asked.request.config_dict[LIVE]
    source = live.job(asked.visitor, job, after=after)
    return await streamed(asked.request, source, shown=lambda one: told(one, asked.services.downloads))


async def jobs_out(asked: Asked, jobs: Sequence[Job]) -> list[JobOut]:
    """Jobs with their places in the queue."""
    sights = await asked.services.watches.placed([Sight(job=job) for job in jobs])
    return [job_out(sight.job, ahead=sight.ahead) for sight in sights]


def job_out(job: Job, *, ahead: int | None = None) -> JobOut:
    """A job as everybody is shown it who may see it."""
    wishes = (WishOut(what=one.what, number=one.number, at=one.at, done_at=one.done_at) for one in job.wishes)
    own = {name: getattr(job, name) for name in JobOut.model_fields if name not in {"place", "wishes"}}
    return JobOut(**own, wishes=tuple(wishes), place=None if ahead is None else ahead + 1)


def files(found: Sequence[Artifact], downloads: Downloads) -> tuple[FileOut, ...]:
    """Files with links to fetch them."""
    return tuple(
        FileOut(name=one.name, size=one.size, media_type=one.media_type, link=downloads.link(one)) for one in found
    )


def told(news: News, downloads: Downloads) -> str:
    """What an event brings, as JSON."""
    return _brought(news, downloads).model_dump_json()


def _brought(news: News, downloads: Downloads) -> Out:
    job, sample = news.sight.job, news.sample
    match news.what:
        case What.METRICS:
            return MetricsOut(job=job.id, points=news.points)
        case What.SAMPLE if sample:
            return SampleOut(job=job.id, step=sample.step, epoch=sample.epoch, files=files(sample.made, downloads))
        case What.END:
            return EndOut(job=job.id, state=job.state)
        case _:
            return job_out(job, ahead=news.sight.ahead)
