"""Admin commands about the work: what runs and waits, and what is turned off for a while."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, Given, Listed, OneOf, Row
from bots.chat.references import JobRef, OfferingRef
from bots.chat.reply import Button, Reply, Table
from bots.commands.queues import halted
from core.domain.account import Role
from core.domain.job import Job, JobState, Priority
from core.domain.offering import Offering
from core.domain.switch import QUEUE, of_claims, of_kind, of_offering


class State(StrEnum):
    """What a switch is turned to."""

    ON = "on"
    OFF = "off"


class RunningRef(JobRef):
    """A running job, whoever's it is."""

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Job]]:
        """Everybody's jobs that run."""
        found = await call.services.operations.queue(call.actor)
        running = [job for job in found.jobs if job.state is JobState.RUNNING]
        return [Row(value=job.id, label=f"{found.owners.get(job.owner)}: {job.title}", thing=job) for job in running]


class WaitingRef(JobRef):
    """A waiting job, whoever's it is."""

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Job]]:
        """Everybody's jobs that wait."""
        found = await call.services.operations.queue(call.actor)
        waiting = [job for job in found.jobs if job.state is JobState.QUEUED]
        return [Row(value=job.id, label=f"{found.owners.get(job.owner)}: {job.title}", thing=job) for job in waiting]


class WorkRef(Listed[str]):
    """Jobs of a kind or an offering, or all there are, as the switch that lets workers take them."""

    noun = "kind or offering"
    hint = "Give a kind of job, such as training, or an offering: see `offerings`."
    asked = False

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[str]]:
        """The whole queue, each kind, and each offering."""
        kinds = {kind: of_kind(kind) for kind in call.services.jobs.kinds}
        offerings = {offering: of_claims(offering) for offering in call.services.trainings.offerings}
        named = {QUEUE: QUEUE} | offerings | kinds
        return [Row(value=name, label=name, thing=switch) for name, switch in named.items()]


What = Annotated[str, WorkRef("A kind of job or an offering; nothing for all jobs")]


@command("admin pause", role=Role.ADMIN)
async def pause(call: Call, what: What = QUEUE) -> Reply:
    """Let no worker take any job, or none of a kind or an offering; what runs goes on."""
    await call.services.operations.turn(call.actor, what, on=False)
    again = "admin resume" if what == QUEUE else f"admin resume {what.partition(':')[2]}"
    return Reply(title=halted(what), lines=(f"What runs goes on. Undo it: `{again}`.",))


@command("admin resume", role=Role.ADMIN)
async def resume(call: Call, what: What = QUEUE) -> Reply:
    """Let workers take jobs again."""
    await call.services.operations.turn(call.actor, what, on=True)
    return Reply(title="The queue goes on" if what == QUEUE else f"{what.partition(':')[2]} goes on")


@command("admin offering", role=Role.ADMIN)
async def offering(
    call: Call,
    offering: Annotated[Offering, OfferingRef("Which offering")],
    state: Annotated[State, OneOf("On or off", State)],
) -> Reply:
    """Put an offering on offer, or take it off; what was ordered stays ordered."""
    await call.services.operations.turn(call.actor, of_offering(offering.id), on=state is State.ON)
    return Reply(title=f"{offering.title} is {state.value}")


@command("admin queue", role=Role.ADMIN)
async def queue(call: Call) -> Reply:
    """Everybody's jobs that run or wait."""
    found = await call.services.operations.queue(call.actor)
    waiting = [job.id for job in found.jobs if job.state is JobState.QUEUED and job.eligible]
    positions = {job: f"waiting, number {number}" for number, job in enumerate(waiting, start=1)}
    rows = tuple(
        (f"{job.id} {job.title}", found.owners.get(job.owner, "?"), _state(job, positions)) for job in found.jobs
    )
    return Reply(
        title=halted(QUEUE) if found.paused else "The queue" if rows else "The queue is empty",
        lines=tuple(f"{halted(switch)}." for switch in found.pauses if switch != QUEUE),
        table=Table(header=("job", "whose", "state"), rows=rows) if rows else None,
        buttons=(
            *((Button(label="Priority", command="admin priority"),) if waiting else ()),
            Button(label="Costs", command="admin costs"),
        ),
    )


@command("admin priority", role=Role.ADMIN, menu=False)
async def priority(
    call: Call,
    job: Annotated[Job, WaitingRef("Which waiting job")],
    priority: Annotated[Priority, OneOf("How much it weighs against others", Priority)],
) -> Reply:
    """Give a waiting job more or less weight; with more it starts anew, also before its owner's others."""
    changed = await call.services.operations.prioritise(call.actor, job.id, priority)
    return Reply(title=f"{changed.title} has {changed.priority} priority")


@command("admin requeue", role=Role.ADMIN)
async def requeue(call: Call, job: Annotated[Job, RunningRef("Which running job")]) -> Reply:
    """Take a running job from its worker; another goes on with it from its last checkpoint."""
    waiting = await call.services.operations.requeue(call.actor, job.id)
    return Reply(title=f"{waiting.title} is in the queue again")


def _state(job: Job, positions: Mapping[str, str]) -> str:
    if job.state is JobState.RUNNING:
        steps = f", {job.progress.step}/{job.progress.total}" if job.progress else ""
        return f"running on {job.worker}{steps}"
    weight = "" if job.priority is Priority.NORMAL else f", {job.priority} priority"
    return f"{positions.get(job.id, 'waiting for others of the same owner')}{weight}"
