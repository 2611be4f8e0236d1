"""The card of a training: the loss on the way with the latest sample; at the end before and after, and the LoRA."""

from collections.abc import Iterator, Sequence

from bots.cards.findings import weight
from bots.chat.parameter import Call
from bots.chat.reply import Button, Reply
from core.domain.action import Style
from core.domain.artifact import Artifact
from core.domain.failure import REMEDIES
from core.domain.job import Job
from core.domain.model import Visibility
from core.domain.rating import Rating
from core.domain.run import Run
from core.domain.steering import Steer, awaited
from core.kinds.training import Payload, Result

COMING = {
    Steer.SAMPLE: "Samples are on their way.",
    Steer.SAVE: "A copy of the model as it is now is on its way.",
    Steer.STOP: "It is about to stop.",
}
WRITES = "Its file is a folder of PEFT's, zipped: load it onto its base with a program that chats with that."


async def running(call: Call, job: Job) -> Reply:
    """The last loss, the latest sample, what was changed on the way, and what its owner can wish."""
    run = await call.services.runs.find(job.id)
    chart = await call.services.runs.chart(job.id)
    loss = (("loss", f"{chart[-1].loss:.4f}"),) if chart else ()
    epochs = [epoch for epoch in run.epochs if not epoch.wished] if run else []
    passed = (("epochs", f"{len(epochs)} done"),) if epochs else ()
    return Reply(
        title=job.title,
        lines=(*_remedies(run), *(COMING[wish.what] for wish in awaited(job.wishes))),
        fields=(*loss, *passed),
        pictures=tuple(one for one in _latest(run) if one.is_picture)[:1],
        rating=Payload.model_validate(job.payload).rating,
        buttons=tuple(_wishes(job, run)) if run and job.owner == call.actor.account else (),
    )


async def steered(call: Call, job: str, *, step: int) -> Reply:
    """What was wished for after a step: samples; or word of a copy, which is handed out when it is paid for."""
    found, run = await call.services.jobs.view(call.actor, job), await call.services.runs.find(job)
    samples = next((one.samples for one in run.glimpses if one.step == step), ()) if run else ()
    saved = run.epoch_at(step) if run else None
    return Reply(
        title=f"{found.title} · step {step}",
        lines=("The copy is kept with its epochs: when the training is done, it can be chosen.",) if saved else (),
        pictures=tuple(one for one in samples if one.is_picture),
        files=tuple(one for one in samples if not one.is_picture),
        rating=Payload.model_validate(found.payload).rating if found.payload else Rating.SFW,
    )


async def done(call: Call, job: Job) -> Reply:
    """Before and after, the artifact, what was learned, what to do next."""
    result, payload = Result.model_validate(job.result), Payload.model_validate(job.payload)
    model, run = await call.services.models.of_run(call.actor, job.id), await call.services.runs.find(job.id)
    publish = Button(label="Publish", command="model publish", arguments={"model": model.id}, style=Style.GO)
    trial = Button(label="Try it", command="imagine", arguments={"prompt": f"{model.id} on a white background"})
    use = WRITES if model.talks else f"Use it by its trigger word: `imagine {payload.trigger} …`"
    return Reply(
        title=job.title,
        lines=(use, *result.notes, *_ended(job, run), *_remedies(run)),
        fields=(
            ("model", model.name),
            ("evaluation loss", f"{result.evaluation_before:.4f} → {result.evaluation_after:.4f}"),
            ("file", f"{model.file.name}, {weight(model.artifact.size)}"),
        ),
        pictures=(result.grid,),
        files=(model.file,) if model.usable else (),
        rating=payload.rating,
        buttons=(
            *((publish,) if model.visibility is Visibility.PRIVATE else ()),
            *(() if model.talks else (trial,)),
            Button(label="Receipt", command="receipts", arguments={"job": job.id}),
        ),
    )


def _ended(job: Job, run: Run | None) -> Iterator[str]:
    """How far it came, where that is not as far as it was ordered."""
    step = Result.model_validate(job.result).step
    if run and step is not None and step < run.steps:
        yield f"It ended after {step} of {run.steps} steps and cost {job.due} of {job.price}; the rest went back."


def _remedies(run: Run | None) -> tuple[str, ...]:
    return tuple(REMEDIES[remedy] for remedy in run.remedies) if run else ()


def _latest(run: Run | None) -> Sequence[Artifact]:
    """The samples that were made last, of an epoch or on wish."""
    epochs = [(epoch.step, epoch.samples) for epoch in run.epochs] if run else []
    glimpses = [(glimpse.step, glimpse.samples) for glimpse in run.glimpses] if run else []
    made = [pair for pair in (*epochs, *glimpses) if pair[1]]
    return max(made, key=lambda pair: pair[0], default=(0, ()))[1]


def _wishes(job: Job, run: Run) -> Iterator[Button]:
    """What can be wished of a running training; as many steps more are offered as an epoch has."""
    arguments = {"job": job.id}
    yield Button(label="Sample now", command="train sample", arguments=arguments)
    yield Button(label="Save now", command="train save", arguments=arguments)
    steps = run.pass_length
    yield Button(label=f"{steps} steps more", command="train extend", arguments={**arguments, "steps": str(steps)})
    yield Button(label="Stop early", command="train stop", arguments=arguments)
