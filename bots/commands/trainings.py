"""Trainings: offerings, quotes, orders, and what becomes of them."""

from collections.abc import Mapping
from typing import Annotated

from bots.cards import MARKS, card
from bots.chat.definition import command
from bots.chat.parameter import Call, Overrides, Text
from bots.chat.references import JobRef, OfferingRef, OpenJobRef, PresetRef, SharedDatasetRef
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import number
from core.domain.account import Role
from core.domain.action import Style, Then
from core.domain.consent import RIGHTS, WORDS
from core.domain.dataset import Dataset
from core.domain.job import Job, JobState
from core.domain.offering import Offering
from core.services.trainings import Quoted

Ref = Annotated[Dataset, SharedDatasetRef("What to train on")]
Offered = Annotated[Offering, OfferingRef("What to buy")]
Preset = Annotated[str, PresetRef("How thorough: see `offerings`")]
Settings = Annotated[Mapping[str, str], Overrides("Settings to change, such as rank=8")]
MINUTE = 60


@command("offerings", role=Role.VIEWER)
async def offerings(call: Call) -> Reply:
    """What can be trained, in which presets, at what price."""
    rows = tuple(
        (offering.id, offering.title if on else f"{offering.title} (off for now)", _prices(offering))
        for offering, on in await call.services.trainings.offered()
    )
    return Reply(
        title="Offerings",
        lines=("Ask for a price: `quote DATASET OFFERING PRESET`. Settings go behind it, such as rank=8.",),
        table=Table(header=("offering", "what it is", "presets and points"), rows=rows),
    )


@command("quote", orders=True)
async def quote(call: Call, dataset: Ref, offering: Offered, preset: Preset = "", settings: Settings = {}) -> Reply:  # noqa: B006 - a frozen default that nobody changes
    """What a training would cost, without ordering it."""
    return await _quoted(call, dataset, offering, preset, settings)


@command("train order", orders=True)
async def order(call: Call, dataset: Ref, offering: Offered, preset: Preset = "", settings: Settings = {}) -> Reply:  # noqa: B006 - as above
    """Order a training: shows the price first, and waits for your Confirm."""
    return await _quoted(call, dataset, offering, preset, settings)


@command("train confirm", menu=False, orders=True)
async def confirm(
    call: Call,
    quote: Annotated[str, Text("The quote")],
    attested: Annotated[str, Text("The version of the words on rights and consent that you have read")] = "",
) -> Reply:
    """Accept a quote."""
    job = await call.services.trainings.order(call.actor, quote, place=call.told, attested=attested or None)
    return await card(call, job.id)


@command("train list", role=Role.VIEWER)
async def list_(call: Call) -> Reply:
    """Your trainings, newest first."""
    jobs = await call.services.trainings.list(call.actor)
    if not jobs:
        return Reply(title="No trainings yet", lines=("Order one: `train order DATASET OFFERING`.",))
    rows = tuple((job.id, job.title, MARKS[job.state]) for job in jobs)
    return Reply(title="Your trainings", table=Table(header=("job", "what", "state"), rows=rows))


@command("train view", role=Role.VIEWER)
async def view(call: Call, job: Annotated[Job, JobRef("Which job")]) -> Reply:
    """The card of a job."""
    return await card(call, job.id)


@command("train cancel")
async def cancel(call: Call, job: Annotated[Job, OpenJobRef("Which job")]) -> Reply:
    """Cancel a job, waiting or running; what was set aside goes back at once."""
    await call.services.jobs.cancel(call.actor, job.id)
    return await card(call, job.id)


@command("train why", role=Role.VIEWER)
async def why(call: Call, job: Annotated[Job, JobRef("Which job")]) -> Reply:
    """Why a job is waiting, and what would help."""
    waiting = await call.services.jobs.why(call.actor, job.id)
    if job.state is not JobState.QUEUED:
        return Reply(title=f"{job.title} is not waiting: {MARKS[job.state]}", job=job.id)
    lines = ["The queue is paused. The job keeps its place."] if waiting.paused else []
    lines.append(f"Ahead of it: {number(waiting.ahead, 'job')}.")
    if waiting.blocked_by:
        names = ", ".join(other.title for other in waiting.blocked_by)
        lines.append(f"Your other jobs go first: {names}. Cancel one to let this one in.")
    if waiting.workers:
        lines.append(
            f"{number(len(waiting.workers), 'worker')} can take it: {', '.join(one.host for one in waiting.workers)}."
        )
    else:
        having = f" with {', '.join(job.labels)}" if job.labels else ""
        lines.append(f"No live worker{having} takes {job.kind} jobs. Start one: `loraguild worker`.")
    return Reply(title=f"{job.title} · waiting", lines=tuple(lines), job=job.id)


async def _quoted(call: Call, dataset: Dataset, offering: Offering, preset: str, settings: Mapping[str, str]) -> Reply:
    chosen = preset or next(iter(offering.presets))
    quoted = await call.services.trainings.quote(call.actor, dataset, offering, preset=chosen, overrides=settings)
    return _presented(quoted, settings)


def _presented(quoted: Quoted, settings: Mapping[str, str]) -> Reply:
    quote, offering, dataset = quoted.quote, quoted.offering, quoted.dataset
    missing = quote.price - quoted.balance
    after = f"{quoted.balance - quote.price}" if missing <= 0 else f"{missing} missing"
    asks = dataset.attestation is None and dataset.owner == quote.owner
    attest = {"attested": RIGHTS} if asks else {}
    again = " ".join(f"{name}={value}" for name, value in settings.items())
    return Reply(
        title=f"{quote.price} points: {offering.title}, {quote.preset}",
        lines=(
            f"«{dataset.name}», {number(dataset.count, 'picture')}, trigger word {dataset.trigger}.",
            *((f"By confirming you attest: «{WORDS[RIGHTS]}»",) if asks else ()),
        ),
        fields=(
            ("made of", ", ".join(f"{part} {amount}" for part, amount in quote.parts.items())),
            ("settings", again or "as in the preset"),
            ("balance after", after),
            ("queue", f"{quoted.ahead} ahead"),
            ("takes about", _about(quote.seconds)),
            ("valid until", f"{quote.expires_at:%H:%M} UTC"),
        ),
        buttons=(
            Button(
                label="Confirm",
                command="train confirm",
                arguments={"quote": quote.id, **attest},
                style=Style.GO,
                then=Then.REPLACE,
            ),
            Button(label="Change", command="offerings"),
            Button(label="Cancel", command="train decline", then=Then.REPLACE),
        ),
    )


@command("train decline", menu=False)
async def decline(call: Call) -> Reply:
    """Let a quote pass."""
    return Reply(title="Nothing ordered")


def _prices(offering: Offering) -> str:
    steps = {preset: int(str(offering.settled(preset, {})["steps"])) for preset in offering.presets}
    return ", ".join(f"{preset} {sum(offering.cost(count).values())}" for preset, count in steps.items())


def _about(seconds: float) -> str:
    if seconds < 2 * MINUTE:
        return f"{round(seconds)} s"
    return f"{round(seconds / MINUTE)} min"
