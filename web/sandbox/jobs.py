"""Jobs: what runs, waits and has ended, and each with all that is known of it at the moment."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from aiohttp import web

from core.domain.account import Role
from core.domain.errors import Missing
from core.domain.job import Job, JobState
from core.domain.retry import is_free
from core.domain.run import MetricsPoint
from core.domain.watch import Cursor, News, Sight, What
from core.domain.wording import ACTS
from core.kinds import export, intake, training
from core.ports.store import PAGE
from web.live import LIVE, at, moment
from web.pages import PAGES
from web.sandbox.page import Look, one_of, page
from web.streams import last_id, streamed

SMOOTH = 0.9  # how much of the mean of the losses so far stays at each point
LAST = 12  # points in the table beside the chart


@page("GET", "/jobs")
async def list_(look: Look) -> web.StreamResponse:
    """The jobs of one's own, of all kinds and states or of one."""
    services, kind, named = look.services, look.query.get("kind", ""), look.query.get("state", "")
    state = one_of(JobState, named, what="state") if named else None
    now = services.watches.clock.now()
    after = look.query.get("after", "")
    found = await services.jobs.list(look.actor, kind=kind or None, state=state, after=after, limit=PAGE + 1)
    sights = await asyncio.gather(*(_sight(look, job) for job in found[:PAGE]))
    return look.shown(
        "jobs/list.html",
        sights=await services.watches.placed(sights),
        more=found[PAGE - 1].id if len(found) > PAGE else "",
        kinds=sorted(services.jobs.kinds),
        kind=kind,
        state=state,
        states=list(JobState),
        after=after,
        now=moment(now),
    )


@page("GET", "/jobs/events")
async def events(look: Look) -> web.StreamResponse:
    """How all open jobs stand, as it changes, as markup for the list."""
    after = last_id(look.request) or look.query.get("after", "")
    source = look.request.config_dict[LIVE].jobs(look.visitor, after=after)
    return await streamed(look.request, source, shown=_listed(look, since=at(after)), unnamed={What.JOB})


@page("GET", "/jobs/{job}")
async def view(look: Look) -> web.StreamResponse:
    """One job: how far it is, what it has shown, why it waits, what came out of it, what it has cost."""
    services, actor = look.services, look.actor
    sight = await services.watches.sight(actor, look.path("job"))
    job, run = sight.job, sight.run
    receipt = await services.wallets.receipt(actor, job.id) if job.price else None
    return look.shown(
        "jobs/view.html",
        sight=sight,
        job=job,
        run=run,
        mine=job.owner == actor.account,
        cancels=job.owner == actor.account or actor.role.covers(Role.ADMIN),
        cursor=Cursor(step=sight.step, samples=len(sight.samples), digest=sight.digest),
        chart=_chart(sight.points),
        last=_smoothed(sight.points)[-LAST:],
        waiting=await services.jobs.why(actor, job.id) if job.state is JobState.QUEUED else None,
        receipt=receipt,
        acts=ACTS,
        free=is_free(job),
        picture=look.picture,
        **await _outcome(look, job),
    )


@page("GET", "/jobs/{job}/events")
async def watch(look: Look) -> web.StreamResponse:
    """Everything new of one job: points as numbers, the rest as markup for its page."""
    after = last_id(look.request) or look.query.get("after", "")
    source = look.request.config_dict[LIVE].job(look.visitor, look.path("job"), after=after)
    return await streamed(look.request, source, shown=_markup(look), unnamed={What.JOB, What.SAMPLE})


@page("GET", "/jobs/{job}/why")
async def why(look: Look) -> web.StreamResponse:
    """Why a job waits, as a part of its page."""
    waiting = await look.services.jobs.why(look.actor, look.path("job"))
    return look.shown("jobs/why.html", waiting=waiting if waiting.job.state is JobState.QUEUED else None)


async def _sight(look: Look, job: Job) -> Sight:
    """A job as the list shows it: one that trains with what it has shown so far."""
    trains = job.kind == "training" and job.state is JobState.RUNNING
    return Sight(job=job, run=await look.services.runs.find(job.id) if trains else None)


async def _outcome(look: Look, job: Job) -> Mapping[str, object]:
    """What came out of a job, by its kind: nothing (any more) where it is deleted, or its owner forgotten."""
    services, facts = look.services, dict.fromkeys(("model", "result", "made", "kept", "notable"))
    if job.state is not JobState.SUCCEEDED or job.result is None:
        return facts
    with suppress(Missing):
        match job.kind:
            case "training":
                facts["result"] = training.Result.model_validate(job.result)
                facts["model"] = await services.models.of_run(look.actor, job.id)
            case "generation":
                facts["made"] = (await services.generations.view(look.actor, job.id)).generation
            case "export":
                facts["result"] = export.Result.model_validate(job.result)
                facts["kept"] = await services.exports.kept(job.id)
            case "intake":
                found = intake.Result.model_validate(job.result)
                facts["notable"] = [one for one in found.outcomes if one.verdict is not intake.Verdict.TAKEN]
    return facts


def _markup(look: Look) -> Callable[[News], str]:
    """What a page is sent of news."""
    pages = look.request.app[PAGES]

    def shown(news: News) -> str:
        match news.what:
            case What.METRICS:
                return _chart(news.points)
            case What.SAMPLE:
                return pages.text("jobs/sample.html", sample=news.sample, picture=look.picture, fresh=True)
            case What.JOB:
                return pages.text("jobs/news.html", sight=news.sight)
        return ""

    return shown


def _listed(look: Look, *, since: datetime | None) -> Callable[[News], str]:
    """What the list is sent of news; of a job that was ordered since then also that there is one more."""
    markup, fresh = _markup(look), set[str]()

    def shown(news: News) -> str:
        job = news.sight.job
        if news.what is not What.JOB or since is None or job.created_at <= since or job.id in fresh:
            return markup(news)
        fresh.add(job.id)
        return markup(news) + look.request.app[PAGES].text("jobs/fresh.html")

    return shown


def _chart(points: Sequence[MetricsPoint]) -> str:
    """Steps, losses and learning rates, as the chart takes them."""
    return json.dumps([[one.step for one in points], [one.loss for one in points], [one.lr for one in points]])


def _smoothed(points: Sequence[MetricsPoint]) -> Sequence[tuple[MetricsPoint, float]]:
    """Every point with the mean of the losses up to it, of which the latest count most."""
    mean, rows = 0.0, []
    for count, point in enumerate(points, start=1):
        mean = SMOOTH * mean + (1 - SMOOTH) * point.loss
        rows.append((point, mean / (1 - SMOOTH**count)))
    return rows
