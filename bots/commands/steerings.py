"""Steerings: what owners tell their trainings while they run, and once more when they have ended."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, assert_never

from bots.cards import card
from bots.chat.definition import command
from bots.chat.parameter import Call, Given, Integer, Listed, Row
from bots.chat.references import JobRef
from bots.chat.reply import Button, Reply
from bots.chat.wording import number
from core.domain.action import Style, Then
from core.domain.allowance import Limit
from core.domain.job import Job
from core.domain.steering import Steer
from core.services.retries import Wanted

OFTEN = Limit(times=20, per=timedelta(minutes=10))
MOST_OTHERS = 10  # buttons for epochs


class OpenTrainingRef(JobRef):
    """One of the actor's trainings that have not ended."""

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Job]]:
        """The actor's trainings that wait or run, newest first."""
        jobs = [job for job in await call.services.trainings.list(call.actor) if not job.state.ended]
        return [Row(value=job.id, label=job.title, thing=job) for job in jobs]


class PassedRef(Listed[int]):
    """An epoch that the running training named before has passed; hardly anybody wants to be asked."""

    noun = "epoch"
    hint = "Say its number; the card of the training shows how many are done."
    asked = False

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[int]]:
        """The epochs that have ended, the last first."""
        job = await OpenTrainingRef("").earlier(call, given, "job")
        run = await call.services.runs.find(job.id) if job else None
        epochs = [epoch for epoch in run.epochs if not epoch.wished] if run else []
        return [
            Row(value=str(one.number), label=f"epoch {one.number}, loss {one.loss:.4f}", thing=one.number)
            for one in reversed(epochs)
        ]


class EndedTrainingRef(JobRef):
    """One of the actor's trainings that have ended."""

    async def rows(self, call: Call, text: str, given: Given, *, after: str, limit: int) -> Sequence[Row[Job]]:
        """The actor's trainings that have ended, newest first."""
        jobs = [job for job in await call.services.trainings.list(call.actor) if job.state.ended]
        return [Row(value=job.id, label=job.title, thing=job) for job in jobs]


Ref = Annotated[Job, OpenTrainingRef("Which training")]
Kept = Annotated[int | None, PassedRef("Which epoch to keep; else the model as it is then")]
Steps = Annotated[int, Integer("How many steps more")]


@command("train sample", limit=OFTEN)
async def sample(call: Call, job: Ref) -> Reply:
    """Make samples with a training as it is now; they come in a moment, and the training goes on."""
    told = await call.services.steerings.wish(call.actor, job.id, Steer.SAMPLE, key=call.key)
    return await card(call, told.id)


@command("train save", limit=OFTEN)
async def save(call: Call, job: Ref) -> Reply:
    """Keep a copy of the model as it is now; it comes in a moment, and the training goes on."""
    told = await call.services.steerings.wish(call.actor, job.id, Steer.SAVE, key=call.key)
    return await card(call, told.id)


@command("train stop")
async def stop(call: Call, job: Ref, epoch: Kept = None) -> Reply:
    """End a training early and keep what it has learned; you pay for the steps that were done.

    The model is as it is then, or as it was after one of its epochs. See `train cancel` for keeping nothing.
    """
    ending = await call.services.steerings.ending(call.actor, job.id, number=epoch)
    kept = "the model as it is now" if ending.epoch is None else f"epoch {ending.epoch.number}"
    arguments = {"job": job.id} | ({"epoch": str(epoch)} if epoch else {})
    return Reply(
        title=f"Stop «{job.title}» and keep {kept}?",
        lines=(f"It costs about {ending.due} of the {ending.job.price} set aside; the rest goes back.",),
        buttons=(
            Button(
                label="Stop now", command="train stop-now", arguments=arguments, style=Style.DANGER, then=Then.REPLACE
            ),
            *(_keeping(job, other) for other in ending.others[-MOST_OTHERS:]),
        ),
    )


def _keeping(job: Job, epoch: int) -> Button:
    arguments = {"job": job.id, "epoch": str(epoch)}
    return Button(label=f"Keep epoch {epoch}", command="train stop", arguments=arguments, then=Then.REPLACE)


@command("train stop-now", menu=False)
async def stop_now(call: Call, job: Annotated[Job, JobRef("Which training")], epoch: Kept = None) -> Reply:
    """End a training early without asking again."""
    told = await call.services.steerings.wish(call.actor, job.id, Steer.STOP, key=call.key, number=epoch)
    return await card(call, told.id)


@command("train extend", orders=True)
async def extend(call: Call, job: Ref, steps: Steps) -> Reply:
    """Let a training go on for more steps: shows the price first, and waits for your Confirm."""
    more = await call.services.steerings.extension(call.actor, job.id, steps)
    missing = more.price - more.balance
    arguments = {"job": job.id, "steps": str(steps), "price": str(more.price)}
    return Reply(
        title=f"{more.price} points: {number(steps, 'step')} more",
        lines=(f"«{job.title}» goes on to step {more.run.steps + steps}.",),
        fields=(("balance after", f"{missing} missing" if missing > 0 else f"{-missing}"),),
        buttons=(
            Button(label="Confirm", command="train extend-now", arguments=arguments, style=Style.GO, then=Then.REPLACE),
        ),
    )


@command("train extend-now", menu=False, orders=True)
async def extend_now(
    call: Call,
    job: Annotated[Job, JobRef("Which training")],
    steps: Steps,
    price: Annotated[int, Integer("The price that was shown")],
) -> Reply:
    """Let a training go on for more steps at the price that was shown."""
    told = await call.services.steerings.extend(call.actor, job.id, steps, price=price, key=call.key)
    return await card(call, told.id)


@command("train retry", orders=True)
async def retry(call: Call, job: Annotated[Job, EndedTrainingRef("Which training")]) -> Reply:
    """Train the same once more: at no charge where it failed by our fault, else at a new price.

    What is free goes on from the last epoch that ended, with the same pictures and captions as before.
    """
    retried = await call.services.retries.retry(call.actor, job.id, place=call.told)
    match retried:
        case Job():
            return await card(call, retried.id)
        case Wanted():
            return _asking(job, retried)
    assert_never(retried)


def _asking(job: Job, wanted: Wanted) -> Reply:
    settings = " ".join(f"{name}={value}" for name, value in wanted.settings.items())
    arguments = {"dataset": wanted.dataset, "offering": wanted.offering, "preset": wanted.preset}
    chosen = arguments | ({"settings": settings} if settings else {})
    why = job.failure.words if job.failure else f"Its settings were {wanted.preset} {settings}".rstrip() + "."
    return Reply(
        title=f"Order «{job.title}» once more?",
        lines=(why, "Change settings by ordering it yourself: `train order DATASET OFFERING PRESET name=value`."),
        buttons=(Button(label="See the price", command="train order", arguments=chosen, style=Style.GO),),
    )
