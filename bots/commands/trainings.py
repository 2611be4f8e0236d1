"""Trainings: offerings, quotes, orders, and what becomes of them."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from bots.cards import MARKS, card
from bots.chat.definition import command
from bots.chat.parameter import Call, Overrides, Text
from bots.chat.references import JobRef, OfferingRef, OpenJobRef, PresetRef, SharedDatasetRef
from bots.chat.reply import Button, Reply, Table
from bots.chat.wording import between, number
from core.domain.account import Role
from core.domain.action import Style, Then
from core.domain.consent import RIGHTS, WORDS
from core.domain.dataset import Dataset
from core.domain.job import Job
from core.domain.offering import NOUNS, Offering
from core.services.trainings import Quoted

Ref = Annotated[Dataset, SharedDatasetRef("What to train on")]
Offered = Annotated[Offering, OfferingRef("What to buy")]
Preset = Annotated[str, PresetRef("How thorough: see `offerings`")]
Settings = Annotated[
    Mapping[str, str], Overrides("Settings to change, such as rank=8; also seed=, gpu= and from=MODEL")
]
GB = 1024  # MB


@command("offerings", role=Role.VIEWER)
async def offerings(call: Call) -> Reply:
    """What can be trained, in which presets, at what price."""
    rows = tuple(
        (offering.id, offering.title if on else f"{offering.title} (off for now)", _needs(offering), _prices(offering))
        for offering, on in await call.services.trainings.offered()
    )
    return Reply(
        title="Offerings",
        lines=(
            "Ask for a price: `quote DATASET OFFERING PRESET`. Settings go behind it, such as rank=8.",
            "To go on from a model of yours, say from=MODEL there.",
        ),
        table=Table(header=("offering", "what it is", "needs", "presets and points"), rows=rows),
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
    noun = NOUNS[offering.takes].removesuffix("s")
    return Reply(
        title=f"{quote.price} points: {offering.title}, {quote.preset}",
        lines=(
            f"«{dataset.name}», {number(dataset.count, noun)}, trigger word {dataset.trigger}.",
            *(() if quoted.manned else ("No worker that can take it is here now: it waits until there is one.",)),
            *((f"By confirming you attest: «{WORDS[RIGHTS]}»",) if asks else ()),
        ),
        fields=(
            ("made of", ", ".join(f"{part} {amount}" for part, amount in quote.parts.items())),
            ("settings", " ".join(f"{name}={value}" for name, value in settings.items()) or "as in the preset"),
            ("balance after", after),
            *((("GPU", _choices(quoted)),) if quoted.choices else ()),
            ("queue", f"{quoted.queue.ahead} ahead"),
            ("takes about", between(quoted.takes.low, quoted.takes.high)),
            *_ready(quoted),
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
            *_others(quoted, settings),
            Button(label="Change", command="offerings"),
            Button(label="Cancel", command="train decline", then=Then.REPLACE),
        ),
    )


@command("train decline", menu=False)
async def decline(call: Call) -> Reply:
    """Let a quote pass."""
    return Reply(title="Nothing ordered")


def _needs(offering: Offering) -> str:
    memory = f", GPU with {-(-offering.gpu_memory // GB)} GB" if offering.gpu_memory else ""
    return f"{offering.least_items}-{offering.most_items} {NOUNS[offering.takes]}{memory}"


def _prices(offering: Offering) -> str:
    settled = {preset: offering.settled(preset, {}) for preset in offering.presets}
    gpu = offering.gpu()
    return ", ".join(f"{preset} {sum(offering.cost(chosen, gpu=gpu).values())}" for preset, chosen in settled.items())


def _ready(quoted: Quoted) -> Iterator[tuple[str, str]]:
    """When it will be there, where anybody can take it."""
    soonest, latest = quoted.queue.soonest, quoted.queue.latest
    if soonest is not None and latest is not None:
        yield "ready in about", between(soonest + quoted.takes.low, latest + quoted.takes.high)


def _choices(quoted: Quoted) -> str:
    """Every class of GPU with its price and time."""
    return "; ".join(
        f"{gpu}{' (chosen)' if gpu == quoted.quote.gpu else ''}: {one.price} points, "
        f"{between(one.takes.low, one.takes.high)}"
        for gpu, one in quoted.choices.items()
    )


def _others(quoted: Quoted, settings: Mapping[str, str]) -> Iterator[Button]:
    """What asks for the same training on another class of GPU."""
    quote = quoted.quote
    for gpu in quoted.choices:
        if gpu != quote.gpu:
            changed = " ".join(f"{name}={value}" for name, value in {**settings, "gpu": gpu}.items())
            asked = {"dataset": quote.dataset, "offering": quote.offering, "preset": quote.preset, "settings": changed}
            yield Button(label=f"On {gpu}", command="train order", arguments=asked, then=Then.REPLACE)
