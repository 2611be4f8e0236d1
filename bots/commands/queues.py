"""The queue as somebody sees it who waits in it."""

from collections.abc import Iterator
from typing import Annotated

from bots.cards import MARKS
from bots.chat.definition import command
from bots.chat.parameter import Call
from bots.chat.references import JobRef
from bots.chat.reply import Reply
from bots.chat.wording import between, number
from core.domain.account import Role
from core.domain.job import Job, JobState
from core.domain.scheduling import Waiting
from core.domain.switch import QUEUE


@command("train why", role=Role.VIEWER)
async def why(call: Call, job: Annotated[Job, JobRef("Which job")]) -> Reply:
    """Why a job is waiting, when it will start, and what would help."""
    if job.state is not JobState.QUEUED:
        return Reply(title=f"{job.title} is not waiting: {MARKS[job.state]}", job=job.id)
    waiting = await call.services.jobs.why(call.actor, job.id)
    return Reply(title=f"{job.title} · waiting", lines=(*_held_back(waiting), *_moving(waiting)), job=job.id)


def halted(switch: str) -> str:
    """What nobody takes jobs of while a switch is off."""
    if switch == QUEUE:
        return "The queue is paused"
    return f"All of {switch.partition(':')[2]} is paused"


def _held_back(waiting: Waiting) -> Iterator[str]:
    """What stands in a job's way, each with what would help."""
    for switch in waiting.pauses:
        yield f"{halted(switch)}. The job keeps its place."
    if waiting.job.asleep:
        yield f"It is tried again at {waiting.job.not_before:%H:%M} UTC."
    yield f"Ahead of it: {number(waiting.ahead, 'job')}."
    if waiting.blocked_by:
        names = ", ".join(other.title for other in waiting.blocked_by)
        yield f"Your other jobs go first: {names}. Cancel one to let this one in."


def _moving(waiting: Waiting) -> Iterator[str]:
    """Who can take a job, and when; or what they would have to have."""
    forecast, helped, job = waiting.forecast, waiting.helped, waiting.job
    if waiting.workers:
        hosts = ", ".join(one.host for one in waiting.workers)
        yield f"{number(len(waiting.workers), 'worker')} can take it: {hosts}."
    elif waiting.wanting:
        yield f"No live worker can take it: the one that comes closest lacks {', '.join(waiting.wanting)}."
    else:
        having = f" with {', '.join(job.labels)}" if job.labels else ""
        yield f"No live worker{having} takes {job.kind} jobs. Start one: `loraguild worker`."
    if forecast.soonest is not None and forecast.latest is not None:
        yield f"It starts in about {between(forecast.soonest, forecast.latest)}."
        if helped.soonest is not None and helped.latest is not None and helped.latest < forecast.latest:
            yield f"With one more such worker: in about {between(helped.soonest, helped.latest)}."
