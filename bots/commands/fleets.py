"""Admin commands about the fleet: who works on what, and letting workers leave, one or all, for others to come."""

from collections.abc import Sequence
from typing import Annotated

from bots.chat.definition import command
from bots.chat.parameter import Call, Given, Listed, Row
from bots.chat.reply import Reply, Table
from bots.chat.wording import duration, number, pace
from core.domain.account import Role
from core.domain.fleet import Worker
from core.domain.job import Job
from core.domain.switch import of_worker
from core.services.operations import Hand

ALL = "all"
GB = 1024  # MB


class WorkersRef(Listed[tuple[Worker, ...]]):
    """A worker that lives, or all of them."""

    noun = "worker"
    hint = "See `admin workers`."

    async def rows(
        self, call: Call, text: str, given: Given, *, after: str, limit: int
    ) -> Sequence[Row[tuple[Worker, ...]]]:
        """The workers heard of lately, and all of them together."""
        alive = tuple(await call.services.jobs.workers())
        choices = {worker.id: (worker.name, (worker,)) for worker in alive} | ({ALL: (ALL, alive)} if alive else {})
        return [Row(value=value, label=label, thing=thing) for value, (label, thing) in choices.items()]


Which = Annotated[tuple[Worker, ...], WorkersRef("Which worker, or `all`")]


@command("admin workers", role=Role.ADMIN)
async def workers(call: Call) -> Reply:
    """The workers of the last day: what they are, what they take and what they do."""
    hands = await call.services.operations.workers(call.actor)
    if not hands:
        return Reply(title="No live worker", lines=("Start one: `loraguild worker`.",))
    alive = [hand.worker for hand in hands if hand.silent is None]
    lacks = sorted({(worker.host, *lack) for worker in alive for lack in worker.missing.items()})
    return Reply(
        title=number(len(alive), "live worker"),
        table=Table(header=("worker", "takes", "works on"), rows=tuple(_row(hand) for hand in hands)),
        lines=tuple(f"{host} cannot work on {offering}: {why}." for host, offering, why in lacks),
    )


@command("admin drain", role=Role.ADMIN)
async def drain(call: Call, worker: Which) -> Reply:
    """Let a worker, or `all`, end what it does and leave; whatever keeps it running then starts a new one."""
    await call.services.operations.turn(call.actor, *(of_worker(one.id) for one in worker), on=False)
    undo = f"Once idle it leaves. Until then: `admin undrain {worker[0].id if len(worker) == 1 else ALL}`."
    return Reply(title=f"{_named(worker)}: no more jobs", lines=(undo,))


@command("admin undrain", role=Role.ADMIN)
async def undrain(call: Call, worker: Which) -> Reply:
    """Let a worker, or `all`, take jobs again."""
    await call.services.operations.turn(call.actor, *(of_worker(one.id) for one in worker), on=True)
    return Reply(title=f"{_named(worker)}: takes jobs again")


def _named(workers: Sequence[Worker]) -> str:
    return ", ".join(worker.name for worker in workers)


def _row(hand: Hand) -> tuple[str, str, str]:
    worker = hand.worker
    memory = f"{worker.memory / GB:.0f} GB" if worker.memory else ""
    labels = f"has {', '.join(worker.labels)}" if worker.labels else ""
    takes = "nothing more: draining" if hand.draining else ", ".join(worker.kinds)
    speed = f"{worker.speed:.3g} steps/s" if worker.speed else ""
    warm = f"{worker.base} is warm" if worker.base else ""
    does = ", ".join(_doing(job) for job in hand.jobs) or "idle"
    name = f"{worker.name} ({', '.join(filter(None, (worker.device, memory, worker.version)))})"
    if hand.silent:
        return name, "", f"not heard of for {duration(hand.silent.total_seconds())}"
    return name, "; ".join(filter(None, (takes, labels))), "; ".join(filter(None, (does, warm, speed)))


def _doing(job: Job) -> str:
    far = f", {pace(job.progress)}" if job.progress else ""
    return f"{job.title} ({job.id}, attempt {job.attempt}{far})"
