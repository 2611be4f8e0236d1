"""Admin commands about the work: who works, what runs and waits, and what is turned off for a while."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, Given, Listed, OneOf, Row
from bots.chat.references import JobRef, OfferingRef
from bots.chat.reply import Reply, Table
from bots.chat.wording import number
from core.domain.account import Role
from core.domain.fleet import Worker
from core.domain.job import Job, JobState
from core.domain.offering import Offering
from core.domain.switch import QUEUE, of_offering, of_worker


class State(StrEnum):
    """What a switch is turned to."""

    ON = "on"
    OFF = "off"


class WorkerRef(Listed[Worker]):
    """A worker that lives."""

    noun = "worker"
    hint = "See `admin workers`."

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Worker]]:
        """The workers heard of lately."""
        alive = await call.services.jobs.workers()
        return [Row(value=worker.id, label=_named(worker), thing=worker) for worker in alive]


class RunningRef(JobRef):
    """A running job, whoever's it is."""

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Job]]:
        """Everybody's jobs that run."""
        found = await call.services.operations.queue(call.actor)
        running = [job for job in found.jobs if job.state is JobState.RUNNING]
        return [Row(value=job.id, label=f"{found.owners.get(job.owner)}: {job.title}", thing=job) for job in running]


Which = Annotated[Worker, WorkerRef("Which worker")]


@command("admin workers", role=Role.ADMIN)
async def workers(call: Call) -> Reply:
    """The workers that are alive, and what they do."""
    alive = await call.services.operations.workers(call.actor)
    if not alive:
        return Reply(title="No live worker", lines=("Start one: `loraguild worker`.",))
    rows = tuple(
        (
            f"{_named(hand.worker)} ({hand.worker.device})",
            "nothing more: draining" if hand.draining else ", ".join(hand.worker.kinds),
            ", ".join(hand.worker.jobs) or "idle",
        )
        for hand in alive
    )
    return Reply(title=number(len(alive), "worker"), table=Table(header=("worker", "takes", "works on"), rows=rows))


@command("admin drain", role=Role.ADMIN)
async def drain(call: Call, worker: Which) -> Reply:
    """Let a worker end what it does and take nothing more."""
    await call.services.operations.turn(call.actor, of_worker(worker.id), on=False)
    return Reply(title=f"{_named(worker)} takes no more jobs", lines=(f"Undo it: `admin undrain {worker.id}`.",))


@command("admin undrain", role=Role.ADMIN)
async def undrain(call: Call, worker: Which) -> Reply:
    """Let a worker take jobs again."""
    await call.services.operations.turn(call.actor, of_worker(worker.id), on=True)
    return Reply(title=f"{_named(worker)} takes jobs again")


@command("admin pause", role=Role.ADMIN)
async def pause(call: Call) -> Reply:
    """Let no worker take any job; orders are still taken, and what runs goes on."""
    await call.services.operations.turn(call.actor, QUEUE, on=False)
    return Reply(title="The queue is paused", lines=("What runs goes on. Undo it: `admin resume`.",))


@command("admin resume", role=Role.ADMIN)
async def resume(call: Call) -> Reply:
    """Let workers take jobs again."""
    await call.services.operations.turn(call.actor, QUEUE, on=True)
    return Reply(title="The queue goes on")


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
        title="The queue is paused" if found.paused else "The queue" if rows else "The queue is empty",
        table=Table(header=("job", "whose", "state"), rows=rows) if rows else None,
    )


@command("admin requeue", role=Role.ADMIN)
async def requeue(call: Call, job: Annotated[Job, RunningRef("Which running job")]) -> Reply:
    """Take a running job from its worker; another goes on with it from its last checkpoint."""
    waiting = await call.services.operations.requeue(call.actor, job.id)
    return Reply(title=f"{waiting.title} is in the queue again")


def _named(worker: Worker) -> str:
    return f"{worker.host}:{worker.pid}"


def _state(job: Job, positions: Mapping[str, str]) -> str:
    if job.state is JobState.RUNNING:
        steps = f", {job.progress.step}/{job.progress.total}" if job.progress else ""
        return f"running on {job.worker}{steps}"
    return positions.get(job.id, "waiting for others of the same owner")
