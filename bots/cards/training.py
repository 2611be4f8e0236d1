"""The card of a training: the loss on the way with the latest sample; at the end before and after, and the LoRA."""

from bots.chat.parameter import Call
from bots.chat.reply import Button, Reply
from core.domain.action import Style
from core.domain.job import Job
from core.domain.model import Visibility
from core.kinds.training import Payload, Result


async def running(call: Call, job: Job) -> Reply:
    """The last loss, and the samples of the last epoch."""
    run = await call.services.trainings.run(job.id)
    chart = await call.services.trainings.chart(job.id)
    loss = (("loss", f"{chart[-1].loss:.4f}"),) if chart else ()
    epochs = run.epochs if run else ()
    passed = (("epochs", f"{len(epochs)} done"),) if epochs else ()
    return Reply(
        title=job.title,
        fields=(*loss, *passed),
        pictures=epochs[-1].samples[:1] if epochs else (),
        rating=Payload.model_validate(job.payload).rating,
    )


async def done(call: Call, job: Job) -> Reply:
    """Before and after, the artifact, what was learned, what to do next."""
    result, payload = Result.model_validate(job.result), Payload.model_validate(job.payload)
    model = await call.services.models.of_run(call.actor, job.id)
    publish = Button(label="Publish", command="model publish", arguments={"model": model.id}, style=Style.GO)
    return Reply(
        title=job.title,
        lines=(f"Use it by its trigger word: `imagine {payload.trigger} …`",),
        fields=(
            ("model", model.name),
            ("evaluation loss", f"{result.evaluation_before:.4f} → {result.evaluation_after:.4f}"),
            ("file", f"{result.artifact.name}, {result.artifact.size / 2**20:.1f} MB"),
        ),
        pictures=(result.grid,),
        files=(result.artifact,) if model.usable else (),
        rating=payload.rating,
        buttons=(
            *((publish,) if model.visibility is Visibility.PRIVATE else ()),
            Button(label="Try it", command="imagine", arguments={"prompt": f"{model.id} on a white background"}),
            Button(label="Receipt", command="receipts", arguments={"job": job.id}),
        ),
    )
