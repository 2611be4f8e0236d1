"""Job cards: the one message about a job, whatever its kind. A module per kind says how its end looks."""

from contextlib import suppress
from importlib import import_module
from typing import Protocol, cast

from bots.chat.parameter import Call
from bots.chat.reply import Button, Reply
from core.domain.account import Role
from core.domain.action import Style, Then
from core.domain.errors import Missing
from core.domain.job import Job, JobState
from core.domain.retry import is_free

MARKS = {
    JobState.QUEUED: "waiting",
    JobState.RUNNING: "running",
    JobState.SUCCEEDED: "done",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
}


class Drawing(Protocol):
    """The shape of a module in this package."""

    async def running(self, call: Call, job: Job) -> Reply:
        """What can be shown of the job on the way; the title is ignored."""
        ...

    async def done(self, call: Call, job: Job) -> Reply:
        """What came out of a job that succeeded; the title is ignored."""
        ...


async def card(call: Call, job_id: str) -> Reply:
    """The card of a job as it stands.

    Raises:
        NotFound: There is no such job for this actor.
    """
    return await drawn(call, await call.services.jobs.view(call.actor, job_id))


async def drawn(call: Call, job: Job) -> Reply:
    """The card of a job in this state."""
    title = f"{job.title} · {MARKS[job.state]}"
    match job.state:
        case JobState.QUEUED:
            waiting = await call.services.jobs.why(call.actor, job.id)
            paused = ("The queue is paused. The job keeps its place.",) if waiting.paused else ()
            lines = (f"Position {waiting.ahead + 1} in the queue.", *paused)
            reply = Reply(title=title, lines=lines, buttons=_cancel(call, job))
        case JobState.RUNNING:
            reply = await _drawing(job).running(call, job)
            reply = reply.but(progress=job.progress, buttons=(*reply.buttons, *_cancel(call, job)))
        case JobState.SUCCEEDED:
            reply = await _done(call, job)
        case JobState.FAILED:
            words = job.failure.words if job.failure else ""
            code = job.failure.code if job.failure else None
            reply = Reply(
                title=title, lines=(words, *_returned(job)), code=code, unavailable=True, buttons=_again(call, job)
            )
        case JobState.CANCELLED:
            reply = Reply(title=title, lines=_returned(job))
    return reply.but(title=title, job=job.id)


def parting(job: Job) -> Reply:
    """What a card says that is kept up to date no longer: where the job stands, and what to do for more."""
    words = "The result is below." if job.state.ended else f"Not kept up to date here: `train view {job.id}`."
    return Reply(title=f"{job.title} · {MARKS[job.state]}", lines=(words,))


def continued(job: Job) -> Reply:
    """What a card says that is followed by a fresh one."""
    return Reply(title=job.title, lines=("Continues below.",))


def _returned(job: Job) -> tuple[str, ...]:
    kept = f", but for {job.due} for what was done" if job.due else ""
    return (f"The {job.price} set aside went back to your wallet{kept}.",) if job.price else ()


async def _done(call: Call, job: Job) -> Reply:
    with suppress(Missing):
        if job.result is not None:  # else its owner was forgotten, and what came of it with them
            return await _drawing(job).done(call, job)
    return Reply(title=job.title, lines=("What it was about has been deleted meanwhile.",))


def _drawing(job: Job) -> Drawing:
    return cast("Drawing", import_module(f"{__name__}.{job.kind}"))


def _again(call: Call, job: Job) -> tuple[Button, ...]:
    """A button for the owner of a training that failed."""
    if job.owner != call.actor.account or job.kind != "training":
        return ()
    label = "Try again for free" if is_free(job) else "Order again"
    return (Button(label=label, command="train retry", arguments={"job": job.id}),)


def _cancel(call: Call, job: Job) -> tuple[Button, ...]:
    """A button for those who may: the owner and admins, not every moderator who looks."""
    if job.owner != call.actor.account and not call.actor.role.covers(Role.ADMIN):
        return ()
    arguments = {"job": job.id}
    return (Button(label="Cancel", command="train cancel", arguments=arguments, style=Style.DANGER, then=Then.REPLACE),)
